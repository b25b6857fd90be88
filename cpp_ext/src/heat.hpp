#pragma once

#include <cmath>
#include <cstddef>

#include "kernels.hpp"
#include "posewire/options.hpp"

namespace posewire {

/// Reads one heatmap plane as heat: never negative, and 0 where the tensor holds NaN or infinity.
class Heat {
public:
    Heat(const float* plane, int height, int width, Nms nms)
        : plane_(plane), height_(height), width_(width), nms_(nms) {}

    int height() const { return height_; }
    int width() const { return width_; }
    Nms nms() const { return nms_; }
    std::size_t stride() const { return static_cast<std::size_t>(width_); }
    const float* row(int y) const { return plane_ + index(0, y); }
    Pattern mask() const { return nms_ == Nms::kGraph ? kSignedHeat : kUnsignedHeat; }

    std::size_t index(int x, int y) const {
        return static_cast<std::size_t>(y) * stride() + static_cast<std::size_t>(x);
    }

    float operator()(int x, int y) const { return (*this)(index(x, y)); }

    float operator()(std::size_t cell) const {
        const float value = plane_[cell];
        if (!std::isfinite(value)) return 0.0F;
        // A signed map holds the negated heat in cells that the network's NMS suppressed.
        if (nms_ == Nms::kGraph) return std::fabs(value);
        return value > 0.0F ? value : 0.0F;
    }

    /// The heat of a cell that the network's NMS kept; 0 for all others.
    float unsuppressed(std::size_t cell) const {
        const float value = plane_[cell];
        return value > 0.0F && std::isfinite(value) ? value : 0.0F;
    }

private:
    const float* plane_;
    int height_;
    int width_;
    Nms nms_;
};

/// A cell and its heat.
struct Cell {
    int x;
    int y;
    float heat;
};

}  // namespace posewire
