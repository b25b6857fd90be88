#include "tiles.hpp"

#include <algorithm>
#include <cstddef>

#include "kernels.hpp"

namespace posewire {
namespace {

float maximum_of_finite(const Heat& heat, const Tile& tile) {
    float greatest = 0.0F;
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        for (int x = tile.left; x < tile.left + tile.width; ++x) {
            greatest = std::max(greatest, heat(x, y));
        }
    }
    return greatest;
}

/// Asks for the tags of a tile while the pass over the heat goes on.
void prefetch_tags([[maybe_unused]] const Heat& heat, [[maybe_unused]] const Tags& tags,
                   [[maybe_unused]] const Tile& tile) {
#if defined(__GNUC__)
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        __builtin_prefetch(tags[heat.index(tile.left, y)], 0, 1);
    }
#endif
}

int tiles_across(const Heat& heat) { return (heat.width() + kTileWidth - 1) / kTileWidth; }

}  // namespace

int tile_count(const Heat& heat) {
    return tiles_across(heat) * ((heat.height() + kTileHeight - 1) / kTileHeight);
}

std::vector<Tile> find_warm_tiles(const Heat& heat, const Tags& tags, float floor,
                                  float peak_floor) {
    const int tiles_wide = tiles_across(heat);
    const auto columns = static_cast<std::size_t>(tiles_wide * kTileWidth);
    std::vector<Pattern> scratch(columns * 2);
    std::vector<Pattern> maxima(static_cast<std::size_t>(tiles_wide));
    const Pattern floor_pattern = pattern_of(floor);
    std::vector<Tile> warm;
    for (int top = 0; top < heat.height(); top += kTileHeight) {
        const int rows = std::min(kTileHeight, heat.height() - top);
        kernels().tile_row_maxima(heat.row(top), heat.stride(), heat.width(), rows, heat.mask(),
                                  scratch.data(), maxima.data());
        for (int i = 0; i < tiles_wide; ++i) {
            const Pattern maximum = maxima[static_cast<std::size_t>(i)];
            if (maximum <= floor_pattern) continue;
            const int left = i * kTileWidth;
            const int width = std::min(kTileWidth, heat.width() - left);
            Tile tile{left, top, width, rows, heat_of(maximum)};
            if (maximum >= kNotFinite) tile.maximum = maximum_of_finite(heat, tile);
            if (!(tile.maximum > floor)) continue;
            if (tile.maximum > peak_floor) prefetch_tags(heat, tags, tile);
            warm.push_back(tile);
        }
    }
    return warm;
}

}  // namespace posewire
