#include "session.hpp"

#include <algorithm>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "rpc_status.hpp"
#include "text.hpp"

namespace posewire::client::internal {

namespace {

constexpr Secs kIdleDelay{10};  // the longest delay of a backoff

Status protocol_error(std::string message) {
    ErrorDetails details;
    details.reason = reason::kProtocol;
    return Status(StatusCode::kInternal, std::move(message), std::move(details));
}

bool is_skipped_as_draining(const v1::FrameOutcome& outcome) {
    return outcome.has_skipped() && outcome.skipped().reason() == v1::SKIP_REASON_DRAINING;
}

std::size_t image_bytes(const v1::Image& image) {
    return image.has_raw() ? image.raw().data().size() : image.encoded().data().size();
}

v1::FrameOutcome too_large(const PendingFrame& frame, std::size_t bytes, std::size_t limit) {
    google::rpc::ErrorInfo info;
    info.set_domain(kDomain);
    info.set_reason("IMAGE_TOO_LARGE");
    (*info.mutable_metadata())["max_image_bytes"] = std::to_string(limit);
    v1::FrameOutcome outcome;
    outcome.set_frame_id(frame.frame_id);
    google::rpc::Status& status = *outcome.mutable_error()->mutable_status();
    status.set_code(static_cast<int>(StatusCode::kInvalidArgument));
    status.set_message("the image has " + std::to_string(bytes) +
                       " bytes; the server takes at most " + std::to_string(limit));
    status.add_details()->PackFrom(info);
    return outcome;
}

}  // namespace

StreamSession::StreamSession(v1::StreamConfig config, Backoff backoff, Secs timeout, Clock clock)
    : config_(std::move(config)),
      is_latest_(config_.delivery_policy() == v1::DELIVERY_POLICY_LATEST),
      backoff_(std::move(backoff)),
      timeout_(timeout),
      clock_(std::move(clock)),
      frames_(is_latest_) {}

bool StreamSession::is_put_ready() const {
    return !is_finished_ && (is_latest_ || frames_.to_send().empty());
}

void StreamSession::put(v1::StreamPosesRequest request) { frames_.put(std::move(request)); }

void StreamSession::finish_source(Status error) {
    begin_wait();
    is_source_finished_ = true;
    source_error_ = std::move(error);
}

std::uint64_t StreamSession::open_call() {
    ++call_number_;
    window_ = 0;
    is_draining_ = false;
    had_outcome_ = false;
    timeout_error_.reset();
    is_call_open_ = true;
    waiting_since_ = clock_();
    return call_number_;
}

bool StreamSession::is_call_finished(std::uint64_t call_number) const {
    return is_finished_ || call_number != call_number_;
}

bool StreamSession::should_half_close(std::uint64_t call_number) const {
    if (is_call_finished(call_number) || is_draining_) {
        return true;
    }
    return is_started() && is_source_finished_ && frames_.to_send().empty();
}

std::shared_ptr<const v1::StreamPosesRequest> StreamSession::next_request() {
    while (auto frame = frames_.next_to_send(window_)) {
        const std::size_t bytes = image_bytes(frame->request->frame().image());
        if (max_image_bytes_ > 0 && bytes > max_image_bytes_) {
            // Fail it here: the server would reject it, and could end the whole call.
            frame->settle(too_large(*frame, bytes, max_image_bytes_));
            continue;
        }
        begin_wait();
        auto request = frame->request;
        frames_.in_flight().push_back(std::move(frame));
        return request;
    }
    return nullptr;
}

Status StreamSession::receive(v1::StreamPosesResponse response) {
    waiting_since_ = clock_();
    const auto event = response.event_case();
    if (event == v1::StreamPosesResponse::kStarted) {
        return start(response.started());
    }
    if (event != v1::StreamPosesResponse::EVENT_NOT_SET && !is_started()) {
        const char* name = event == v1::StreamPosesResponse::kOutcome ? "outcome" : "draining";
        return protocol_error(std::string("the server sent '") + name +
                              "' before it started the stream");
    }
    if (event == v1::StreamPosesResponse::kOutcome) {
        return record_outcome(std::move(*response.mutable_outcome()));
    }
    if (event == v1::StreamPosesResponse::kDraining) {
        is_draining_ = true;
        keep_token(response.draining().resume_token());
    }
    return Status();
}

std::optional<Secs> StreamSession::end_call(Status status) {
    const bool was_draining = is_draining_;
    is_call_open_ = false;
    ++call_number_;  // so that nothing more is sent on the old call
    frames_.requeue();
    const bool was_idle = is_started() && !frames_.is_send_ready(window_);
    window_ = 0;
    if (is_finished_) {
        return std::nullopt;
    }
    if (timeout_error_) {
        status = *timeout_error_;
    } else if (!status.ok() && !may_reopen(status)) {
        fail(std::move(status));
        return std::nullopt;
    }
    pause_error_ = status;
    if (is_source_finished_ && frames_.to_send().empty()) {
        is_finished_ = true;
        return std::nullopt;
    }
    if (status.ok() && !was_draining) {
        fail(protocol_error("the server ended the stream with OK before its last frame"));
        return std::nullopt;
    }
    if (was_idle) {
        backoff_.extend();  // nothing says that it did not work
    }
    return delay_before_reopening(status, was_draining, was_idle);
}

Secs StreamSession::secs_to_timeout() const {
    return is_waiting() ? waiting_since_ + timeout_ - clock_() : timeout_;
}

void StreamSession::time_out() {
    const char* what = is_started() ? "sent nothing" : "started no stream";
    timeout_error_ = Status(StatusCode::kDeadlineExceeded,
                            std::string("the server ") + what + " within " + text(timeout_));
    if (is_started() || !was_ever_started_) {
        fail(*timeout_error_);
    }
}

void StreamSession::fail(Status error) {
    if (!is_finished_) {
        is_finished_ = true;
        error_ = std::move(error);
    }
}

StatusOr<std::optional<Outcome>> StreamSession::take() {
    if (auto outcome = frames_.take(model_name_)) {
        return outcome;
    }
    if (is_finished_ && !error().ok()) {
        return error();
    }
    return std::optional<Outcome>();
}

/// Whether a response or the end of the call is due.
bool StreamSession::is_waiting() const {
    if (!is_call_open_ || has_timed_out()) {
        return false;
    }
    return !is_started() || !frames_.in_flight().empty() || should_half_close(call_number_);
}

/// Starts the timeout, unless it is running.
void StreamSession::begin_wait() {
    if (!is_waiting()) {
        waiting_since_ = clock_();
    }
}

Status StreamSession::start(const v1::StreamStarted& started) {
    if (is_started()) {
        return protocol_error("the server started the stream twice");
    }
    if (started.max_frames_in_flight() < 1) {
        return protocol_error("the server started the stream with a window of 0 frames");
    }
    was_ever_started_ = true;
    window_ = started.max_frames_in_flight();
    if (config_.has_max_frames_in_flight()) {
        window_ = std::min<std::size_t>(window_, config_.max_frames_in_flight());
    }
    max_image_bytes_ = started.max_image_bytes();
    model_name_ = started.model().name();
    return Status();
}

Status StreamSession::record_outcome(v1::FrameOutcome outcome) {
    auto& in_flight = frames_.in_flight();
    if (in_flight.empty() || in_flight.front()->frame_id != outcome.frame_id()) {
        const std::string oldest =
            in_flight.empty() ? "none" : std::to_string(in_flight.front()->frame_id);
        return protocol_error("the server answered frame " + std::to_string(outcome.frame_id()) +
                              ", but the oldest frame without an outcome is " + oldest);
    }
    keep_token(outcome.resume_token());
    const auto frame = std::move(in_flight.front());
    in_flight.pop_front();
    const bool is_drained = is_skipped_as_draining(outcome);
    if (!is_latest_ && is_drained) {
        return Status();  // without an outcome the frame is sent again
    }
    frame->settle(std::move(outcome));
    had_outcome_ = had_outcome_ || !is_drained;
    return Status();
}

void StreamSession::keep_token(const std::string& token) {
    if (!token.empty()) {
        config_.set_resume_token(token);
    }
}

std::optional<Secs> StreamSession::delay_before_reopening(const Status& status, bool was_draining,
                                                          bool was_idle) {
    if (had_outcome_) {
        backoff_.reset();
    }
    const bool is_immediate = was_draining && backoff_.is_fresh();
    const auto delay = backoff_.next_delay(status.retry_after());
    if (is_immediate) {
        return Secs::zero();
    }
    if (!delay && status.ok() && was_idle) {
        return kIdleDelay;  // an idle stream that the server drains for its age, repeatedly
    }
    if (!delay) {
        fail(status.ok()
                 ? Status(StatusCode::kUnavailable, "every stream was drained before any outcome")
                 : status);
    }
    return delay;
}

}  // namespace posewire::client::internal
