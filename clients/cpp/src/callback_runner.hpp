#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "posewire/client/stream.hpp"
#include "stream_runner.hpp"

namespace posewire::client::internal {

/// Receives the outcomes of a stream in a thread of its own and calls the callbacks with them.
class CallbackRunner {
public:
    CallbackRunner(std::shared_ptr<StreamRunner> stream, StreamCallbacks callbacks);
    CallbackRunner(const CallbackRunner&) = delete;
    CallbackRunner& operator=(const CallbackRunner&) = delete;

    /// Starts the thread, which shares the ownership of the runner until it ends.
    static void start(const std::shared_ptr<CallbackRunner>& runner);

    StreamRunner& stream() { return *stream_; }

    /// Cancels the stream and waits for the thread, unless this is called from a callback.
    void stop();

    /// Waits for the last callback and returns the status of the stream.
    Status wait_for_end();

private:
    void run();

    const std::shared_ptr<StreamRunner> stream_;
    const StreamCallbacks callbacks_;
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<Status> status_;
    std::thread thread_;
};

}  // namespace posewire::client::internal
