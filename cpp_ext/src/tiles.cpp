#include "tiles.hpp"

#include <algorithm>

namespace posewire {
namespace {

float maximum_of_finite(const Heat& heat, const Window& cells) {
    float greatest = 0.0F;
    for (int y = cells.top; y < cells.bottom; ++y) {
        for (int x = cells.left; x < cells.right; ++x) greatest = std::max(greatest, heat(x, y));
    }
    return greatest;
}

/// A plain loop becomes a vector loop, std::max_element does not.
Pattern greatest_of(const Pattern* patterns, int count) {
    Pattern greatest = 0;
    for (int i = 0; i < count; ++i) greatest = std::max(greatest, patterns[i]);
    return greatest;
}

int divided_up(int a, int b) { return (a + b - 1) / b; }

}  // namespace

TileGrid::TileGrid(const Heat& heat)
    : width_(heat.width()),
      height_(heat.height()),
      columns_(divided_up(width_, kTileWidth)),
      rows_(divided_up(height_, kTileHeight)),
      stride_(static_cast<std::size_t>(divided_up(columns_, kMostLanes) * kMostLanes)),
      maxima_(stride_ * static_cast<std::size_t>(rows_)) {
    row_maxima_.reserve(static_cast<std::size_t>(rows_));
    std::vector<Pattern> scratch(static_cast<std::size_t>(columns_ * kTileWidth) * 2);
    for (int row = 0; row < rows_; ++row) {
        const int top = row * kTileHeight;
        Pattern* maxima = maxima_.data() + static_cast<std::size_t>(row) * stride_;
        kernels().tile_row_maxima(heat.row(top), heat.stride(), width_,
                                  std::min(kTileHeight, height_ - top), heat.mask(), scratch.data(),
                                  maxima);
        Pattern greatest = greatest_of(maxima, columns_);
        if (greatest >= kNotFinite) {
            for (int column = 0; column < columns_; ++column) {
                if (maxima[column] < kNotFinite) continue;
                maxima[column] = pattern_of(maximum_of_finite(heat, cells(column, row)));
            }
            greatest = greatest_of(maxima, columns_);
        }
        row_maxima_.push_back(greatest);
    }
}

}  // namespace posewire
