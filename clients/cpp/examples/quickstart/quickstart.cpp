#include <cstdio>

#include "posewire/client.hpp"

int main() {
    posewire::client::Client client("127.0.0.1:50051");
    auto image = posewire::client::image_from_file("people.jpg");
    auto response = image ? client.estimate(*std::move(image)) : image.status();
    if (!response) {
        std::printf("%s\n", response.status().to_string().c_str());
        return 1;
    }
    std::printf("%d people\n", response->poses_size());
}
