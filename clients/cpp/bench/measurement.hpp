#pragma once

#include <optional>
#include <string>

#include "posewire/client/status.hpp"

namespace posewire::bench {

/// Bounds the memory for the times.
inline constexpr int kMaxFrames = 1'000'000;

/// What to measure.
struct Plan {
    int frames = 200;
    int warm_up = 20;
    int window = 1;
    /// Frames per second; 0: as fast as the window allows.
    double rate = 0;

    /// Returns what is wrong with it.
    client::Status check() const;
};

/// What one stream took.
struct Measurement {
    int frames = 0;
    double p50_millis = 0;
    double p90_millis = 0;
    double p99_millis = 0;
    /// Without the server's own time, if that is known.
    std::optional<double> beyond_server_p50_millis;
    double cpu_millis_per_frame = 0;
    double frames_per_sec = 0;

    std::string to_text() const;
    std::string to_json() const;
};

/// A stream to measure. One thread sends and another receives.
class Call {
public:
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    virtual ~Call() = default;

    virtual client::Status send() = 0;
    virtual void close_send() = 0;

    /// Waits for the outcome of one frame. Returns the server's own time for it, 0 if unknown, or
    /// nothing if the stream has ended.
    virtual client::StatusOr<std::optional<client::Secs>> receive() = 0;
};

/// Sends the frames of the plan, at most a window of them ahead of their outcomes.
client::StatusOr<Measurement> measure(const Plan& plan, Call& call);

}  // namespace posewire::bench
