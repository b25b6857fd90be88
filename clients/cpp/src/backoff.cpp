#include "backoff.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "text.hpp"

namespace posewire::client::internal {

namespace {

// From the contract: the comment of PoseService on retries.
constexpr Secs kInitialDelay{0.2};
constexpr Secs kMaxDelay{10.0};
constexpr int kMaxDoublings = 6;  // more than it takes to reach kMaxDelay

Status invalid_option(std::string message) {
    ErrorDetails details;
    details.reason = reason::kOptionInvalid;
    return Status(StatusCode::kInvalidArgument, std::move(message), std::move(details));
}

}  // namespace

Secs steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

double draw_uniformly() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>{}(generator);
}

Backoff::Backoff(Secs retry_for, std::function<double()> draw, Clock clock)
    : retry_for_(retry_for), draw_(std::move(draw)), clock_(std::move(clock)) {}

void Backoff::reset() {
    failures_ = 0;
    failing_since_.reset();
}

void Backoff::extend() { failing_since_.reset(); }

std::optional<Secs> Backoff::next_delay(std::optional<Secs> retry_after) {
    const Secs now = clock_();
    if (!failing_since_) {
        failing_since_ = now;
    }
    const Secs longest = kInitialDelay * std::ldexp(1.0, std::min(failures_, kMaxDoublings));
    failures_ = std::min(failures_ + 1, kMaxDoublings);
    const Secs remaining = *failing_since_ + retry_for_ - now;
    const Secs shortest = retry_after.value_or(Secs::zero());
    if (remaining <= Secs::zero() || shortest > remaining) {
        return std::nullopt;
    }
    const Secs drawn = draw_() * std::min(longest, kMaxDelay);
    return std::min(std::max(drawn, shortest), remaining);
}

Attempts::Attempts(Backoff backoff, Secs timeout, Clock clock)
    : backoff_(std::move(backoff)), clock_(std::move(clock)), deadline_(clock_() + timeout) {}

Secs Attempts::remaining() const { return std::max(deadline_ - clock_(), Secs::zero()); }

std::optional<Secs> Attempts::delay_after(const Status& error) {
    if (!is_transient(error)) {
        return std::nullopt;
    }
    const auto delay = backoff_.next_delay(error.retry_after());
    return delay && *delay < remaining() ? delay : std::nullopt;
}

bool is_transient(const Status& error) {
    switch (error.code()) {
        case StatusCode::kResourceExhausted:
            return error.retry_after().has_value();
        case StatusCode::kUnavailable:
        case StatusCode::kCancelled:
            return true;
        default:
            return false;
    }
}

bool may_reopen(const Status& error) {
    return is_transient(error) ||
           (error.code() == StatusCode::kInternal && !error.is_from_server());
}

Status check_times(Secs timeout, Secs retry_for) {
    // By numbers: std::chrono takes NaN for at least 0.
    if (!(timeout.count() > 0) || std::isinf(timeout.count())) {
        return invalid_option("timeout is " + text(timeout) + "; must be positive and finite");
    }
    if (!(retry_for.count() >= 0)) {
        return invalid_option("retry_for is " + text(retry_for) +
                              "; must be at least 0, or kForever");
    }
    return Status();
}

}  // namespace posewire::client::internal
