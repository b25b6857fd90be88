// The people before a camera, or in a video file: camera HOST:PORT [SOURCE]

#include <chrono>
#include <cstdio>
#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <thread>
#include <utility>

#include "posewire/client.hpp"

namespace {

using namespace posewire::client;
using std::chrono::steady_clock;

bool open(cv::VideoCapture& capture, const std::string& source) {
    const bool is_number = source.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? capture.open(std::stoi(source)) : capture.open(source);
}

/// Sends frames until the source or the stream ends.
void send_frames(cv::VideoCapture& capture, Stream& stream) {
    cv::Mat pixels;
    while (capture.read(pixels)) {
        Pixels view;
        view.data = pixels.data;
        view.width = pixels.cols;
        view.height = pixels.rows;
        view.row_stride_bytes = pixels.step;
        auto image = raw_image(view);
        if (!image) {
            std::fprintf(stderr, "camera: %s\n", image.status().to_string().c_str());
            break;
        }
        if (!stream.send({*std::move(image), steady_clock::now().time_since_epoch()}).ok()) {
            break;  // receiving reports the error
        }
    }
    stream.close_send();
}

/// Prints the outcomes. Returns whether the stream ended without an error.
bool print_outcomes(Stream& stream) {
    for (const StatusOr<Outcome>& outcome : stream) {
        if (!outcome) {
            std::fprintf(stderr, "camera: %s\n", outcome.status().to_string().c_str());
            return false;
        }
        if (const auto* result = outcome->result()) {
            std::printf("frame %llu: %d people, %llu frames skipped so far\n",
                        static_cast<unsigned long long>(outcome->frame_id), result->poses_size(),
                        static_cast<unsigned long long>(outcome->frames_skipped_before));
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: camera HOST:PORT [SOURCE]\n");
        return 2;
    }
    const std::string source = argc == 3 ? argv[2] : "0";
    cv::VideoCapture capture;
    if (!open(capture, source)) {
        std::fprintf(stderr, "camera: cannot open %s; expected a camera's number or a video\n",
                     source.c_str());
        return 1;
    }
    posewire::v1::StreamConfig config;
    config.set_delivery_policy(posewire::v1::DELIVERY_POLICY_LATEST);
    config.set_track(true);
    const Client client(argv[1]);
    Stream stream = client.stream(config);
    std::thread sender([&] { send_frames(capture, stream); });
    const bool is_ok = print_outcomes(stream);
    sender.join();
    return is_ok ? 0 : 1;
}
