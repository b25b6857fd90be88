#pragma once

#include <cstddef>
#include <vector>

#include "grouping.hpp"
#include "heat.hpp"
#include "posewire/options.hpp"
#include "posewire/poses.hpp"

namespace posewire {

/// The score of each pose: the mean of its K keypoints' scores, missing ones counting 0. This is
/// the ranking that published AP uses.
std::vector<float> pose_scores(const Grouping& grouping);

/// The poses that score enough, best first; equal ones in the order in which they were opened.
///
/// At most max_poses, unless keypoints may be hidden: then poses may drop out after refine.
std::vector<std::size_t> best_poses(const std::vector<float>& scores, DecodeOptions call);

/// These poses in this order, with their detected keypoints in cells; others are absent, at (0, 0).
Poses detected_poses(const Grouping& grouping, const std::vector<float>& scores,
                     const std::vector<std::size_t>& chosen);

/// Sets keypoint i of [N, K] to a place in cells.
void place(Poses& poses, std::size_t i, const Cell& cell, const Offset& offset, Origin origin);

/// Adds delta to all keypoints but those of one origin.
Poses add_delta(Poses poses, const ModelOptions& options, Origin except);

/// Drops poses that score lower.
Poses drop_poses_below(Poses poses, double score);

/// Hides keypoints below min_keypoint_score, drops poses without any, and keeps the best max_poses
/// in their order.
Poses apply_limits(Poses poses, const DecodeOptions& call);

}  // namespace posewire
