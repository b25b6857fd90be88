// A server of threads and queues, so that sanitizers see every lock that is taken.

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "rpc_status.hpp"
#include "scripted_server.hpp"

namespace posewire::client::testing {

namespace {

/// Both ends of one call.
class FakePipe : public ServerCall {
public:
    std::optional<v1::StreamPosesRequest> receive() override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !requests_.empty() || half_closed_ || cancelled_; });
        if (requests_.empty() || cancelled_) {
            return std::nullopt;
        }
        auto request = std::move(requests_.front());
        requests_.pop_front();
        return request;
    }

    void send(const v1::StreamPosesResponse& response) override {
        const std::lock_guard lock(mutex_);
        responses_.push_back(response);
        changed_.notify_all();
    }

    void wait_until_cancelled() override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return cancelled_; });
    }

    void end(Status status) {
        const std::lock_guard lock(mutex_);
        if (!status_) {
            status_ = std::move(status);
        }
        changed_.notify_all();
    }

    bool write(const v1::StreamPosesRequest& request) {
        const std::lock_guard lock(mutex_);
        if (status_) {
            return false;
        }
        requests_.push_back(request);
        changed_.notify_all();
        return true;
    }

    void half_close() {
        const std::lock_guard lock(mutex_);
        half_closed_ = true;
        changed_.notify_all();
    }

    bool read(v1::StreamPosesResponse& response) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !responses_.empty() || status_; });
        if (responses_.empty() || cancelled_) {
            return false;
        }
        response = std::move(responses_.front());
        responses_.pop_front();
        return true;
    }

    Status finish() {
        const std::lock_guard lock(mutex_);
        return *status_;
    }

    void cancel() {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
        if (!status_) {
            status_ = Status(StatusCode::kCancelled, "cancelled by the client");
        }
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<v1::StreamPosesRequest> requests_;
    std::deque<v1::StreamPosesResponse> responses_;
    bool half_closed_ = false;
    bool cancelled_ = false;
    std::optional<Status> status_;
};

class FakeCall final : public StreamCall {
public:
    explicit FakeCall(std::shared_ptr<FakePipe> pipe) : pipe_(std::move(pipe)) {}

    bool write(const v1::StreamPosesRequest& request) override { return pipe_->write(request); }
    void half_close() override { pipe_->half_close(); }
    bool read(v1::StreamPosesResponse& response) override { return pipe_->read(response); }
    Status finish() override { return pipe_->finish(); }
    void cancel() override { pipe_->cancel(); }

private:
    std::shared_ptr<FakePipe> pipe_;
};

class FakeConnection final : public Connection {
public:
    ~FakeConnection() override {
        for (auto& thread : threads_) {
            thread.join();
        }
    }

    void add(StreamScript script) {
        const std::lock_guard lock(mutex_);
        streams_.push_back(std::move(script));
    }

    void add(EstimateScript script) {
        const std::lock_guard lock(mutex_);
        estimates_.push_back(std::move(script));
    }

    StatusOr<v1::EstimatePosesResponse> estimate_poses(
        const CallContext&, const v1::EstimatePosesRequest& request) override {
        EstimateScript script = take(estimates_);
        v1::EstimatePosesResponse response;
        const auto status = script ? script(request, response) : unscripted();
        if (status.code() != 0) {
            return internal::status_from_rpc(status);
        }
        return response;
    }

    StatusOr<v1::ListModelsResponse> list_models(const CallContext&,
                                                 const v1::ListModelsRequest&) override {
        return internal::status_from_rpc(unscripted());
    }

    StatusOr<v1::GetModelResponse> get_model(const CallContext&,
                                             const v1::GetModelRequest&) override {
        return internal::status_from_rpc(unscripted());
    }

    std::unique_ptr<StreamCall> stream_poses(const CallContext&) override {
        auto pipe = std::make_shared<FakePipe>();
        StreamScript script = take(streams_);
        const std::lock_guard lock(mutex_);
        threads_.emplace_back([pipe, script = std::move(script)] {
            pipe->end(internal::status_from_rpc(script ? script(*pipe) : unscripted()));
        });
        return std::make_unique<FakeCall>(pipe);
    }

    void close() override {}

private:
    static google::rpc::Status unscripted() { return status_with(StatusCode::kUnimplemented); }

    template <typename Script>
    Script take(std::deque<Script>& scripts) {
        const std::lock_guard lock(mutex_);
        if (scripts.empty()) {
            return {};
        }
        Script script = std::move(scripts.front());
        scripts.pop_front();
        return script;
    }

    std::mutex mutex_;
    std::deque<StreamScript> streams_;
    std::deque<EstimateScript> estimates_;
    std::list<std::thread> threads_;
};

class FakeServer final : public ScriptedServer {
public:
    void add(StreamScript script) override { connection_->add(std::move(script)); }
    void add(EstimateScript script) override { connection_->add(std::move(script)); }
    std::shared_ptr<Connection> connect() override { return connection_; }

private:
    std::shared_ptr<FakeConnection> connection_ = std::make_shared<FakeConnection>();
};

}  // namespace

std::unique_ptr<ScriptedServer> make_fake_server() { return std::make_unique<FakeServer>(); }

}  // namespace posewire::client::testing
