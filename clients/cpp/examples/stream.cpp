// The people in image files, as the frames of one stream: stream HOST:PORT IMAGE...

#include <cstdio>
#include <string>
#include <utility>

#include "posewire/client.hpp"

namespace {

using namespace posewire::client;

void print(const Outcome& outcome) {
    const auto number = static_cast<unsigned long long>(outcome.frame_id);
    if (const auto* result = outcome.result()) {
        std::printf("frame %llu: %d people\n", number, result->poses_size());
    } else if (const Status* error = outcome.error()) {
        std::printf("frame %llu: %s\n", number, error->to_string().c_str());
    } else {
        std::printf("frame %llu: skipped\n", number);
    }
}

Status send_files(CallbackStream& stream, char** paths) {
    for (; *paths != nullptr; ++paths) {
        auto image = image_from_file(*paths);
        if (!image) {
            return image.status();
        }
        if (const Status status = stream.send({*std::move(image), {}}); !status.ok()) {
            return status;
        }
    }
    return Status();
}

Status run(const std::string& address, char** paths) {
    const Client client(address);
    StreamCallbacks callbacks;
    callbacks.on_outcome = print;
    CallbackStream stream = client.stream({}, callbacks);
    const Status sent = send_files(stream, paths);
    const Status ended = stream.finish();
    return ended.ok() ? sent : ended;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: stream HOST:PORT IMAGE...\n");
        return 2;
    }
    if (const Status status = run(argv[1], argv + 2); !status.ok()) {
        std::fprintf(stderr, "stream: %s\n", status.to_string().c_str());
        return 1;
    }
    return 0;
}
