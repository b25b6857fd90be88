// The people in one image file: estimate HOST:PORT IMAGE

#include <absl/status/status.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "posewire/v1/pose_service.grpc.pb.h"

namespace {

using google::protobuf::util::TimeUtil;
using posewire::v1::EstimatePosesRequest;
using posewire::v1::EstimatePosesResponse;
using posewire::v1::Keypoint;
using posewire::v1::Pose;
using posewire::v1::PoseService;

// The first keypoint of COCO's skeleton; GetModel returns that of any model.
constexpr int kNose = 0;

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(file), {});
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    return content;
}

grpc::Status estimate(const std::string& address, std::string image,
                      EstimatePosesResponse* response) {
    auto stub =
        PoseService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    EstimatePosesRequest request;
    auto* encoded = request.mutable_image()->mutable_encoded();
    encoded->set_data(std::move(image));
    encoded->set_orientation_policy(posewire::v1::ORIENTATION_POLICY_APPLY);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    return stub->EstimatePoses(&context, request, response);
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

int run(const std::string& address, const std::string& path) {
    EstimatePosesResponse response;
    const grpc::Status status = estimate(address, content_of(path), &response);
    if (!status.ok()) {
        const auto code = static_cast<absl::StatusCode>(status.error_code());
        std::fprintf(stderr, "estimate: %s: %s\n", absl::StatusCodeToString(code).c_str(),
                     status.error_message().c_str());
        return 1;
    }
    print(response);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: estimate HOST:PORT IMAGE\n");
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "estimate: %s\n", error.what());
        return 1;
    }
}
