#include "refine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "threshold.hpp"

namespace posewire {
namespace {

constexpr float kNear = 0.5F;    // nearer tags are the same person's
constexpr int kLeastReach = 30;  // cells, for poses of few peaks: see docs/accuracy.md
// How many tiles are searched best first. The rest follow in raster order: to find the best of many
// each time takes longer than to search tiles in vain.
constexpr int kBestFirst = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool is_better(const BestCell& a, const BestCell& b) {
    if (a.value != b.value) return a.value > b.value;
    return std::tie(a.y, a.x) < std::tie(b.y, b.x);
}

/// Whether a tile with this gap may have a wanted tag.
bool is_near(const TagGap& gap, const Wanted& wanted) {
    return wanted.tag - gap.below < wanted.gate || gap.above - wanted.tag < wanted.gate;
}

int aligned_down(int count) { return count / kMostLanes * kMostLanes; }
int aligned_up(int count) { return aligned_down(count + kMostLanes - 1); }

}  // namespace

/// What to search for, and where: the tiles that may be in reach, in whole vectors of columns.
struct Refiner::Goal {
    Wanted wanted;
    const float* pose_tag;
    int left;  // in tiles
    int top;
    int columns;
    int rows;
};

Refiner::Refiner(const Heat& heat, const Tags& tags, const TileGrid& tiles, double refine_threshold,
                 double tag_threshold)
    : kernels_(kernels()),
      heat_(heat),
      tags_(tags),
      floor_(pattern_of(std::fabs(floor_to_float(refine_threshold)))),  // -0 has another pattern
      tag_threshold_(ceil_to_float(tag_threshold)),
      tiles_(tiles),
      tags_below_(tiles.size(), kInfinity),
      tags_above_(tiles.size(), -kInfinity),
      bounds_(tiles.size()),
      row_bounds_(at(aligned_up(tiles.rows()))),
      scratch_(tiles.stride()) {}

std::optional<Cell> Refiner::best_cell(const Window& box, const float* pose_tag) {
    const int reach = std::max(box.longer_side() / 2, kLeastReach);
    const int margin = reach - 1;
    const int left = aligned_down(std::max(box.left - margin, 0) / kTileWidth);
    const int top = std::max(box.top - margin, 0) / kTileHeight;
    const int last_column = std::min((box.right - 1 + margin) / kTileWidth, tiles_.columns() - 1);
    const int last_row = std::min((box.bottom - 1 + margin) / kTileHeight, tiles_.rows() - 1);
    Goal goal{{heat_.mask(),
               floor_,
               pose_tag[0],
               std::min(kNear, tag_threshold_),
               {box.left, box.right, reach},
               {box.top, box.bottom, reach}},
              pose_tag,
              left,
              top,
              aligned_up(last_column + 1) - left,
              last_row + 1 - top};
    BestCell best = best_within(goal);
    if (best.value == kNoValue && tag_threshold_ > goal.wanted.gate) {
        goal.wanted.gate = tag_threshold_;
        best = best_within(goal);
    }
    if (best.value == kNoValue) return std::nullopt;
    return Cell{best.x, best.y, heat_(best.x, best.y)};
}

BestCell Refiner::best_within(const Goal& goal) {
    find_bounds(goal);
    BestCell best{kNoValue, 0, 0};
    const auto can_improve = [&](float bound) { return bound >= std::max(best.value, 0.0F); };
    for (int n = 0; n < kBestFirst; ++n) {
        const int y = kernels_.first_greatest(row_bounds_.data(), aligned_up(goal.rows));
        if (!can_improve(row_bounds_[at(y)])) return best;
        float* bounds = bounds_.data() + y * goal.columns;
        const int x = kernels_.first_greatest(bounds, goal.columns);
        bounds[x] = kNoValue;
        row_bounds_[at(y)] = bounds[kernels_.first_greatest(bounds, goal.columns)];
        improve(best, goal.left + x, goal.top + y, goal);
    }
    for (int y = 0; y < goal.rows; ++y) {
        if (!can_improve(row_bounds_[at(y)])) continue;
        const float* bounds = bounds_.data() + y * goal.columns;
        for (int x = 0; x < goal.columns; ++x) {
            if (can_improve(bounds[x])) improve(best, goal.left + x, goal.top + y, goal);
        }
    }
    return best;
}

void Refiner::find_bounds(const Goal& goal) {
    const std::size_t first = tiles_.index(goal.left, goal.top);
    kernels_.tile_bounds(
        {tiles_.maxima() + first, tags_below_.data() + first, tags_above_.data() + first,
         tiles_.stride(), goal.left * kTileWidth, goal.top * kTileHeight, goal.columns, goal.rows},
        goal.wanted, scratch_.data(), bounds_.data(), row_bounds_.data());
}

/// Replaces the best cell so far by the best of a tile, if that is better.
void Refiner::improve(BestCell& best, int column, int row, const Goal& goal) {
    const Window cells = tiles_.cells(column, row);
    const TileCells tile = first_tags(cells);
    TagGap gap = kernels_.tag_gap(tile, goal.wanted);
    if (is_near(gap, goal.wanted)) {
        const BestCell found = best_of(tile, cells, goal);
        if (found.value != kNoValue) {
            if (is_better(found, best)) best = found;
            return;
        }
        gap = kernels_.warm_tag_gap(tile, goal.wanted);
    }
    const std::size_t i = tiles_.index(column, row);
    tags_below_[i] = gap.below;
    tags_above_[i] = gap.above;
}

BestCell Refiner::best_of(TileCells tile, const Window& cells, const Goal& goal) {
    if (tags_.length() == 1) {
        return kernels_.best_near(tile, goal.wanted, cells.left, cells.top);
    }
    find_distances(cells, goal);
    Wanted wanted = goal.wanted;
    wanted.tag = 0.0F;
    tile.tags = distances_.data();
    tile.tag_stride = kTileWidth;
    return kernels_.best_near(tile, wanted, cells.left, cells.top);
}

/// The cells of a tile with the first component of their tags.
TileCells Refiner::first_tags(const Window& cells) {
    const std::size_t corner = heat_.index(cells.left, cells.top);
    const float* heat = heat_.row(0) + corner;
    if (tags_.length() == 1) {
        return {heat, tags_[corner], heat_.stride(), heat_.stride(), cells.width(), cells.height()};
    }
    for (int y = 0; y < cells.height(); ++y) {
        const float* tag = tags_[corner + at(y) * heat_.stride()];
        float* to = first_tags_.data() + y * kTileWidth;
        for (int x = 0; x < cells.width(); ++x, tag += tags_.length()) to[x] = *tag;
    }
    return {heat, first_tags_.data(), heat_.stride(), kTileWidth, cells.width(), cells.height()};
}

/// Writes the distances of the tags of a tile's cells from the pose's.
void Refiner::find_distances(const Window& cells, const Goal& goal) {
    for (int y = 0; y < cells.height(); ++y) {
        const std::size_t first = heat_.index(cells.left, cells.top + y);
        float* to = distances_.data() + y * kTileWidth;
        const auto find = [&](std::size_t length) {
            const float* tag = tags_[first];
            for (int x = 0; x < cells.width(); ++x, tag += length) {
                to[x] = tag_distance(tag, goal.pose_tag, length);
            }
        };
        tags_.length() == 2 ? find(2) : find(tags_.length());  // a constant makes it a vector loop
    }
}

}  // namespace posewire
