#include "peaks.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "kernels.hpp"
#include "threshold.hpp"
#include "window.hpp"

namespace posewire {
namespace {

constexpr int kNmsReach = 2;  // the 5x5 window of the networks' own non-maximum suppression

Window nms_window(const Heat& heat, int x, int y) {
    return {std::max(x - kNmsReach, 0), std::max(y - kNmsReach, 0),
            std::min(x + kNmsReach + 1, heat.width()), std::min(y + kNmsReach + 1, heat.height())};
}

bool is_local_maximum(const Heat& heat, int x, int y) {
    if (heat.nms() == Nms::kGraph) return true;  // the network suppressed the others
    const float own = heat(x, y);
    const Window window = nms_window(heat, x, y);
    for (int j = window.top; j < window.bottom; ++j) {
        for (int i = window.left; i < window.right; ++i) {
            if (heat(i, j) > own) return false;
        }
    }
    return true;
}

/// False for a cell of a plateau that has an earlier one, in raster order, within its window.
bool is_first_of_plateau(const Heat& heat, const Tags& tags, int x, int y) {
    const std::size_t own = heat.index(x, y);
    const float* cells = heat.row(0);
    const float score = cells[own];
    const Window window = nms_window(heat, x, y);
    const auto is_earlier = [&](std::size_t other) {
        return cells[other] == score && tags.finite(other);
    };
    if (x > window.left && is_earlier(own - 1)) return false;  // most often the only one needed
    for (int j = window.top; j <= y; ++j) {
        for (int i = window.left; i < window.right; ++i) {
            const std::size_t other = heat.index(i, j);
            if (other >= own) return true;
            if (is_earlier(other)) return false;
        }
    }
    return true;
}

bool is_warmer(const Peak& a, const Peak& b) {
    return std::make_tuple(-a.score, a.y, a.x) < std::make_tuple(-b.score, b.y, b.x);
}

/// The warmest peaks so far. It drops the others from time to time, so that adding one is cheap
/// and noise, of which every cell may be a maximum, takes little memory.
class WarmestPeaks {
public:
    WarmestPeaks(float floor, int most) : floor_(floor), most_(static_cast<std::size_t>(most)) {}

    /// A peak must exceed this to be one of the warmest.
    float floor() const { return floor_; }

    void add(const Peak& peak) {
        peaks_.push_back(peak);
        if (peaks_.size() < 2 * most_ + kSlack) return;
        drop_coldest();
        // One as warm as the coldest may still precede it in raster order.
        const auto coldest = std::max_element(peaks_.begin(), peaks_.end(), is_warmer);
        floor_ = std::max(floor_, std::nextafter(coldest->score, 0.0F));
    }

    /// Warmest first; equal ones in raster order.
    std::vector<Peak> sorted() {
        drop_coldest();
        std::sort(peaks_.begin(), peaks_.end(), is_warmer);
        return std::move(peaks_);
    }

private:
    static constexpr std::size_t kSlack = 64;

    void drop_coldest() {
        if (peaks_.size() <= most_) return;
        const auto end = peaks_.begin() + static_cast<std::ptrdiff_t>(most_);
        std::nth_element(peaks_.begin(), end, peaks_.end(), is_warmer);
        peaks_.erase(end, peaks_.end());
    }

    float floor_;
    std::size_t most_;
    std::vector<Peak> peaks_;
};

}  // namespace

std::vector<Peak> find_peaks(const Heat& heat, const Tags& tags, const TileGrid& tiles,
                             const PeakLimits& limits) {
    WarmestPeaks warmest(floor_to_float(limits.detection_threshold), limits.max_peaks);
    const auto add = [&](int x, int y) {
        const std::size_t cell = heat.index(x, y);
        const float own = heat.unsuppressed(cell);
        if (!(own > warmest.floor()) || !tags.finite(cell)) return;
        if (limits.merge_plateaus && !is_first_of_plateau(heat, tags, x, y)) return;
        if (is_local_maximum(heat, x, y)) warmest.add({x, y, own, tags[cell], {}});
    };
    const Pattern* maximum = tiles.maxima();
    for (int row = 0; row < tiles.rows(); ++row, maximum += tiles.stride()) {
        if (!(heat_of(tiles.row_maximum(row)) > warmest.floor())) continue;
        for (int column = 0; column < tiles.columns(); ++column) {
            if (!(heat_of(maximum[column]) > warmest.floor())) continue;
            const Window cells = tiles.cells(column, row);
            unsigned columns =
                kernels().columns_above(heat.row(cells.top) + cells.left, heat.stride(),
                                        cells.width(), cells.height(), warmest.floor());
            for (int x = cells.left; columns != 0; ++x, columns >>= 1U) {
                if (!(columns & 1U)) continue;
                for (int y = cells.top; y < cells.bottom; ++y) add(x, y);
            }
        }
    }
    return warmest.sorted();
}

}  // namespace posewire
