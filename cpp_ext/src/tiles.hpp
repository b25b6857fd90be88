#pragma once

#include <cstddef>
#include <vector>

#include "heat.hpp"
#include "kernels.hpp"
#include "window.hpp"

namespace posewire {

/// The greatest heat of each tile of a plane. Tiles have kTileWidth x kTileHeight cells, those at
/// the right and lower edges fewer.
class TileGrid {
public:
    /// Reads all heat once: later stages read just the tiles that are warm enough.
    explicit TileGrid(const Heat& heat);

    int columns() const { return columns_; }
    int rows() const { return rows_; }
    /// Tiles in a row, whole vectors of the kernels: those beyond `columns` have no heat.
    std::size_t stride() const { return stride_; }
    std::size_t size() const { return maxima_.size(); }

    /// Of each tile, 0 where no cell of it has heat.
    const Pattern* maxima() const { return maxima_.data(); }
    /// The greatest heat of a row of tiles.
    Pattern row_maximum(int row) const { return row_maxima_[static_cast<std::size_t>(row)]; }
    std::size_t index(int column, int row) const {
        return static_cast<std::size_t>(row) * stride_ + static_cast<std::size_t>(column);
    }
    Window cells(int column, int row) const {
        const int left = column * kTileWidth;
        const int top = row * kTileHeight;
        return intersection({left, top, left + kTileWidth, top + kTileHeight},
                            {0, 0, width_, height_});
    }

private:
    int width_;
    int height_;
    int columns_;
    int rows_;
    std::size_t stride_;
    std::vector<Pattern> maxima_;
    std::vector<Pattern> row_maxima_;
};

}  // namespace posewire
