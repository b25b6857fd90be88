#include "posewire/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "adjust.hpp"
#include "grouping.hpp"
#include "matching.hpp"
#include "peaks.hpp"
#include "refine.hpp"
#include "selection.hpp"
#include "threshold.hpp"
#include "tiles.hpp"
#include "validation.hpp"

namespace posewire {
namespace {

/// Heat can exceed 1 a little; a score cannot.
float limited(float heat) { return std::min(heat, 1.0F); }

std::vector<Plane> read_planes(const HeatmapView& heatmaps, const TagView& tags,
                               const DecoderOptions& options, bool refine) {
    float floor = floor_to_float(options.detection_threshold);
    if (refine) floor = std::min(floor, floor_to_float(options.refine_threshold));
    return read_planes(heatmaps, tags, options.nms, [&](const Heat& heat, const Tags& plane_tags) {
        std::vector<Tile> tiles = find_warm_tiles(heat, floor);
        auto peaks = find_maxima(heat, plane_tags, tiles, options.detection_threshold);
        peaks = merge_plateaus(std::move(peaks), heat, plane_tags);
        peaks = keep_warmest(std::move(peaks), options.max_peaks);
        for (Peak& peak : peaks) {
            peak.score = limited(peak.score);
            peak.offset = adjust(heat, peak.x, peak.y, options.adjust);
        }
        return Plane{heat, plane_tags, std::move(tiles), std::move(peaks)};
    });
}

/// Fills missing keypoints from the best cell near pose and tag.
Poses refine(Poses poses, const Grouping& grouping, const std::vector<std::size_t>& chosen,
             const std::vector<Plane>& planes, const DecoderOptions& options) {
    for (std::size_t k = 0; k < planes.size(); ++k) {
        const auto& [heat, tags, tiles, peaks] = planes[k];
        std::optional<Refiner> refiner;  // made for the first pose that lacks this keypoint
        for (std::size_t n = 0; n < chosen.size(); ++n) {
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
    const std::vector<Plane> planes = read_planes(heatmaps, tags, options_, call.refine);
    const Grouping grouping = group(planes, options_, match, running_mean);
    const std::vector<float> scores = pose_scores(grouping);
    const std::vector<std::size_t> chosen = best_poses(scores, call);
    Poses poses = detected_poses(grouping, scores, chosen);
    if (call.refine) poses = refine(std::move(poses), grouping, chosen, planes, options_);
    return apply_limits(add_delta(std::move(poses), options_, Origin::kAbsent), call);
}

}  // namespace posewire
