/// One logical stream of frames, carried by as many calls as it takes.
///
/// The session does no I/O and has no lock. A transport reports events to it (a frame, a response,
/// the end of a call) and asks it what to send, what to yield, when to call again, and how long to
/// wait for the server. Frames keep their place and their number across calls, so outcomes arrive
/// in the order of the frames. States and names are those of posewire_client.session in Python.
///
/// However slow the caller is, the session holds at most a window of frames that are in flight or
/// whose outcome has not been taken, and one that waits to be sent.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "backoff.hpp"
#include "pending_frames.hpp"
#include "posewire/client/outcome.hpp"
#include "posewire/client/status.hpp"
#include "posewire/v1/pose_service.pb.h"

namespace posewire::client::internal {

/// Takes frames and yields outcomes, over one call at a time.
class StreamSession {
public:
    StreamSession(v1::StreamConfig config, Backoff backoff, Secs timeout, Clock clock = steady_now);

    /// The config of the next call, with the newest resume token that the server sent.
    const v1::StreamConfig& config() const { return config_; }

    // Frames from the caller

    /// Whether to read the next frame from the caller. At most one frame waits to be sent. With
    /// LATEST the newest frame replaces it; a lossless session lets the caller wait.
    bool is_put_ready() const;

    /// Adds the caller's next frame, whose `frame_id` it sets.
    void put(v1::StreamPosesRequest request);

    /// Records that there are no more frames. `take` returns the error after all outcomes.
    void finish_source(Status error = {});
    bool is_source_finished() const { return is_source_finished_; }

    // The call

    /// Starts a new call and returns its number.
    std::uint64_t open_call();

    /// Whether the server has started the stream of the current call.
    bool is_started() const { return window_ > 0; }

    /// Whether that call has ended or is to be abandoned.
    bool is_call_finished(std::uint64_t call_number) const;

    /// Whether that call has nothing more to send.
    bool should_half_close(std::uint64_t call_number) const;

    /// Returns the frame to send now; null if there is none or the window is full.
    std::shared_ptr<const v1::StreamPosesRequest> next_request();

    /// Processes a response. An error says how it breaks the contract: the transport then cancels
    /// the call and fails the session with it.
    Status receive(v1::StreamPosesResponse response);

    /// Records the end of the call. Returns the delay before the next call, or nothing if the
    /// session is finished.
    std::optional<Secs> end_call(Status status);

    /// Returns why there is a pause after the last call. OK: the server has drained it.
    const Status& pause_error() const { return pause_error_; }

    /// How long to wait for the server before `time_out`. While nothing is due, the whole time. So
    /// a transport that waits this long and asks again never misses the timeout.
    Secs secs_to_timeout() const;

    /// Records that the server was silent for too long. The transport then cancels the call. This
    /// finishes the session, but not if it was reopening a stream: it tries that again.
    void time_out();

    /// Whether `time_out` was reported for the current call.
    bool has_timed_out() const { return timeout_error_.has_value(); }

    /// Finishes the session. `take` returns the error after the outcomes that have arrived.
    void fail(Status error);

    /// Finishes the session on behalf of the caller.
    void close() { is_finished_ = true; }

    // Outcomes to the caller

    /// Whether there are no more calls to make. Outcomes may be left to take.
    bool is_finished() const { return is_finished_; }

    /// Returns the error that finished the session or the source of frames, or OK.
    const Status& error() const { return error_.ok() ? source_error_ : error_; }

    /// Whether `take` has an outcome, an error or the end of the stream to report.
    bool is_take_ready() const { return is_finished_ || frames_.is_take_ready(); }

    /// Returns the next outcome in order, or nothing if there is none. After the last outcome,
    /// returns the error that finished the session or the source of frames.
    StatusOr<std::optional<Outcome>> take();

private:
    bool is_waiting() const;
    void begin_wait();
    Status start(const v1::StreamStarted& started);
    Status record_outcome(v1::FrameOutcome outcome);
    void keep_token(const std::string& token);
    std::optional<Secs> delay_before_reopening(const Status& status, bool was_draining,
                                               bool was_idle);

    v1::StreamConfig config_;
    bool is_latest_;
    Backoff backoff_;
    Secs timeout_;
    Clock clock_;
    PendingFrames frames_;
    std::string model_name_;
    bool was_ever_started_ = false;
    bool is_source_finished_ = false;
    Status source_error_;
    bool is_finished_ = false;
    Status error_;
    Status pause_error_;
    // State of the current call:
    std::uint64_t call_number_ = 0;
    bool is_call_open_ = false;
    Secs waiting_since_{0};  // the last response, or when one became due
    std::optional<Status> timeout_error_;
    std::size_t window_ = 0;  // 0 until the server has started the stream
    std::size_t max_image_bytes_ = 0;
    bool is_draining_ = false;
    bool had_outcome_ = false;
};

}  // namespace posewire::client::internal
