#include "refine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "threshold.hpp"

namespace posewire {
namespace {

constexpr float kNear = 0.5F;    // tags nearer than this are one person's
constexpr int kLeastReach = 30;  // cells, for poses of few peaks: see docs/accuracy.md
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The part of a tile that lies in a window; nothing in it exceeds the maximum of the whole.
Tile clipped(const Tile& tile, const Window& window) {
    const int left = std::max(tile.left, window.left);
    const int top = std::max(tile.top, window.top);
    const int right = std::min(tile.left + tile.width, window.right);
    const int bottom = std::min(tile.top + tile.height, window.bottom);
    return {left, top, right - left, bottom - top, tile.maximum};
}

/// The cells whose heat counts something.
Window window_of(const SearchArea& area, const Heat& heat) {
    const int margin = static_cast<int>(area.weights.size()) - 1;
    return {std::max(area.box.left - margin, 0), std::max(area.box.top - margin, 0),
            std::min(area.box.right + margin, heat.width()),
            std::min(area.box.bottom + margin, heat.height())};
}

/// What heat in the nearest and in the farthest of these cells counts.
struct Weights {
    float nearest;
    float farthest;
};

Weights weights_in(const SearchArea& area, const Window& cells) {
    const Window& box = area.box;
    const int nearest = std::max({box.left - cells.right + 1, cells.left - box.right + 1,
                                  box.top - cells.bottom + 1, cells.top - box.bottom + 1, 0});
    const int farthest = std::max({box.left - cells.left, cells.right - box.right,
                                   box.top - cells.top, cells.bottom - box.bottom, 0});
    return {area.weights[static_cast<std::size_t>(nearest)],
            area.weights[static_cast<std::size_t>(farthest)]};
}

Window cells_of(const Tile& tile) {
    return {tile.left, tile.top, tile.left + tile.width, tile.top + tile.height};
}

}  // namespace

SearchArea search_area(const Peak* const* members, std::size_t keypoints) {
    constexpr int kMax = std::numeric_limits<int>::max();
    Window box{kMax, kMax, 0, 0};
    for (std::size_t k = 0; k < keypoints; ++k) {
        if (!members[k]) continue;
        box.left = std::min(box.left, members[k]->x);
        box.top = std::min(box.top, members[k]->y);
        box.right = std::max(box.right, members[k]->x + 1);
        box.bottom = std::max(box.bottom, members[k]->y + 1);
    }
    const int longer_side = std::max(box.right - box.left, box.bottom - box.top);
    const int reach = std::max(longer_side / 2, kLeastReach);
    std::vector<float> weights;
    weights.reserve(static_cast<std::size_t>(reach));
    for (int outside = 0; outside < reach; ++outside) {
        weights.push_back(1.0F - static_cast<float>(outside) / static_cast<float>(reach));
    }
    return {box, std::move(weights)};
}

Refiner::Refiner(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
                 const DecoderOptions& options)
    : heat_(heat),
      tags_(tags),
      floor_(floor_to_float(options.refine_threshold)),
      tag_threshold_(ceil_to_float(options.tag_threshold)),
      tiles_(tiles),
      reachable_(tiles.size()) {
    lefts_.reserve(tiles.size());
    tops_.reserve(tiles.size());
    maxima_.reserve(tiles.size());
    least_tags_.reserve(tiles.size());
    greatest_tags_.reserve(tiles.size());
    for (const Tile& tile : tiles) {
        const Range range = tag_range(tile);
        lefts_.push_back(tile.left);
        tops_.push_back(tile.top);
        maxima_.push_back(pattern_of(tile.maximum));
        least_tags_.push_back(range.least);
        greatest_tags_.push_back(range.greatest);
    }
}

Range Refiner::tag_range(const Tile& tile) const {
    const std::size_t corner = heat_.index(tile.left, tile.top);
    if (tags_.length() == 1) {
        return kernels().warm_tag_range(heat_.row(0) + corner, tags_[corner], heat_.stride(),
                                        tile.width, tile.height, heat_.mask(), pattern_of(floor_));
    }
    Range range{kInfinity, -kInfinity};
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        for (int x = tile.left; x < tile.left + tile.width; ++x) {
            if (!(heat_(x, y) > floor_)) continue;
            const float tag = tags_[heat_.index(x, y)][0];
            range.least = tag < range.least ? tag : range.least;  // false for NaN
            range.greatest = tag > range.greatest ? tag : range.greatest;
        }
    }
    return range;
}

std::optional<Cell> Refiner::best_cell(const SearchArea& area, const float* pose_tag) {
    auto best = best_within(std::min(kNear, tag_threshold_), area, pose_tag);
    if (!best && tag_threshold_ > kNear) best = best_within(tag_threshold_, area, pose_tag);
    return best ? std::optional<Cell>(best->cell) : std::nullopt;
}

