#pragma once

#include <optional>
#include <vector>

#include "heat.hpp"
#include "kernels.hpp"
#include "peaks.hpp"
#include "posewire/options.hpp"
#include "tags.hpp"
#include "tiles.hpp"
#include "window.hpp"

namespace posewire {

/// A cell with the heat that it has.
struct Cell {
    int x;
    int y;
    float heat;
};

/// Where the keypoints that a pose lacks may lie: around the box of its peaks.
///
/// The farther outside the box a cell lies, the less its heat counts, and beyond the last of the
/// weights it counts nothing: warm cells there are somebody else's, however near their tag.
struct SearchArea {
    Window box;
    std::vector<float> weights;  ///< of heat so many cells outside
};

/// @param members the pose's peak of each keypoint, null where there is none, but not all of them
SearchArea search_area(const Peak* const* members, std::size_t keypoints);

/// Finds, in one plane, the cell that best stands for a keypoint without a peak.
///
/// Of each warm tile it knows the greatest heat and the range of tags of the warm cells; it reads
/// only those tiles that can hold a better cell, so the answer is that of a search over every cell.
class Refiner {
public:
    /// @param tiles all that hold heat above the refine threshold; they must outlive this
    Refiner(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
            const DecoderOptions& options);

    /// Of the cells above the refine threshold whose tag lies within half a unit of the pose's, the
    /// one whose heat counts most; failing that, of those within the tag threshold. The first in
    /// raster order wins a tie.
    std::optional<Cell> best_cell(const SearchArea& area, const float* pose_tag);

private:
    /// A cell and what its heat counts.
    struct Candidate {
        Cell cell;
        float value;
    };

    Range tag_range(const Tile& tile) const;
    std::optional<Candidate> best_within(float gate, const SearchArea& area, const float* pose_tag);
    void search(const Tile& tile, float gate, const SearchArea& area, const float* pose_tag,
                std::optional<Candidate>& best) const;
    Pattern greatest_in_row(const Tile& tile, int y) const;
    float warmest_in(const Tile& tile, float gate, const float* pose_tag) const;
    bool is_near(std::size_t cell, float gate, const float* pose_tag) const;

    Heat heat_;
    Tags tags_;
    float floor_;
    float tag_threshold_;
    const std::vector<Tile>& tiles_;
    // One entry per tile, apart from each other for the sake of vector instructions.
    std::vector<int> lefts_;
    std::vector<int> tops_;
    std::vector<Pattern> maxima_;
    std::vector<float> least_tags_;  // of the first components of the tags of warm cells
    std::vector<float> greatest_tags_;
    std::vector<Pattern> reachable_;  // scratch
};

/// The same for reference mode: the cell of least round(tag distance) - heat, however distant its
/// tag. Nothing if that cell has no heat.
std::optional<Cell> reference_best_cell(const Heat& heat, const Tags& tags, const float* pose_tag);

}  // namespace posewire
