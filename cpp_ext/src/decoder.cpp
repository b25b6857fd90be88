#include "posewire/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "adjust.hpp"
#include "grouping.hpp"
#include "matching.hpp"
#include "peaks.hpp"
#include "refine.hpp"
#include "selection.hpp"
#include "tiles.hpp"
#include "validation.hpp"

namespace posewire {
namespace {

/// Heat can exceed 1 a little; a score cannot.
float limited(float heat) { return std::min(heat, 1.0F); }

std::vector<Plane> read_planes(const HeatmapView& heatmaps, const TagView& tags,
                               const DecoderOptions& options) {
    const PeakLimits limits{options.detection_threshold, options.max_peaks, true};
    return read_planes(heatmaps, tags, options.nms, [&](const Heat& heat, const Tags& plane_tags) {
        TileGrid tiles(heat);
        std::vector<Peak> peaks = find_peaks(heat, plane_tags, tiles, limits);
        for (Peak& peak : peaks) {
            peak.score = limited(peak.score);
            peak.offset = adjust(heat, peak.x, peak.y, options.adjust);
        }
        return Plane{heat, plane_tags, std::move(tiles), std::move(peaks)};
    });
}

/// Indices into the chosen poses, sorted by tag: the order in which the refiner is fastest.
std::vector<std::size_t> order_by_tag(const Grouping& grouping,
                                      const std::vector<std::size_t>& chosen) {
    std::vector<std::size_t> order(chosen.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return *grouping.mean_tag(chosen[a]) < *grouping.mean_tag(chosen[b]);
    });
    return order;
}

/// Fills missing keypoints from the best cell near pose and tag.
Poses refine(Poses poses, const Grouping& grouping, const std::vector<std::size_t>& chosen,
             const std::vector<Plane>& planes, const DecoderOptions& options) {
    const std::vector<std::size_t> order = order_by_tag(grouping, chosen);
    for (std::size_t k = 0; k < planes.size(); ++k) {
        const auto& [heat, tags, tiles, peaks] = planes[k];
        std::optional<Refiner> refiner;  // made for the first pose that lacks this keypoint
        for (const std::size_t n : order) {
            if (grouping.member(chosen[n], k)) continue;
            if (!refiner) {
                refiner.emplace(heat, tags, tiles, options.refine_threshold, options.tag_threshold);
            }
            const auto cell =
                refiner->best_cell(grouping.box(chosen[n]), grouping.mean_tag(chosen[n]));
            if (!cell) continue;
            place(poses, n * planes.size() + k, {cell->x, cell->y, limited(cell->heat)},
                  adjust(heat, cell->x, cell->y, options.adjust), Origin::kInferred);
        }
    }
    return poses;
}

}  // namespace

Decoder::Decoder(DecoderOptions options) : options_(std::move(options)) { validate(options_); }

Poses Decoder::decode(const HeatmapView& heatmaps, const TagView& tags,
                      const DecodeOptions& call) const {
    validate(heatmaps, tags, options_);
    validate(call);
    const std::vector<Plane> planes = read_planes(heatmaps, tags, options_);
    const Grouping grouping = group(planes, options_, match, running_mean);
    const std::vector<float> scores = pose_scores(grouping);
    const std::vector<std::size_t> chosen = best_poses(scores, call);
    Poses poses = detected_poses(grouping, scores, chosen);
    if (call.refine) poses = refine(std::move(poses), grouping, chosen, planes, options_);
    return apply_limits(add_delta(std::move(poses), options_, Origin::kAbsent), call);
}

}  // namespace posewire