std::optional<Refiner::Candidate> Refiner::best_within(float gate, const SearchArea& area,
                                                       const float* pose_tag) {
    const TileTable table{lefts_.data(),         tops_.data(),
                          maxima_.data(),        least_tags_.data(),
                          greatest_tags_.data(), static_cast<int>(tiles_.size())};
    const Window window = window_of(area, heat_);
    const Pattern warmest =
        kernels().reachable_maxima(table, window, pose_tag[0], gate, reachable_.data());
    std::optional<Candidate> best;
    if (warmest == 0) return best;
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
        if (reachable_[i] == warmest) {
            search(clipped(tiles_[i], window), gate, area, pose_tag, best);
        }
    }
    // The warmest cells of those tiles may be somebody else's or far away, so colder tiles may hold
    // a better one; but none that is colder than what the best counts.
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
        if (reachable_[i] == 0 || reachable_[i] == warmest) continue;
        if (best && heat_of(reachable_[i]) < best->value) continue;
        search(clipped(tiles_[i], window), gate, area, pose_tag, best);
    }
    return best;
}

/// Replaces best if the tile has a better cell.
void Refiner::search(const Tile& tile, float gate, const SearchArea& area, const float* pose_tag,
                     std::optional<Candidate>& best) const {
    const Weights weights = weights_in(area, cells_of(tile));
    if (best && tile.maximum * weights.nearest < best->value) return;
    const float warmest = warmest_in(tile, gate, pose_tag);
    if (!(warmest > floor_) || (best && warmest * weights.nearest < best->value)) return;
    const float least = std::max(warmest * weights.farthest, best ? best->value : 0.0F);
    const Pattern needed = pattern_of(least);  // no weight exceeds 1
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        if (greatest_in_row(tile, y) < needed) continue;
        for (int x = tile.left; x < tile.left + tile.width; ++x) {
            const float heat = heat_(x, y);
            if (!(heat > floor_) || heat * weights.nearest < least) continue;
            const float value = heat * weights_in(area, {x, y, x + 1, y + 1}).nearest;
            if (best && value < best->value) continue;
            const bool earlier = best && std::tie(y, x) < std::tie(best->cell.y, best->cell.x);
            if (best && value == best->value && !earlier) continue;
            if (is_near(heat_.index(x, y), gate, pose_tag)) best = Candidate{{x, y, heat}, value};
        }
    }
}

/// The pattern of the greatest heat in one row of a tile, or that of a cell that is not finite.
Pattern Refiner::greatest_in_row(const Tile& tile, int y) const {
    const float* row = heat_.row(y) + tile.left;
    const Pattern mask = heat_.mask();
    Pattern greatest = 0;
    for (int x = 0; x < tile.width; ++x) {
        const Pattern pattern = pattern_of(row[x]) & mask;
        greatest = pattern > greatest ? pattern : greatest;
    }
    return greatest;
}

/// The greatest heat among the cells of a tile that are near enough; 0 if none is.
float Refiner::warmest_in(const Tile& tile, float gate, const float* pose_tag) const {
    const std::size_t corner = heat_.index(tile.left, tile.top);
    if (tags_.length() == 1) {
        return heat_of(kernels().warmest_near(heat_.row(0) + corner, tags_[corner], heat_.stride(),
                                              tile.width, tile.height, heat_.mask(), pose_tag[0],
                                              gate));
    }
    float warmest = 0.0F;
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        for (int x = tile.left; x < tile.left + tile.width; ++x) {
            const float heat = heat_(x, y);
            if (heat > warmest && is_near(heat_.index(x, y), gate, pose_tag)) warmest = heat;
        }
    }
    return warmest;
}

bool Refiner::is_near(std::size_t cell, float gate, const float* pose_tag) const {
    return tag_distance(tags_[cell], pose_tag, tags_.length()) < gate;  // false for NaN
}

std::optional<Cell> reference_best_cell(const Heat& heat, const Tags& tags, const float* pose_tag) {
    float least = kInfinity;
    Cell best{0, 0, 0.0F};
    for (int y = 0; y < heat.height(); ++y) {
        for (int x = 0; x < heat.width(); ++x) {
            const std::size_t cell = heat.index(x, y);
            const float distance = tag_distance(tags[cell], pose_tag, tags.length());
            const float cost = std::trunc(distance + 0.5F) - heat(cell);
            if (cost < least) {  // false for NaN
                least = cost;
                best = {x, y, heat(cell)};
            }
        }
    }
    if (!(best.heat > 0.0F)) return std::nullopt;
    return best;
}

}  // namespace posewire
