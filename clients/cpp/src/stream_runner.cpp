#include "stream_runner.hpp"

#include <algorithm>
#include <utility>

#include "waiting.hpp"

namespace posewire::client::internal {

namespace {

Status status_of(StatusCode code, const char* reason, std::string message) {
    ErrorDetails details;
    details.reason = reason;
    return Status(code, std::move(message), std::move(details));
}

Status wait_expired(std::string message) {
    return status_of(StatusCode::kDeadlineExceeded, reason::kWaitExpired, std::move(message));
}

v1::StreamPosesRequest request_of(Frame&& frame) {
    v1::StreamPosesRequest request;
    v1::Frame& message = *request.mutable_frame();
    *message.mutable_image() = std::move(frame.image);
    if (frame.capture_time) {
        const auto secs = std::chrono::floor<std::chrono::seconds>(*frame.capture_time);
        message.mutable_capture_time()->set_seconds(secs.count());
        message.mutable_capture_time()->set_nanos(
            static_cast<std::int32_t>((*frame.capture_time - secs).count()));
    }
    return request;
}

}  // namespace

StreamRunner::StreamRunner(StreamSession session, OpenCall open_call, Secs timeout,
                           std::shared_ptr<WaitReporter> waits)
    : session_(std::move(session)),
      open_call_(std::move(open_call)),
      timeout_(timeout),
      wait_(std::move(waits)) {}

StreamRunner::~StreamRunner() {
    cancel();
    if (caller_.joinable()) {
        caller_.join();
    }
}

void StreamRunner::start() {
    caller_ = std::thread([this] { make_calls(); });
}

Status StreamRunner::send(Frame&& frame, std::optional<Secs> wait) {
    const auto deadline = deadline_after(wait.value_or(timeout_));
    Lock lock(mutex_);
    while (!session_.is_source_finished() && !session_.is_put_ready() && !session_.is_finished()) {
        if (is_waiting_over(lock, deadline)) {
            return wait_expired(
                "the stream has no room for another frame; receive its outcomes, then send again");
        }
    }
    if (session_.is_source_finished() || session_.is_finished()) {
        const Status& error = session_.error();
        return !error.ok() ? error
                           : status_of(StatusCode::kCancelled, reason::kStreamClosed,
                                       "the stream takes no more frames; open a new one");
    }
    session_.put(request_of(std::move(frame)));
    changed_.notify_all();
    return Status();
}

void StreamRunner::close_send() {
    const Lock lock(mutex_);
    if (!session_.is_source_finished()) {
        session_.finish_source();
        changed_.notify_all();
    }
}

StatusOr<std::optional<Outcome>> StreamRunner::receive(std::optional<Secs> wait) {
    const auto deadline = deadline_after(wait.value_or(kLongestWait));
    Lock lock(mutex_);
    while (!session_.is_take_ready()) {
        if (is_waiting_over(lock, deadline)) {
            return wait_expired("no outcome has arrived yet; the stream goes on");
        }
    }
    auto taken = session_.take();
    if (is_cancelled_ && taken.ok() && !taken->has_value()) {
        return status_of(StatusCode::kCancelled, reason::kStreamClosed,
                         "the stream was cancelled before its last outcome");
    }
    changed_.notify_all();
    return taken;
}

void StreamRunner::cancel() {
    const Lock lock(mutex_);
    if (!session_.is_finished()) {
        is_cancelled_ = true;
        session_.close();
        cancel_call();
    }
}

void StreamRunner::abort(Status error) {
    const Lock lock(mutex_);
    session_.fail(std::move(error));
    cancel_call();
}

/// Waits for a change. Returns whether the caller's deadline has expired.
bool StreamRunner::is_waiting_over(Lock& lock, TimePoint deadline) {
    const Secs wait = session_.secs_to_timeout();
    if (wait <= Secs::zero()) {
        session_.time_out();
        cancel_call();
        return false;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
        return true;
    }
    changed_.wait_until(lock, std::min(deadline, deadline_after(wait)));
    return false;
}

void StreamRunner::cancel_call() {
    if (call_) {
        call_->cancel();
    }
    changed_.notify_all();
}

void StreamRunner::make_calls() {
    while (const auto delay = make_call()) {
        if (!session_.pause_error().ok()) {  // only this thread changes it
            wait_.begin(session_.pause_error(), *delay);
        }
        const auto end = deadline_after(*delay);
        Lock lock(mutex_);
        changed_.wait_until(lock, end, [this] { return session_.is_finished(); });
    }
    wait_.end();
}

/// Makes one call and reads it to its end. Returns the delay before the next, if any.
std::optional<Secs> StreamRunner::make_call() {
    StreamCall* call = nullptr;
    std::uint64_t call_number = 0;
    {
        const Lock lock(mutex_);
        if (session_.is_finished()) {
            return std::nullopt;
        }
        call_ = open_call_();
        call = call_.get();
        call_number = session_.open_call();
        is_read_to_end_ = false;
    }
    Status status = carry(*call, call_number);
    std::unique_ptr<StreamCall> ended;  // destroyed without the mutex
    const Lock lock(mutex_);
    ended = std::move(call_);
    const auto delay = session_.end_call(std::move(status));
    changed_.notify_all();
    return delay;
}

Status StreamRunner::carry(StreamCall& call, std::uint64_t call_number) {
    v1::StreamPosesRequest first;
    {
        const Lock lock(mutex_);
        *first.mutable_config() = session_.config();
    }
    if (call.write(first)) {
        std::thread writer([&] { write_frames(call, call_number); });
        read_to_end(call);
        writer.join();
    } else {
        read_to_end(call);
    }
    return call.finish();
}

/// Processes all responses, then wakes the writer of the call.
void StreamRunner::read_to_end(StreamCall& call) {
    v1::StreamPosesResponse response;
    while (call.read(response)) {
        {
            const Lock lock(mutex_);
            if (const Status error = session_.receive(std::move(response)); !error.ok()) {
                session_.fail(error);
                cancel_call();
            }
            changed_.notify_all();
        }
        wait_.end();
        response.Clear();
    }
    const Lock lock(mutex_);
    is_read_to_end_ = true;
    changed_.notify_all();
}

void StreamRunner::write_frames(StreamCall& call, std::uint64_t call_number) {
    while (const auto request = wait_for_request(call_number)) {
        if (!call.write(*request)) {
            return;
        }
    }
    call.half_close();
}

/// Returns the next frame to send on that call, or null after the last one.
std::shared_ptr<const v1::StreamPosesRequest> StreamRunner::wait_for_request(
    std::uint64_t call_number) {
    Lock lock(mutex_);
    while (!is_read_to_end_ && !session_.should_half_close(call_number)) {
        const bool was_put_ready = session_.is_put_ready();
        const bool was_take_ready = session_.is_take_ready();
        auto request = session_.next_request();
        // It may also have settled frames, which changes both.
        if (session_.is_put_ready() != was_put_ready ||
            session_.is_take_ready() != was_take_ready) {
            changed_.notify_all();
        }
        if (request) {
            return request;
        }
        if (session_.should_half_close(call_number)) {
            break;  // it has settled the last frame
        }
        changed_.wait(lock);
    }
    return nullptr;
}

}  // namespace posewire::client::internal
