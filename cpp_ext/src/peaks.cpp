#include "peaks.hpp"

#include <algorithm>
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
    const float score = heat.row(0)[own];
    const Window window = nms_window(heat, x, y);
    for (int j = window.top; j <= y; ++j) {
        for (int i = window.left; i < window.right; ++i) {
            const std::size_t other = heat.index(i, j);
            if (other >= own) return true;
            if (heat.row(0)[other] == score && tags.finite(other)) return false;
        }
    }
    return true;
}

/// Appends the maxima in column x of a tile.
void append_column(const Heat& heat, const Tags& tags, const Window& cells, int x, float floor,
                   std::vector<Peak>& maxima) {
    for (int y = cells.top; y < cells.bottom; ++y) {
        const std::size_t cell = heat.index(x, y);
        const float own = heat.unsuppressed(cell);
        if (!(own > floor) || !tags.finite(cell) || !is_local_maximum(heat, x, y)) continue;
        maxima.push_back({x, y, own, tags[cell], {}});
    }
}

bool is_warmer(const Peak& a, const Peak& b) {
    return std::make_tuple(-a.score, a.y, a.x) < std::make_tuple(-b.score, b.y, b.x);
}

}  // namespace

std::vector<Peak> find_maxima(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
                              double detection_threshold) {
    const float floor = floor_to_float(detection_threshold);
    std::vector<Peak> maxima;
    for (const Tile& tile : tiles) {
        if (!(tile.maximum > floor)) continue;
        const Window& cells = tile.cells;
        unsigned columns = kernels().columns_above(heat.row(cells.top) + cells.left, heat.stride(),
                                                   cells.width(), cells.height(), floor);
        for (int x = cells.left; columns != 0; ++x, columns >>= 1U) {
            if (columns & 1U) append_column(heat, tags, cells, x, floor, maxima);
        }
    }
    return maxima;
}

std::vector<Peak> merge_plateaus(std::vector<Peak> maxima, const Heat& heat, const Tags& tags) {
    const auto is_repeated = [&](const Peak& peak) {
        return !is_first_of_plateau(heat, tags, peak.x, peak.y);
    };
    maxima.erase(std::remove_if(maxima.begin(), maxima.end(), is_repeated), maxima.end());
    return maxima;
}

std::vector<Peak> keep_warmest(std::vector<Peak> peaks, int max_peaks) {
    if (peaks.size() > static_cast<std::size_t>(max_peaks)) {
        const auto end = peaks.begin() + max_peaks;
        std::nth_element(peaks.begin(), end, peaks.end(), is_warmer);
        peaks.erase(end, peaks.end());
    }
    std::sort(peaks.begin(), peaks.end(), is_warmer);
    return peaks;
}

}  // namespace posewire
