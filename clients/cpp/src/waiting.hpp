#pragma once

#include <algorithm>
#include <chrono>

#include "posewire/client/status.hpp"

namespace posewire::client::internal {

/// Longer than any program runs, and short enough to add to the time of any clock.
inline constexpr Secs kLongestWait{10.0 * 365 * 24 * 3600};

/// Returns the time after a delay, which may be infinite.
inline std::chrono::steady_clock::time_point deadline_after(Secs delay) {
    using std::chrono::steady_clock;
    const Secs bounded = std::clamp(delay, Secs::zero(), kLongestWait);
    return steady_clock::now() + std::chrono::ceil<steady_clock::duration>(bounded);
}

}  // namespace posewire::client::internal
