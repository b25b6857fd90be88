#pragma once

#include <vector>

#include "posewire/poses.hpp"

namespace posewire {

/// Joins poses of the same person.
///
/// A pose is a duplicate of a better one if their object keypoint similarity (OKS, as COCO defines
/// it) exceeds the threshold. OKS is summed over the keypoints that both have and divided by the
/// number that the weaker one has; its area is the mean of their boxes' areas, each at least 1. The
/// better pose takes the peaks of the duplicate that are warmer than its own keypoints: where
/// grouping splits a person, or gives it the peak of an echo, the duplicate has the right ones.
///
/// @param poses best first, in a unit of length that is small compared with a person.
/// @param oks_sigmas of the K keypoints.
/// @return one pose for each person, best first, scored by their peaks and without tags.
/// @throws std::invalid_argument naming what does not fit.
Poses join_duplicates(const PosesView& poses, const std::vector<double>& oks_sigmas,
                      double oks_threshold);

}  // namespace posewire
