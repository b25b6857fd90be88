#pragma once

#include <cmath>
#include <limits>

namespace posewire {

// Thresholds are doubles, heat and tags floats. Comparing with these floats has the same results.

/// The greatest float not above a threshold: a float exceeds both or neither.
inline float floor_to_float(double threshold) {
    const auto nearest = static_cast<float>(threshold);
    return static_cast<double>(nearest) > threshold
               ? std::nextafter(nearest, -std::numeric_limits<float>::infinity())
               : nearest;
}

/// The least float not below a threshold: a float is below both or neither.
inline float ceil_to_float(double threshold) { return -floor_to_float(-threshold); }

}  // namespace posewire
