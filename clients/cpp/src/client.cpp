#include "posewire/client/client.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "backoff.hpp"
#include "posewire/client/grpc_connection.hpp"
#include "stream_runner.hpp"
#include "wait_reporter.hpp"
#include "waiting.hpp"

namespace posewire::client {

namespace {

Status client_closed() {
    ErrorDetails details;
    details.reason = reason::kClientClosed;
    return Status(StatusCode::kCancelled, "the client is closed; create a new one",
                  std::move(details));
}

}  // namespace

namespace internal {

/// What the copies of a client share.
class ClientState {
public:
    ClientState(std::shared_ptr<Connection> connection, const Options& options)
        : connection_(std::move(connection)),
          timeout_(options.timeout),
          retry_for_(options.retry_for),
          token_(options.token),
          waits_(std::make_shared<WaitReporter>(options.on_wait)) {}

    /// Makes attempts of a unary call until one succeeds, fails for good or time is up.
    template <typename Response, typename Request>
    StatusOr<Response> call(StatusOr<Response> (Connection::*method)(const CallContext&,
                                                                     const Request&),
                            const Request& request, const CallOptions& options);

    /// Opens a stream that ends when the client is closed.
    std::shared_ptr<StreamRunner> open_stream(const v1::StreamConfig& config,
                                              const CallOptions& options);

    void close();

private:
    bool is_closed();
    void wait_while_open(Secs delay);

    const std::shared_ptr<Connection> connection_;
    const Secs timeout_;
    const Secs retry_for_;
    const std::string token_;
    const std::shared_ptr<WaitReporter> waits_;
    std::mutex mutex_;
    std::condition_variable closed_;
    bool is_closed_ = false;
    std::vector<std::weak_ptr<StreamRunner>> streams_;  // to abort when the client is closed
};

template <typename Response, typename Request>
StatusOr<Response> ClientState::call(StatusOr<Response> (Connection::*method)(const CallContext&,
                                                                              const Request&),
                                     const Request& request, const CallOptions& options) {
    const Secs timeout = options.timeout.value_or(timeout_);
    const Secs retry_for = options.retry_for.value_or(retry_for_);
    if (const Status status = check_times(timeout, retry_for); !status.ok()) {
        return status;
    }
    Attempts attempts(Backoff(retry_for), timeout);
    CallContext context;
    context.token = options.token.value_or(token_);
    CallWait wait(waits_);
    while (!is_closed()) {
        context.deadline = deadline_after(attempts.remaining());
        auto response = (connection_.get()->*method)(context, request);
        if (response.ok() || is_closed()) {
            return response.ok() ? std::move(response) : client_closed();
        }
        const auto delay = attempts.delay_after(response.status());
        if (!delay) {
            return response;
        }
        wait.begin(response.status(), *delay);
        wait_while_open(*delay);
    }
    return client_closed();
}

std::shared_ptr<StreamRunner> ClientState::open_stream(const v1::StreamConfig& config,
                                                       const CallOptions& options) {
    const Secs timeout = options.timeout.value_or(timeout_);
    const Secs retry_for = options.retry_for.value_or(retry_for_);
    CallContext context;
    context.token = options.token.value_or(token_);
    auto stream = std::make_shared<StreamRunner>(
        StreamSession(config, Backoff(retry_for), timeout),
        [connection = connection_, context] { return connection->stream_poses(context); }, timeout,
        waits_);
    if (const Status status = check_times(timeout, retry_for); !status.ok()) {
        stream->abort(status);
        return stream;
    }
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        stream->abort(client_closed());
        return stream;
    }
    const auto is_gone = [](const auto& each) { return each.expired(); };
    streams_.erase(std::remove_if(streams_.begin(), streams_.end(), is_gone), streams_.end());
    streams_.push_back(stream);
    stream->start();
    return stream;
}

void ClientState::close() {
    std::vector<std::weak_ptr<StreamRunner>> streams;
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        streams.swap(streams_);
    }
    closed_.notify_all();
    for (const auto& each : streams) {
        if (const auto stream = each.lock()) {
            stream->abort(client_closed());
        }
    }
    connection_->close();
}

bool ClientState::is_closed() {
    const std::lock_guard lock(mutex_);
    return is_closed_;
}

void ClientState::wait_while_open(Secs delay) {
    const auto end = deadline_after(delay);
    std::unique_lock lock(mutex_);
    closed_.wait_until(lock, end, [this] { return is_closed_; });
}

}  // namespace internal

Client::Client(const std::string& target, const Options& options)
    : Client(make_connection(target, options), options) {}

Client::Client(std::shared_ptr<Connection> connection, const Options& options)
    : state_(std::make_shared<internal::ClientState>(std::move(connection), options)) {}

StatusOr<v1::EstimatePosesResponse> Client::estimate(v1::Image image,
                                                     const CallOptions& options) const {
    v1::EstimatePosesRequest request;
    *request.mutable_image() = std::move(image);
    return estimate(request, options);
}

StatusOr<v1::EstimatePosesResponse> Client::estimate(const v1::EstimatePosesRequest& request,
                                                     const CallOptions& options) const {
    return state_->call(&Connection::estimate_poses, request, options);
}

StatusOr<v1::ListModelsResponse> Client::models(const CallOptions& options) const {
    return state_->call(&Connection::list_models, v1::ListModelsRequest(), options);
}

StatusOr<v1::Model> Client::model(const std::string& name, const CallOptions& options) const {
    v1::GetModelRequest request;
    request.set_model(name);
    auto response = state_->call(&Connection::get_model, request, options);
    if (!response.ok()) {
        return response.status();
    }
    return std::move(*response->mutable_model());
}

Stream Client::stream(const v1::StreamConfig& config, const CallOptions& options) const {
    return Stream(state_->open_stream(config, options));
}

CallbackStream Client::stream(const v1::StreamConfig& config, StreamCallbacks callbacks,
                              const CallOptions& options) const {
    return CallbackStream(stream(config, options), std::move(callbacks));
}

void Client::close() const { state_->close(); }

}  // namespace posewire::client
