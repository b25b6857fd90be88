#pragma once

#include <cstddef>
#include <vector>

#include "posewire/options.hpp"
#include "posewire/poses.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

// Each throws std::invalid_argument that names what is wrong, what came and what was wanted.

void validate(const DecoderOptions& options);
void validate(const DecodeOptions& options);
void validate(const HeatmapView& heatmaps, std::size_t keypoints);
void validate(const TagView& tags, const HeatmapView& heatmaps);
void validate(const PosesView& poses, const std::vector<double>& oks_sigmas, double oks_threshold);

}  // namespace posewire
