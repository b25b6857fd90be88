#pragma once

#include <memory>
#include <string>

#include "posewire/client/connection.hpp"
#include "posewire/client/image.hpp"
#include "posewire/client/options.hpp"
#include "posewire/client/stream.hpp"

namespace posewire::client {

namespace internal {
class ClientState;
}

/// A client of a posewire server. Thread-safe; copies share one connection.
///
/// Every call ends within its timeout; nothing throws. Options describes timeouts and retries.
class Client {
public:
    /// Connects to HOST:PORT, [IPV6]:PORT, unix:PATH or a gRPC target such as dns:///HOST:PORT,
    /// with the first call. A port is required: any other target fails every call with
    /// INVALID_ARGUMENT.
    explicit Client(const std::string& target, const Options& options = {});

    /// Uses a connection of the caller's, such as a mock. Of the options, those of calls count:
    /// `timeout`, `retry_for`, `on_wait` and `token`.
    explicit Client(std::shared_ptr<Connection> connection, const Options& options = {});

    /// Estimates the poses in one image, with the server's default model and its default options.
    StatusOr<v1::EstimatePosesResponse> estimate(v1::Image image,
                                                 const CallOptions& options = {}) const;

    /// Estimates the poses in the image of a request, with its model and options.
    StatusOr<v1::EstimatePosesResponse> estimate(const v1::EstimatePosesRequest& request,
                                                 const CallOptions& options = {}) const;

    /// Lists the models of the server.
    StatusOr<v1::ListModelsResponse> models(const CallOptions& options = {}) const;

    /// Describes one model, by default the server's default.
    StatusOr<v1::Model> model(const std::string& name = "", const CallOptions& options = {}) const;

    /// Opens a stream. The comments in stream.proto describe the configuration. What prevents the
    /// stream is the error that its `receive` returns.
    Stream stream(const v1::StreamConfig& config = {}, const CallOptions& options = {}) const;

    /// Opens a stream that reports its outcomes to callbacks.
    CallbackStream stream(const v1::StreamConfig& config, StreamCallbacks callbacks,
                          const CallOptions& options = {}) const;

    /// Refuses further calls, of all copies. Calls and streams in progress end with CANCELLED and
    /// the reason CLIENT_CLOSED.
    void close() const;

private:
    std::shared_ptr<internal::ClientState> state_;
};

}  // namespace posewire::client
