#include "wait_reporter.hpp"

#include <utility>

namespace posewire::client::internal {

WaitReporter::WaitReporter(OnWait on_wait, Clock clock)
    : on_wait_(std::move(on_wait)), clock_(std::move(clock)) {}

void WaitReporter::begin(const CallWait& call, const Status& error, Secs delay) {
    Lock lock(mutex_);
    const Secs now = clock_();
    if (calls_.empty()) {
        since_ = now;
    }
    calls_.insert(&call);
    report(lock, Waiting{error, now - since_, delay});
}

void WaitReporter::end(const CallWait& call) {
    Lock lock(mutex_);
    calls_.erase(&call);
    if (calls_.empty()) {
        report(lock, std::nullopt);
    }
}

/// Calls on_wait without the lock, so that it may use the client. While it runs, a report replaces
/// the one that is next.
void WaitReporter::report(Lock& lock, std::optional<Waiting> waiting) {
    next_ = std::move(waiting);
    if (is_reporting_ || !on_wait_) {
        return;
    }
    is_reporting_ = true;
    while (next_) {
        const std::optional<Waiting> current = *std::exchange(next_, std::nullopt);
        lock.unlock();
        on_wait_(current);
        lock.lock();
    }
    is_reporting_ = false;
}

void CallWait::begin(const Status& error, Secs delay) {
    is_waiting_ = true;
    reporter_->begin(*this, error, delay);
}

void CallWait::end() {
    if (is_waiting_) {
        is_waiting_ = false;
        reporter_->end(*this);
    }
}

}  // namespace posewire::client::internal
