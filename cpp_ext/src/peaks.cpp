#include "peaks.hpp"

#include <algorithm>
#include <tuple>

#include "kernels.hpp"
#include "threshold.hpp"
#include "window.hpp"

namespace posewire {
namespace {

constexpr int kNmsReach = 2;  // the 5x5 window of the network's own non-maximum suppression

/// The cells from which another peak could take this one's place.
Window nms_window(const Heat& heat, int x, int y) {
    return {std::max(x - kNmsReach, 0), std::max(y - kNmsReach, 0),
            std::min(x + kNmsReach + 1, heat.width()), std::min(y + kNmsReach + 1, heat.height())};
}

bool is_local_maximum(const Heat& heat, int x, int y) {
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

void append_peaks(const Heat& heat, const Tags& tags, const Tile& tile, int x, float floor,
                  const DecoderOptions& options, std::vector<Peak>& peaks) {
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        const std::size_t cell = heat.index(x, y);
        const float own = heat.unsuppressed(cell);
        if (!(own > floor) || !tags.finite(cell)) continue;
        if (options.nms == Nms::kDecoder && !is_local_maximum(heat, x, y)) continue;
        if (!options.reference && !is_first_of_plateau(heat, tags, x, y)) continue;
        peaks.push_back({x, y, own, adjust(heat, x, y, options), tags[cell]});
    }
}

bool warmer(const Peak& a, const Peak& b) {
    return std::make_tuple(-a.heat, a.y, a.x) < std::make_tuple(-b.heat, b.y, b.x);
}

void keep_warmest(std::vector<Peak>& peaks, int max_peaks) {
    const auto kept = static_cast<std::size_t>(max_peaks);
    if (peaks.size() > kept) {
        const auto end = peaks.begin() + max_peaks;
        std::nth_element(peaks.begin(), end, peaks.end(), warmer);
        peaks.erase(end, peaks.end());
    }
    std::sort(peaks.begin(), peaks.end(), warmer);
}

void copy_tags(Peaks& peaks, std::size_t length) {
    peaks.tags.reserve(peaks.list.size() * length);
    for (Peak& peak : peaks.list) {
        const auto copy = peaks.tags.insert(peaks.tags.end(), peak.tag, peak.tag + length);
        peak.tag = &*copy;
    }
}

}  // namespace

Peaks find_peaks(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
                 const DecoderOptions& options) {
    const float floor = floor_to_float(options.detection_threshold);
    Peaks peaks;
    for (const Tile& tile : tiles) {
        if (!(tile.maximum > floor)) continue;
        unsigned columns = kernels().columns_above(heat.row(tile.top) + tile.left, heat.stride(),
                                                   tile.width, tile.height, floor);
        for (int x = tile.left; columns != 0; ++x, columns >>= 1U) {
            if (columns & 1U) append_peaks(heat, tags, tile, x, floor, options, peaks.list);
        }
    }
    keep_warmest(peaks.list, options.max_peaks);
    copy_tags(peaks, tags.length());
    return peaks;
}

}  // namespace posewire
