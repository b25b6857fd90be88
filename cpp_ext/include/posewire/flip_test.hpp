#pragma once

#include <vector>

#include "posewire/tensor_view.hpp"

namespace posewire {

/// A network's output for an image, or for its mirror image.
struct OutputView {
    HeatmapView heatmaps;  ///< signed: the network's non-maximum suppression negates cells
    TagView tags;
};

/// Combines the outputs for an image and for its mirror image, as HigherHRNet does (Cheng et al.,
/// 2020): the heat of a cell is the mean of both, and its tag has the components of both.
///
/// Column x of the mirror image belongs to column `width - 1 - x`, and keypoint k to
/// `mirrored_keypoints[k]`: a left one to its right counterpart.
///
/// @param heatmaps room for as many floats as `output.heatmaps` has; gets unsigned heat, without
///     non-maximum suppression. A cell that is not finite in one output is not finite here.
/// @param tags room for twice as many floats as `output.tags` has
/// @throws std::invalid_argument for outputs of different shapes, and other keypoints
void merge_mirrored(const OutputView& output, const OutputView& mirrored,
                    const std::vector<int>& mirrored_keypoints, float* heatmaps, float* tags);

}  // namespace posewire
