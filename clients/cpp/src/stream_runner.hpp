#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "posewire/client/connection.hpp"
#include "posewire/client/image.hpp"
#include "posewire/client/outcome.hpp"
#include "session.hpp"
#include "wait_reporter.hpp"

namespace posewire::client::internal {

/// The blocking transport of a stream.
///
/// Up to four threads share the session under one mutex. The caller's threads send and receive. One
/// makes the calls and reads their responses; another, one per call, writes the frames. A thread
/// that waits for the session also checks the timeout, because a blocked read or write does not.
class StreamRunner {
public:
    using OpenCall = std::function<std::unique_ptr<StreamCall>()>;

    /// `timeout` also bounds how long `send` waits for room.
    StreamRunner(StreamSession session, OpenCall open_call, Secs timeout,
                 std::shared_ptr<WaitReporter> waits);
    StreamRunner(const StreamRunner&) = delete;
    StreamRunner& operator=(const StreamRunner&) = delete;
    ~StreamRunner();

    /// Begins with the first call.
    void start();

    // As described at Stream:
    Status send(Frame&& frame, std::optional<Secs> wait);
    void close_send();
    StatusOr<std::optional<Outcome>> receive(std::optional<Secs> wait);
    void cancel();

    /// Ends the stream. `receive` returns the error after the outcomes that have arrived.
    void abort(Status error);

private:
    using Lock = std::unique_lock<std::mutex>;
    using TimePoint = std::chrono::steady_clock::time_point;

    bool is_waiting_over(Lock& lock, TimePoint deadline);
    void cancel_call();
    void make_calls();
    std::optional<Secs> make_call();
    Status carry(StreamCall& call, std::uint64_t call_number);
    void read_to_end(StreamCall& call);
    void write_frames(StreamCall& call, std::uint64_t call_number);
    std::shared_ptr<const v1::StreamPosesRequest> wait_for_request(std::uint64_t call_number);

    std::mutex mutex_;
    std::condition_variable changed_;
    StreamSession session_;
    bool is_cancelled_ = false;
    bool is_read_to_end_ = false;       // of the current call
    std::unique_ptr<StreamCall> call_;  // null between calls
    const OpenCall open_call_;
    const Secs timeout_;
    CallWait wait_;  // of the thread that makes the calls
    std::thread caller_;
};

}  // namespace posewire::client::internal
