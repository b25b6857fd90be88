#include "tiles.hpp"

#include <algorithm>
#include <cstddef>

#include "kernels.hpp"

namespace posewire {
namespace {

float maximum_of_finite(const Heat& heat, const Window& cells) {
    float greatest = 0.0F;
    for (int y = cells.top; y < cells.bottom; ++y) {
        for (int x = cells.left; x < cells.right; ++x) greatest = std::max(greatest, heat(x, y));
    }
    return greatest;
}

}  // namespace

std::vector<Tile> find_warm_tiles(const Heat& heat, float floor) {
    const int tiles_wide = (heat.width() + kTileWidth - 1) / kTileWidth;
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
            const int right = std::min(left + kTileWidth, heat.width());
            Tile tile{{left, top, right, top + rows}, heat_of(maximum)};
            if (maximum >= kNotFinite) tile.maximum = maximum_of_finite(heat, tile.cells);
            if (tile.maximum > floor) warm.push_back(tile);
        }
    }
    return warm;
}

}  // namespace posewire
