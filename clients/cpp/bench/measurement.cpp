#include "measurement.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

namespace posewire::bench {

namespace {

using client::Secs;
using client::Status;
using client::StatusCode;
using client::StatusOr;
using std::chrono::steady_clock;

/// The times at which the frames in flight were sent.
class Starts {
public:
    explicit Starts(int window) : window_(static_cast<std::size_t>(window)) {}

    /// Waits for a place in the window. Returns false after the receiver has ended.
    bool push() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return is_stopped_ || starts_.size() < window_; });
        starts_.push(steady_clock::now());
        return !is_stopped_;
    }

    /// Returns the time since the oldest frame in flight was sent, and frees its place.
    Secs pop() {
        const auto now = steady_clock::now();
        const std::lock_guard lock(mutex_);
        const Secs trip = now - starts_.front();
        starts_.pop();
        changed_.notify_one();
        return trip;
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
        changed_.notify_one();
    }

private:
    const std::size_t window_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::queue<steady_clock::time_point> starts_;
    bool is_stopped_ = false;
};

/// Returns the error of a frame that could not be sent.
Status send_frames(const Plan& plan, Call& call, Starts& starts) {
    const auto interval =
        std::chrono::duration_cast<steady_clock::duration>(Secs(plan.rate > 0 ? 1 / plan.rate : 0));
    Status status;
    auto due = steady_clock::now();
    for (int i = 0; i < plan.warm_up + plan.frames && status.ok(); ++i) {
        due = std::max(due, steady_clock::now() - interval) + interval;
        std::this_thread::sleep_until(due);
        if (!starts.push()) {
            break;
        }
        status = call.send();
    }
    call.close_send();
    return status;
}

/// The times of the measured frames.
struct Times {
    std::vector<double> trips_millis;
    std::vector<double> beyond_server_millis;
    double cpu_secs = 0;
    Secs elapsed{0};
};

double millis(Secs secs) { return 1000 * secs.count(); }

/// Returns the CPU time of this process.
double cpu_secs() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

StatusOr<Times> receive_outcomes(const Plan& plan, Call& call, Starts& starts) {
    Times times;
    double cpu_began = cpu_secs();
    auto began = steady_clock::now();
    for (int i = 0; i < plan.warm_up + plan.frames; ++i) {
        if (i == plan.warm_up) {
            cpu_began = cpu_secs();
            began = steady_clock::now();
        }
        const auto server_time = call.receive();
        if (!server_time) {
            return server_time.status();
        }
        if (!*server_time) {
            return Status(StatusCode::kUnknown, "the stream ended before its last outcome");
        }
        const Secs trip = starts.pop();
        if (i >= plan.warm_up) {
            times.trips_millis.push_back(millis(trip));
            times.beyond_server_millis.push_back(millis(trip - **server_time));
        }
    }
    times.cpu_secs = cpu_secs() - cpu_began;
    times.elapsed = steady_clock::now() - began;
    return times;
}

/// Returns the time that `percent` of the times do not exceed.
double percentile(std::vector<double> times, int percent) {
    std::sort(times.begin(), times.end());
    const std::size_t rank = (times.size() * static_cast<std::size_t>(percent) + 99) / 100;
    return times[rank - 1];
}

Measurement summarize(const Times& times) {
    Measurement found;
    const auto count = static_cast<double>(times.trips_millis.size());
    found.frames = static_cast<int>(times.trips_millis.size());
    found.p50_millis = percentile(times.trips_millis, 50);
    found.p90_millis = percentile(times.trips_millis, 90);
    found.p99_millis = percentile(times.trips_millis, 99);
    found.beyond_server_p50_millis = percentile(times.beyond_server_millis, 50);
    found.cpu_millis_per_frame = 1000 * times.cpu_secs / count;
    found.frames_per_sec = count / times.elapsed.count();
    return found;
}

}  // namespace

Status Plan::check() const {
    const auto is_in = [](double value, double low) { return low <= value && value <= kMaxFrames; };
    if (is_in(frames, 1) && is_in(warm_up, 0) && is_in(window, 1) &&
        (rate == 0 || is_in(rate, 1))) {
        return Status();
    }
    return Status(StatusCode::kInvalidArgument,
                  "expected --frames and --window from 1, --warm-up from 0 and --rate 0 or from 1, "
                  "all up to " +
                      std::to_string(kMaxFrames));
}

StatusOr<Measurement> measure(const Plan& plan, Call& call) {
    Starts starts(plan.window);
    Status sent;
    std::thread sender([&] { sent = send_frames(plan, call, starts); });
    const StatusOr<Times> times = receive_outcomes(plan, call, starts);
    starts.stop();
    sender.join();
    if (!sent.ok()) {
        return sent;
    }
    return times ? StatusOr(summarize(*times)) : times.status();
}

std::string Measurement::to_text() const {
    char text[200];
    std::snprintf(text, sizeof text,
                  "%d frames, p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, CPU %.3f ms/frame, "
                  "%.1f frames/s",
                  frames, p50_millis, p90_millis, p99_millis, cpu_millis_per_frame, frames_per_sec);
    return text;
}

std::string Measurement::to_json() const {
    char text[400];
    std::snprintf(text, sizeof text,
                  R"({"frames":%d,"p50_millis":%.6f,"p90_millis":%.6f,"p99_millis":%.6f,)"
                  R"("cpu_millis_per_frame":%.6f,"frames_per_sec":%.6f)",
                  frames, p50_millis, p90_millis, p99_millis, cpu_millis_per_frame, frames_per_sec);
    std::string json = text;
    if (beyond_server_p50_millis) {
        std::snprintf(text, sizeof text, R"(,"beyond_server_p50_millis":%.6f)",
                      *beyond_server_p50_millis);
        json += text;
    }
    return json + "}";
}

}  // namespace posewire::bench
