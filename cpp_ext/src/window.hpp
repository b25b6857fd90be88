#pragma once

#include <algorithm>

namespace posewire {

/// A rectangle of cells: x in [left, right), y in [top, bottom).
struct Window {
    int left, top, right, bottom;

    int width() const { return right - left; }
    int height() const { return bottom - top; }
    int longer_side() const { return std::max(width(), height()); }

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
