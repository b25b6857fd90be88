// A call that the client refuses, so it needs no server.

#include "posewire/client.hpp"

int main() {
    posewire::client::Client client("127.0.0.1:1");
    client.close();
    return client.models().status().reason() == posewire::client::reason::kClientClosed ? 0 : 1;
}
