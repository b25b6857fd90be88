#include "callback_runner.hpp"

#include <utility>

namespace posewire::client::internal {

CallbackRunner::CallbackRunner(std::shared_ptr<StreamRunner> stream, StreamCallbacks callbacks)
    : stream_(std::move(stream)), callbacks_(std::move(callbacks)) {}

void CallbackRunner::start(const std::shared_ptr<CallbackRunner>& runner) {
    // The mutex orders this assignment before a callback that stops the runner.
    const std::lock_guard lock(runner->mutex_);
    runner->thread_ = std::thread([runner] { runner->run(); });
}

void CallbackRunner::stop() {
    stream_->cancel();
    std::thread thread;
    {
        const std::lock_guard lock(mutex_);
        thread = std::move(thread_);
    }
    if (thread.get_id() == std::this_thread::get_id()) {
        thread.detach();
    } else if (thread.joinable()) {
        thread.join();
    }
}

Status CallbackRunner::wait_for_end() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return status_.has_value(); });
    return *status_;
}

void CallbackRunner::run() {
    auto received = stream_->receive(std::nullopt);
    while (received.ok() && received->has_value()) {
        callbacks_.on_outcome(std::move(**received));
        received = stream_->receive(std::nullopt);
    }
    const Status status = received.status();
    if (callbacks_.on_end) {
        callbacks_.on_end(status);
    }
    const std::lock_guard lock(mutex_);
    status_ = status;
    ended_.notify_all();
}

}  // namespace posewire::client::internal
