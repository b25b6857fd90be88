#pragma once

#include <functional>
#include <optional>

#include "posewire/client/status.hpp"

namespace posewire::client::internal {

/// The time on a monotonic clock.
using Clock = std::function<Secs()>;

/// Returns the time of std::chrono::steady_clock.
Secs steady_now();

/// Returns a random number in [0, 1). Thread-safe.
double draw_uniformly();

/// Exponential backoff with jitter over consecutive failures. It gives up `retry_for` after the
/// first of them; kForever means never.
class Backoff {
public:
    explicit Backoff(Secs retry_for, std::function<double()> draw = draw_uniformly,
                     Clock clock = steady_now);

    /// Whether there was no failure since the start or the last reset.
    bool is_fresh() const { return failures_ == 0; }

    /// Records a success: the next delay is the initial one again.
    void reset();

    /// Counts `retry_for` from the next failure on, but keeps the length of the delays.
    void extend();

    /// Records a failure. Returns the delay before the next attempt, or nothing if time is up. The
    /// last attempt is made at the end of the time.
    std::optional<Secs> next_delay(std::optional<Secs> retry_after = std::nullopt);

private:
    Secs retry_for_;
    std::function<double()> draw_;
    Clock clock_;
    int failures_ = 0;
    std::optional<Secs> failing_since_;
};

/// The attempts of one unary call, which share one deadline.
class Attempts {
public:
    Attempts(Backoff backoff, Secs timeout, Clock clock = steady_now);

    /// Returns the timeout for the next attempt.
    Secs remaining() const;

    /// Returns the delay before the next attempt, or nothing if `error` is final.
    std::optional<Secs> delay_after(const Status& error);

private:
    Backoff backoff_;
    Clock clock_;
    Secs deadline_;
};

/// Whether the same request may succeed after a delay. A call that reaches a server as it stops may
/// end with CANCELLED. After cancelling a call on this side, do not ask.
bool is_transient(const Status& error);

/// Whether a stream that ended with this error may be reopened. A proxy or a gRPC library reports a
/// reset stream, for example after a server crash, as INTERNAL without posewire's ErrorInfo.
bool may_reopen(const Status& error);

/// Returns what is wrong with these values of Options, or OK.
Status check_times(Secs timeout, Secs retry_for);

}  // namespace posewire::client::internal
