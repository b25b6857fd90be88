#include "adjust.hpp"

#include <algorithm>

namespace posewire {
namespace {

float quarter(float before, float after) {
    if (after > before) return 0.25F;
    return after < before ? -0.25F : 0.0F;
}

/// Vertex of the parabola through the three values, at most half a cell away.
float parabola(float before, float here, float after) {
    const float curvature = before - 2.0F * here + after;
    if (!(curvature < 0.0F)) return quarter(before, after);  // no summit here
    return std::clamp(0.5F * (before - after) / curvature, -0.5F, 0.5F);
}

float offset(Adjust method, float before, float here, float after) {
    return method == Adjust::kQuarter ? quarter(before, after) : parabola(before, here, after);
}

bool between(int first, int value, int last) { return first <= value && value <= last; }

}  // namespace

Offset adjust(const Heat& heat, int x, int y, const DecoderOptions& options) {
    const int first = options.reference ? 2 : 1;
    const bool x_inside = between(first, x, heat.width() - 2);
    const bool y_inside = between(first, y, heat.height() - 2);
    if (options.reference && !(x_inside && y_inside)) return {};
    const float here = heat(x, y);
    Offset result;
    if (x_inside) result.x = offset(options.adjust, heat(x - 1, y), here, heat(x + 1, y));
    if (y_inside) result.y = offset(options.adjust, heat(x, y - 1), here, heat(x, y + 1));
    return result;
}

}  // namespace posewire
