#include "posewire/people_decoder.hpp"

#include <cstddef>
#include <utility>

#include "posewire/duplicates.hpp"
#include "selection.hpp"
#include "validation.hpp"

namespace posewire {
namespace {

Poses map_to_frame(Poses poses, const FrameFromHeatmap& map) {
    for (std::size_t i = 0; i < poses.origins.size(); ++i) {
        const bool is_absent = poses.origins[i] == Origin::kAbsent;
        float& x = poses.keypoints[2 * i];
        float& y = poses.keypoints[2 * i + 1];
        x = is_absent ? 0.0F : static_cast<float>(x * map.scale_x - map.shift_x);
        y = is_absent ? 0.0F : static_cast<float>(y * map.scale_y - map.shift_y);
    }
    return poses;
}

}  // namespace

PeopleDecoder::PeopleDecoder(Decoder decoder, DuplicateOptions duplicates)
    : decoder_(std::move(decoder)), duplicates_(std::move(duplicates)) {
    validate(*duplicates_, std::get<Decoder>(decoder_).options());
}

PeopleDecoder::PeopleDecoder(ReferenceDecoder decoder) : decoder_(std::move(decoder)) {}

Poses PeopleDecoder::decode(const HeatmapView& heatmaps, const TagView& tags,
                            const FrameFromHeatmap& map, const DecodeOptions& wanted) const {
    validate(wanted);
    DecodeOptions candidates;
    candidates.refine = wanted.refine;
    if (duplicates_) candidates.max_poses = duplicates_->max_candidates;
    Poses poses = std::visit(
        [&](const auto& decoder) { return decoder.decode(heatmaps, tags, candidates); }, decoder_);
    poses.tags.clear();
    poses = map_to_frame(std::move(poses), map);
    if (duplicates_) {
        poses = join_duplicates(view_of(poses, static_cast<std::size_t>(heatmaps.keypoints)),
                                duplicates_->oks_sigmas, duplicates_->oks_threshold);
    }
    return apply_limits(drop_poses_below(std::move(poses), wanted.min_pose_score), wanted);
}

}  // namespace posewire
