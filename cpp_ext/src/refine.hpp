#pragma once

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
/// It stores the greatest heat of each warm tile and the range of the tags of its warm cells, and
/// reads only tiles that can have a better cell. The result is that of a search over every cell.
class Refiner {
public:
    /// @param tiles all that hold heat above the refine threshold; they must outlive this
    Refiner(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
            double refine_threshold, double tag_threshold);

    /// Of the cells above the refine threshold whose tag is within 0.5 of the pose's, the one of
    /// greatest weighted heat; if there are none, of those within the tag threshold. The first in
    /// raster order wins a tie.
    std::optional<Cell> best_cell(const Window& box, const float* pose_tag);

private:
    struct Goal;
    struct Candidate {
        Cell cell;
        float value;  ///< its weighted heat
    };

    Range tag_range(const Window& cells) const;
    std::optional<Candidate> best_within(const Goal& goal);
    std::optional<Candidate> better_in(const Tile& tile, const Goal& goal,
                                       std::optional<Candidate> best) const;
    Pattern greatest_in_row(const Window& cells, int y) const;
    float warmest_in(const Window& cells, const Goal& goal) const;
    bool is_near(std::size_t cell, const Goal& goal) const;

    Heat heat_;
    Tags tags_;
    float floor_;
    float tag_threshold_;
    const std::vector<Tile>& tiles_;
    // One entry per tile, in separate arrays for the kernels.
    std::vector<int> lefts_;
    std::vector<int> tops_;
    std::vector<Pattern> maxima_;
    std::vector<float> least_tags_;  // of the first components of the tags of warm cells
    std::vector<float> greatest_tags_;
    std::vector<Pattern> reachable_;  // scratch of best_within
};

}  // namespace posewire
