#include "refine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "threshold.hpp"

namespace posewire {
namespace {

constexpr float kNear = 0.5F;    // nearer tags are the same person's
constexpr int kLeastReach = 30;  // cells, for poses of few peaks: see docs/accuracy.md
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

/// What to search for: cells around a box whose tag is nearer to the pose's than the gate.
struct Refiner::Goal {
    Window box;
    int reach;  ///< cells outside the box where the weight is 0
    const float* pose_tag;
    float gate;

    /// The weight of heat so many cells outside the box, less than `reach`.
    float weight(int outside) const {
        return 1.0F - static_cast<float>(outside) / static_cast<float>(reach);
    }
    /// The cells that have a weight above 0.
    Window window() const {
        const int margin = reach - 1;
        return {box.left - margin, box.top - margin, box.right + margin, box.bottom + margin};
    }
};

Refiner::Refiner(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
                 double refine_threshold, double tag_threshold)
    : heat_(heat),
      tags_(tags),
      floor_(floor_to_float(refine_threshold)),
      tag_threshold_(ceil_to_float(tag_threshold)),
      tiles_(tiles),
      reachable_(tiles.size()) {
    lefts_.reserve(tiles.size());
    tops_.reserve(tiles.size());
    maxima_.reserve(tiles.size());
    least_tags_.reserve(tiles.size());
    greatest_tags_.reserve(tiles.size());
    for (const Tile& tile : tiles) {
        const Range range = tag_range(tile.cells);
        lefts_.push_back(tile.cells.left);
        tops_.push_back(tile.cells.top);
        maxima_.push_back(pattern_of(tile.maximum));
        least_tags_.push_back(range.least);
        greatest_tags_.push_back(range.greatest);
    }
}

Range Refiner::tag_range(const Window& cells) const {
    const std::size_t corner = heat_.index(cells.left, cells.top);
    if (tags_.length() == 1) {
        return kernels().warm_tag_range(heat_.row(0) + corner, tags_[corner], heat_.stride(),
                                        cells.width(), cells.height(), heat_.mask(),
                                        pattern_of(floor_));
    }
    Range range{kInfinity, -kInfinity};
    for (int y = cells.top; y < cells.bottom; ++y) {
        for (int x = cells.left; x < cells.right; ++x) {
            if (!(heat_(x, y) > floor_)) continue;
            const float tag = tags_[heat_.index(x, y)][0];
            range.least = tag < range.least ? tag : range.least;  // false for NaN
            range.greatest = tag > range.greatest ? tag : range.greatest;
        }
    }
    return range;
}

std::optional<Cell> Refiner::best_cell(const Window& box, const float* pose_tag) {
    Goal goal{box, std::max(box.longer_side() / 2, kLeastReach), pose_tag,
              std::min(kNear, tag_threshold_)};
    auto best = best_within(goal);
    if (!best && tag_threshold_ > goal.gate) {
        goal.gate = tag_threshold_;
        best = best_within(goal);
    }
    return best ? std::optional<Cell>(best->cell) : std::nullopt;
}

std::optional<Refiner::Candidate> Refiner::best_within(const Goal& goal) {
    const TileTable table{lefts_.data(),         tops_.data(),
                          maxima_.data(),        least_tags_.data(),
                          greatest_tags_.data(), static_cast<int>(tiles_.size())};
    const Pattern warmest = kernels().reachable_maxima(table, goal.window(), goal.pose_tag[0],
                                                       goal.gate, reachable_.data());
    std::optional<Candidate> best;
    if (warmest == 0) return best;
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
        if (reachable_[i] == warmest) best = better_in(tiles_[i], goal, best);
    }
    // The warmest cells of those tiles may be another person's or far away. Colder tiles may have a
    // better cell, but none whose greatest heat is below the weighted heat of the best.
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
        if (reachable_[i] == 0 || reachable_[i] == warmest) continue;
        if (best && heat_of(reachable_[i]) < best->value) continue;
        best = better_in(tiles_[i], goal, best);
    }
    return best;
}

/// The best cell of the tile if it is better than the best so far, else that.
std::optional<Refiner::Candidate> Refiner::better_in(const Tile& tile, const Goal& goal,
                                                     std::optional<Candidate> best) const {
    const Window cells = intersection(tile.cells, goal.window());
    const float greatest_weight = goal.weight(goal.box.least_distance(cells));
    if (best && tile.maximum * greatest_weight < best->value) return best;
    const float warmest = warmest_in(cells, goal);
    if (!(warmest > floor_) || (best && warmest * greatest_weight < best->value)) return best;
    const float least_weight = goal.weight(goal.box.greatest_distance(cells));
    const float least = std::max(warmest * least_weight, best ? best->value : 0.0F);
    const Pattern needed = pattern_of(least);  // no weight exceeds 1
    for (int y = cells.top; y < cells.bottom; ++y) {
        if (greatest_in_row(cells, y) < needed) continue;
        for (int x = cells.left; x < cells.right; ++x) {
            const float heat = heat_(x, y);
            if (!(heat > floor_) || heat * greatest_weight < least) continue;
            const float value = heat * goal.weight(goal.box.least_distance({x, y, x + 1, y + 1}));
            if (best && value < best->value) continue;
            const bool earlier = best && std::tie(y, x) < std::tie(best->cell.y, best->cell.x);
            if (best && value == best->value && !earlier) continue;
            if (is_near(heat_.index(x, y), goal)) best = Candidate{{x, y, heat}, value};
        }
    }
    return best;
}

/// The pattern of the greatest heat in one row, or that of a cell that is not finite.
Pattern Refiner::greatest_in_row(const Window& cells, int y) const {
    const float* row = heat_.row(y);
    const Pattern mask = heat_.mask();
    Pattern greatest = 0;
    for (int x = cells.left; x < cells.right; ++x) {
        const Pattern pattern = pattern_of(row[x]) & mask;
        greatest = pattern > greatest ? pattern : greatest;
    }
    return greatest;
}

/// The greatest heat among the cells that are near enough; 0 if none is.
float Refiner::warmest_in(const Window& cells, const Goal& goal) const {
    const std::size_t corner = heat_.index(cells.left, cells.top);
    if (tags_.length() == 1) {
        return heat_of(kernels().warmest_near(heat_.row(0) + corner, tags_[corner], heat_.stride(),
                                              cells.width(), cells.height(), heat_.mask(),
                                              goal.pose_tag[0], goal.gate));
    }
    float warmest = 0.0F;
    for (int y = cells.top; y < cells.bottom; ++y) {
        for (int x = cells.left; x < cells.right; ++x) {
            const float heat = heat_(x, y);
            if (heat > warmest && is_near(heat_.index(x, y), goal)) warmest = heat;
        }
    }
    return warmest;
}

bool Refiner::is_near(std::size_t cell, const Goal& goal) const {
    return tag_distance(tags_[cell], goal.pose_tag, tags_.length()) < goal.gate;  // false for NaN
}

}  // namespace posewire
