#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "posewire/client/connection.hpp"

namespace posewire::client::testing {

/// The server's end of one call of StreamPoses.
class ServerCall {
public:
    virtual ~ServerCall() = default;

    /// Waits for the next message; nothing after the client's last one, or if the call was
    /// cancelled.
    virtual std::optional<v1::StreamPosesRequest> receive() = 0;
    virtual void send(const v1::StreamPosesResponse& response) = 0;
    virtual void wait_until_cancelled() = 0;
};

/// What a server does with one call. The status ends the call.
using StreamScript = std::function<google::rpc::Status(ServerCall&)>;
using EstimateScript =
    std::function<google::rpc::Status(const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&)>;

/// A server that runs one script per call; a call without a script is UNIMPLEMENTED.
class ScriptedServer {
public:
    virtual ~ScriptedServer() = default;

    virtual void add(StreamScript script) = 0;
    virtual void add(EstimateScript script) = 0;
    virtual std::shared_ptr<Connection> connect() = 0;
};

enum class ServerKind { kFake, kGrpc };

/// Returns a server in this process: threads and queues without gRPC, or a real one.
std::unique_ptr<ScriptedServer> make_server(ServerKind kind);
std::unique_ptr<ScriptedServer> make_fake_server();
std::unique_ptr<ScriptedServer> make_grpc_server();

// Messages

google::rpc::Status ok();
google::rpc::Status status_with(StatusCode code, const std::string& message = "scripted");
google::rpc::Status with_reason(google::rpc::Status status, const std::string& reason);
google::rpc::Status with_retry(google::rpc::Status status, double secs);
v1::StreamPosesResponse started(int window, int max_image_bytes = 1 << 24);
v1::StreamPosesResponse result_for(std::uint64_t frame_id);
v1::StreamPosesResponse error_for(std::uint64_t frame_id, const google::rpc::Status& status);
v1::StreamPosesResponse skip_for(std::uint64_t frame_id, v1::SkipReason reason);
v1::StreamPosesResponse draining();

// Steps of scripts

/// Receives the config and starts the stream.
void start(ServerCall& call, int window);

/// Receives the next frame and returns its number; 0 if there is none.
std::uint64_t receive_frame(ServerCall& call);

/// Answers every frame until the client has no more, and returns their numbers.
std::vector<std::uint64_t> answer_all(ServerCall& call);

}  // namespace posewire::client::testing
