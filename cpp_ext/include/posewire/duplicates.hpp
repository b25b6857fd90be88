#pragma once

#include <vector>

#include "posewire/poses.hpp"

namespace posewire {

/// One pose for each person, of poses that may lie on each other.
///
/// A pose whose object keypoint similarity (OKS, as COCO defines it) with a better one exceeds the
/// threshold is its duplicate and left out. It is summed over the keypoints that both have and
/// divided by the number that the weaker one has; the area is the mean of their boxes', each at
/// least 1. Peaks of the duplicate that are warmer than what the better pose has there pass over to
/// it: where grouping splits a person, or gives it the peak of an echo, the right ones are in the
/// duplicate.
///
/// @param poses the best first, in a unit of length that is small beside them.
/// @param oks_sigmas of the K keypoints.
/// @return the best first, with the scores that their peaks make; they have no tags.
/// @throws std::invalid_argument naming what does not fit.
Poses join_duplicates(const PosesView& poses, const std::vector<double>& oks_sigmas,
                      double oks_threshold);

}  // namespace posewire
