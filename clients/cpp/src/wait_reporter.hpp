#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "backoff.hpp"
#include "posewire/client/options.hpp"

namespace posewire::client::internal {

class CallWait;

/// Joins the pauses of all calls of a client into one report. Thread-safe.
class WaitReporter {
public:
    explicit WaitReporter(OnWait on_wait, Clock clock = steady_now);

private:
    friend class CallWait;
    using Lock = std::unique_lock<std::mutex>;

    void begin(const CallWait& call, const Status& error, Secs delay);
    void end(const CallWait& call);
    void report(Lock& lock, std::optional<Waiting> waiting);

    const OnWait on_wait_;
    const Clock clock_;
    std::mutex mutex_;
    std::set<const CallWait*> calls_;  // that wait
    Secs since_{0};
    std::optional<std::optional<Waiting>> next_;
    bool is_reporting_ = false;
};

/// The pauses of one call or stream, which one thread records.
class CallWait {
public:
    explicit CallWait(std::shared_ptr<WaitReporter> reporter) : reporter_(std::move(reporter)) {}
    CallWait(const CallWait&) = delete;
    CallWait& operator=(const CallWait&) = delete;
    ~CallWait() { end(); }

    /// Records a pause before the next attempt.
    void begin(const Status& error, Secs delay);

    /// Records that the server has answered, or that there is no further attempt.
    void end();

private:
    const std::shared_ptr<WaitReporter> reporter_;
    bool is_waiting_ = false;
};

}  // namespace posewire::client::internal
