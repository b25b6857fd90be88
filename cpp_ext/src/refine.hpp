#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "heat.hpp"
#include "kernels.hpp"
#include "tags.hpp"
#include "tiles.hpp"
#include "window.hpp"

namespace posewire {

/// Finds, in one plane, the best cell for a keypoint without a peak.
///
/// A missing keypoint may lie in and around the box of the pose's peaks. The weight of heat falls
/// from 1 in the box to 0 at half its longer side, but at least 30 cells, outside: warm cells
/// farther away belong to other people, however near their tags.
///
/// It reads tiles in the order of the greatest weighted heat that they can have, and stops where
/// none can have a better cell. Of each tile in which it found no tag near enough it remembers
/// which tags the tile lacks. Poses should come in the order of their tags: then a tile is searched
/// in vain at most once for each of its tags. The result is that of a search over every cell.
class Refiner {
public:
    /// @param tiles of the plane; they must outlive this
    Refiner(const Heat& heat, const Tags& tags, const TileGrid& tiles, double refine_threshold,
            double tag_threshold);

    /// Of the cells above the refine threshold whose tag is within 0.5 of the pose's, the one of
    /// greatest weighted heat; if there are none, of those within the tag threshold. The first in
    /// raster order wins a tie.
    std::optional<Cell> best_cell(const Window& box, const float* pose_tag);

private:
    struct Goal;
    using TileValues = std::array<float, kTileWidth * kTileHeight>;

    static std::size_t at(int index) { return static_cast<std::size_t>(index); }
    void find_bounds(const Goal& goal);
    BestCell best_within(const Goal& goal);
    void improve(BestCell& best, int column, int row, const Goal& goal);
    BestCell best_of(TileCells tile, const Window& cells, const Goal& goal);
    TileCells first_tags(const Window& cells);
    void find_distances(const Window& cells, const Goal& goal);

    const Kernels& kernels_;
    Heat heat_;
    Tags tags_;
    Pattern floor_;
    float tag_threshold_;
    const TileGrid& tiles_;
    // Of each tile: no warm cell has a tag whose first component lies between these.
    std::vector<float> tags_below_;
    std::vector<float> tags_above_;
    // Scratch.
    std::vector<float> bounds_;      // one for each tile
    std::vector<float> row_bounds_;  // one for each row of tiles
    std::vector<float> scratch_;     // one for each column of tiles
    TileValues first_tags_;
    TileValues distances_;
};

}  // namespace posewire
