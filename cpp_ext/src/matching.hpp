#pragma once

#include <vector>

#include "grouping.hpp"

namespace posewire {

// Chosen on painted scenes and the bundled network's maps: see docs/accuracy.md.
constexpr float kTagSpread = 0.4F;      // spread of one person's tags; below it nearness decides
constexpr float kSpatialSlack = 60.0F;  // cells; softens the effect of distance
constexpr float kOwnReach = 20.0F;      // cells beyond its length where a pose may have peaks
constexpr float kScoreWeight = 0.6F;    // of the score that peak and pose share
constexpr float kOpeningFactor = 0.5F;  // of the tag threshold: the cost of opening a pose

/// Matches the peaks of one keypoint type to poses, or to new ones, at the least total cost.
///
/// For a peak p, a pose q and the tag threshold T let
///
///     d       distance of their tags
///     D       distance of p from the mean place of q's peaks, in cells
///     L       longest distance of q's peaks on x or y, in cells
///     D_near  min(least D of any of the peaks and q, L + kOwnReach)
///     s, S    score of p, mean score of q's peaks
///
/// Opening a pose costs kOpeningFactor T. p can join q if d < T and if joining, which costs
///
///     sqrt(d² + kTagSpread²) (D + kSpatialSlack) / (D_near + kSpatialSlack)
///         - kScoreWeight min(s, S),
///
/// costs less.
///
/// D_near is limited because the nearest peak of a pose that has none of this type is another
/// person's. The last term separates a person from its echoes, which have the same tags: the sum of
/// shared scores is greatest if warm peaks join the warm pose.
///
/// @return the pose of each peak, or kNewPose
std::vector<int> match(const Grouping& poses, const std::vector<Peak>& peaks, double tag_threshold);

/// The running mean that does not overflow.
float running_mean(float mean, float n, float value);

}  // namespace posewire
