#include "posewire/reference_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "adjust.hpp"
#include "assignment.hpp"
#include "grouping.hpp"
#include "peaks.hpp"
#include "selection.hpp"
#include "tags.hpp"
#include "threshold.hpp"
#include "tiles.hpp"
#include "validation.hpp"

namespace posewire {
namespace {

constexpr double kPadding = 1e10;   // cost of columns that stand for new poses
constexpr double kOverflow = 1e30;  // instead of costs that float32 cannot hold

/// A quarter of a cell per axis, but nothing in the first two and the last columns and rows.
Offset quarter_offset(const Heat& heat, int x, int y) {
    if (x < 2 || x > heat.width() - 2 || y < 2 || y > heat.height() - 2) return {};
    return {quarter(heat(x - 1, y), heat(x + 1, y)), quarter(heat(x, y - 1), heat(x, y + 1))};
}

std::vector<Plane> read_planes(const HeatmapView& heatmaps, const TagView& tags,
                               const ReferenceOptions& options) {
    const PeakLimits limits{options.detection_threshold, options.max_peaks, false};
    return read_planes(heatmaps, tags, options.nms, [&](const Heat& heat, const Tags& plane_tags) {
        TileGrid tiles(heat);
        std::vector<Peak> peaks = find_peaks(heat, plane_tags, tiles, limits);
        for (Peak& peak : peaks) peak.offset = quarter_offset(heat, peak.x, peak.y);
        return Plane{heat, plane_tags, std::move(tiles), std::move(peaks)};
    });
}

/// The cost of joining, in the accuracy checker's precisions and rounding.
double join_cost(float tags_apart, bool is_near, double cells, double nearest_cells, float heat) {
    float distance = tags_apart;
    if (is_near) {
        const double nearness = cells / (nearest_cells + 1e-10);
        distance = static_cast<float>(static_cast<double>(distance) * nearness);
    }
    const float rounded = std::nearbyint(distance) * 100.0F;
    if (!std::isfinite(rounded)) return kOverflow;
    return static_cast<double>(rounded) - static_cast<double>(heat);
}

std::vector<int> match(const Grouping& poses, const std::vector<Peak>& peaks,
                       double tag_threshold) {
    if (poses.count() == 0) return std::vector<int>(peaks.size(), kNewPose);
    const std::vector<double> nearest = poses.nearest_cells(peaks);
    const float near = ceil_to_float(tag_threshold);
    const auto tags_apart = [&](std::size_t i, std::size_t j) {
        return tag_distance(peaks[i].tag, poses.mean_tag(j), poses.tag_length());
    };
    const std::size_t columns = std::max(poses.count(), peaks.size());
    std::vector<double> cost(peaks.size() * columns, kPadding);
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        for (std::size_t j = 0; j < poses.count(); ++j) {
            const float apart = tags_apart(i, j);
            const double cells = std::sqrt(poses.squared_cells(peaks[i], j));
            cost[i * columns + j] =
                join_cost(apart, apart < near, cells, nearest[j], peaks[i].score);
        }
    }
    std::vector<int> pose_of = minimum_cost_assignment(cost, peaks.size(), columns);
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        const auto j = static_cast<std::size_t>(pose_of[i]);
        if (j >= poses.count() || !(tags_apart(i, j) < near)) pose_of[i] = kNewPose;
    }
    return pose_of;
}

/// Overflows for the largest values, where Decoder's does not.
float running_mean(float mean, float n, float value) { return (mean * n + value) / (n + 1.0F); }

/// The cell of least round(tag distance) - heat, where half rounds up; nothing if it has no heat.
std::optional<Cell> best_cell(const Heat& heat, const Tags& tags, const float* pose_tag) {
    float least = std::numeric_limits<float>::infinity();
    std::size_t best = 0;
    for (std::size_t cell = 0; cell < heat.index(0, heat.height()); ++cell) {
        const float own = heat(cell);
        if (!(-own < least)) continue;  // not even with the pose's tag
        const float distance = tag_distance(tags[cell], pose_tag, tags.length());
        const float cost = std::trunc(distance + 0.5F) - own;
        if (!(cost < least)) continue;  // it may be NaN
        least = cost;
        best = cell;
    }
    if (!(least < std::numeric_limits<float>::infinity() && heat(best) > 0.0F)) return std::nullopt;
    return Cell{static_cast<int>(best % heat.stride()), static_cast<int>(best / heat.stride()),
                heat(best)};
}

Poses refine(Poses poses, const std::vector<Plane>& planes) {
    for (std::size_t i = 0; i < poses.origins.size(); ++i) {
        if (poses.origins[i] == Origin::kDetected) continue;
        const Plane& plane = planes[i % planes.size()];
        const float* tag = poses.tags.data() + i / planes.size() * plane.tags.length();
        if (const auto cell = best_cell(plane.heat, plane.tags, tag)) {
            place(poses, i, *cell, quarter_offset(plane.heat, cell->x, cell->y), Origin::kInferred);
        }
    }
    return poses;
}

}  // namespace

ReferenceDecoder::ReferenceDecoder(ReferenceOptions options) : options_(std::move(options)) {
    validate(options_);
}

Poses ReferenceDecoder::decode(const HeatmapView& heatmaps, const TagView& tags,
                               const DecodeOptions& call) const {
    validate(heatmaps, tags, options_);
    validate(call);
    const std::vector<Plane> planes = read_planes(heatmaps, tags, options_);
    const Grouping grouping = group(planes, options_, match, running_mean);
    const std::vector<float> scores = pose_scores(grouping);
    std::vector<std::size_t> chosen = best_poses(scores, call);
    std::sort(chosen.begin(), chosen.end());  // the order in which they were opened
    Poses poses = detected_poses(grouping, scores, chosen);
    if (call.refine) poses = refine(std::move(poses), planes);
    return apply_limits(add_delta(std::move(poses), options_, Origin::kInferred), call);
}

}  // namespace posewire
