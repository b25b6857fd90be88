#pragma once

#include <algorithm>

namespace posewire {

/// A rectangle of cells: x in [left, right), y in [top, bottom).
struct Window {
    int left, top, right, bottom;

    int width() const { return right - left; }
    int height() const { return bottom - top; }
    int longer_side() const { return std::max(width(), height()); }

    /// Greatest distance on x or y of a cell of the other window from this one; 0 if it is inside.
    int greatest_distance(const Window& other) const {
        return std::max(
            {left - other.left, other.right - right, top - other.top, other.bottom - bottom, 0});
    }
    /// The same for the nearest cell of the other window.
    int least_distance(const Window& other) const {
        return std::max({left - other.right + 1, other.left - right + 1, top - other.bottom + 1,
                         other.top - bottom + 1, 0});
    }

    void include(int x, int y) {
        left = std::min(left, x);
        top = std::min(top, y);
        right = std::max(right, x + 1);
        bottom = std::max(bottom, y + 1);
    }
};

inline Window intersection(const Window& a, const Window& b) {
    return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
            std::min(a.bottom, b.bottom)};
}

}  // namespace posewire
