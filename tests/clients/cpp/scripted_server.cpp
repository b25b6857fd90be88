#include "scripted_server.hpp"

#include "google/rpc/error_details.pb.h"

namespace posewire::client::testing {

std::unique_ptr<ScriptedServer> make_server(ServerKind kind) {
    return kind == ServerKind::kFake ? make_fake_server() : make_grpc_server();
}

google::rpc::Status ok() { return {}; }

google::rpc::Status status_with(StatusCode code, const std::string& message) {
    google::rpc::Status status;
    status.set_code(static_cast<int>(code));
    status.set_message(message);
    return status;
}

google::rpc::Status with_reason(google::rpc::Status status, const std::string& reason) {
    google::rpc::ErrorInfo info;
    info.set_domain("posewire");
    info.set_reason(reason);
    status.add_details()->PackFrom(info);
    return status;
}

google::rpc::Status with_retry(google::rpc::Status status, double secs) {
    google::rpc::RetryInfo info;
    const auto whole = static_cast<std::int64_t>(secs);
    info.mutable_retry_delay()->set_seconds(whole);
    info.mutable_retry_delay()->set_nanos(
        static_cast<std::int32_t>((secs - static_cast<double>(whole)) * 1e9));
    status.add_details()->PackFrom(info);
    return status;
}

v1::StreamPosesResponse started(int window, int max_image_bytes) {
    v1::StreamPosesResponse response;
    auto& message = *response.mutable_started();
    message.mutable_model()->set_name("demo");
    message.set_max_frames_in_flight(static_cast<std::uint32_t>(window));
    message.set_max_image_bytes(static_cast<std::uint32_t>(max_image_bytes));
    return response;
}

v1::StreamPosesResponse result_for(std::uint64_t frame_id) {
    v1::StreamPosesResponse response;
    response.mutable_outcome()->set_frame_id(frame_id);
    response.mutable_outcome()->mutable_result()->set_image_width(64);
    return response;
}

v1::StreamPosesResponse error_for(std::uint64_t frame_id, const google::rpc::Status& status) {
    v1::StreamPosesResponse response;
    response.mutable_outcome()->set_frame_id(frame_id);
    *response.mutable_outcome()->mutable_error()->mutable_status() = status;
    return response;
}

v1::StreamPosesResponse skip_for(std::uint64_t frame_id, v1::SkipReason reason) {
    v1::StreamPosesResponse response;
    response.mutable_outcome()->set_frame_id(frame_id);
    response.mutable_outcome()->mutable_skipped()->set_reason(reason);
    return response;
}

v1::StreamPosesResponse draining() {
    v1::StreamPosesResponse response;
    response.mutable_draining();
    return response;
}

void start(ServerCall& call, int window) {
    call.receive();
    call.send(started(window));
}

std::uint64_t receive_frame(ServerCall& call) {
    const auto request = call.receive();
    return request ? request->frame().frame_id() : 0;
}

std::vector<std::uint64_t> answer_all(ServerCall& call) {
    std::vector<std::uint64_t> frames;
    while (const auto frame_id = receive_frame(call)) {
        frames.push_back(frame_id);
        call.send(result_for(frame_id));
    }
    return frames;
}

}  // namespace posewire::client::testing
