#pragma once

#include <algorithm>

#include "heat.hpp"
#include "posewire/options.hpp"

namespace posewire {

/// A displacement in cells.
struct Offset {
    float x = 0.0F;
    float y = 0.0F;
};

/// A quarter of a cell towards the greater of two neighbours.
inline float quarter(float before, float after) {
    if (after > before) return 0.25F;
    return after < before ? -0.25F : 0.0F;
}

/// Vertex of the parabola through the three values, at most half a cell away.
inline float parabola(float before, float here, float after) {
    const float curvature = before - 2.0F * here + after;
    if (!(curvature < 0.0F)) return quarter(before, after);  // no vertex that is a maximum
    return std::clamp(0.5F * (before - after) / curvature, -0.5F, 0.5F);
}

/// Sub-cell offset of a keypoint at cell (x, y) from the heat of its four neighbours. It is 0 on an
/// axis where the cell has only one.
inline Offset adjust(const Heat& heat, int x, int y, Adjust method) {
    const float here = heat(x, y);
    const auto along = [&](float before, float after) {
        return method == Adjust::kQuarter ? quarter(before, after) : parabola(before, here, after);
    };
    Offset offset;
    if (0 < x && x < heat.width() - 1) offset.x = along(heat(x - 1, y), heat(x + 1, y));
    if (0 < y && y < heat.height() - 1) offset.y = along(heat(x, y - 1), heat(x, y + 1));
    return offset;
}

}  // namespace posewire
