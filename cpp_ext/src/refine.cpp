#include "refine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

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

}  // namespace

Window search_window(const Heat& heat, const Peak* const* members, std::size_t keypoints) {
    Window box{heat.width(), heat.height(), 0, 0};
    for (std::size_t k = 0; k < keypoints; ++k) {
        if (!members[k]) continue;
        box.left = std::min(box.left, members[k]->x);
        box.top = std::min(box.top, members[k]->y);
        box.right = std::max(box.right, members[k]->x + 1);
        box.bottom = std::max(box.bottom, members[k]->y + 1);
    }
    const int longer_side = std::max(box.right - box.left, box.bottom - box.top);
    const int reach = std::max(longer_side / 2, kLeastReach);
    return {std::max(box.left - reach, 0), std::max(box.top - reach, 0),
            std::min(box.right + reach, heat.width()), std::min(box.bottom + reach, heat.height())};
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

std::optional<Cell> Refiner::best_cell(const Window& window, const float* pose_tag) {
    const auto near = warmest_within(std::min(kNear, tag_threshold_), window, pose_tag);
    return near || tag_threshold_ <= kNear ? near
                                           : warmest_within(tag_threshold_, window, pose_tag);
}

std::optional<Cell> Refiner::warmest_within(float gate, const Window& window,
                                            const float* pose_tag) {
    const TileTable table{lefts_.data(),         tops_.data(),
                          maxima_.data(),        least_tags_.data(),
                          greatest_tags_.data(), static_cast<int>(tiles_.size())};
    const Pattern warmest =
        kernels().reachable_maxima(table, window, pose_tag[0], gate, reachable_.data());
    std::optional<Cell> best;
    if (warmest == 0) return best;
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
        if (reachable_[i] == warmest) search(clipped(tiles_[i], window), gate, pose_tag, best);
    }
    if (best && best->heat == heat_of(warmest)) return best;
    // The warmest cells of those tiles are somebody else's or outside, so colder tiles may hold a
    // better one.
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
        if (reachable_[i] == 0 || reachable_[i] == warmest) continue;
        if (best && heat_of(reachable_[i]) < best->heat) continue;
        search(clipped(tiles_[i], window), gate, pose_tag, best);
    }
    return best;
}

/// Replaces best if the tile has a better cell.
void Refiner::search(const Tile& tile, float gate, const float* pose_tag,
                     std::optional<Cell>& best) const {
    const float warmest = warmest_in(tile, gate, pose_tag);
    if (!(warmest > floor_) || (best && warmest < best->heat)) return;
    const Pattern wanted = pattern_of(warmest);
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        const float* row = heat_.row(y);
        for (int x = tile.left; x < tile.left + tile.width; ++x) {
            if ((pattern_of(row[x]) & heat_.mask()) != wanted) continue;
            if (!is_near(heat_.index(x, y), gate, pose_tag)) continue;
            const bool earlier = best && std::tie(y, x) < std::tie(best->y, best->x);
            if (!best || warmest > best->heat || earlier) best = Cell{x, y, warmest};
            return;
        }
    }
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
