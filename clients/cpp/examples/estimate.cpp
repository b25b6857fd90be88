// The people in one image file: estimate HOST:PORT IMAGE

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "posewire/client.hpp"

namespace {

using google::protobuf::util::TimeUtil;
using namespace posewire::client;
using posewire::v1::EstimatePosesResponse;
using posewire::v1::Keypoint;
using posewire::v1::Pose;

// The first keypoint of COCO's skeleton; Client::model returns that of any model.
constexpr int kNose = 0;

StatusOr<EstimatePosesResponse> estimate(const std::string& address, const std::string& path) {
    StatusOr<posewire::v1::Image> image = image_from_file(path);
    if (!image) {
        return image.status();
    }
    Options options;
    options.retry_for = Secs(0);  // a person waits for the answer: report the first failure
    return Client(address, options).estimate(*std::move(image));
}

bool has_position(const Keypoint& keypoint) {
    return keypoint.origin() != posewire::v1::KEYPOINT_ORIGIN_ABSENT;
}

void print(const Pose& pose) {
    const auto& keypoints = pose.keypoints();
    const auto found = std::count_if(keypoints.begin(), keypoints.end(), has_position);
    std::printf("pose score %.3f, %d keypoints", pose.score(), static_cast<int>(found));
    if (const Keypoint& nose = keypoints.at(kNose); has_position(nose)) {
        std::printf(", nose at %.1f, %.1f", nose.x(), nose.y());
    }
    std::printf("\n");
}

void print(const EstimatePosesResponse& response) {
    for (const Pose& pose : response.poses()) {
        print(pose);
    }
    const auto& inference = response.stage_times().inference_duration();
    const auto micros = TimeUtil::DurationToMicroseconds(inference);
    std::printf("inference took %.1f ms\n", static_cast<double>(micros) / 1000);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: estimate HOST:PORT IMAGE\n");
        return 2;
    }
    const auto response = estimate(argv[1], argv[2]);
    if (!response) {
        const Status status = response.status();
        std::fprintf(stderr, "estimate: %s: %s\n", name_of(status.code()),
                     status.message().c_str());
        return 1;
    }
    print(*response);
    return 0;
}
