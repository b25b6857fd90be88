#pragma once

#include "posewire/options.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

// Each throws std::invalid_argument that names what is wrong, what came and what was wanted.

void validate(const DecoderOptions& options);
void validate(const DecodeOptions& options);
void validate(const HeatmapView& heatmaps, const TagView& tags, int keypoints);

}  // namespace posewire
