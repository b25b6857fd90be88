#pragma once

#include <vector>

#include "posewire/options.hpp"
#include "posewire/people_decoder.hpp"
#include "posewire/poses.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

// Each throws std::invalid_argument naming the argument, what it got and what it wants.

void validate(const DecoderOptions& options);
void validate(const ReferenceOptions& options);
void validate(const DecodeOptions& options);
void validate(const HeatmapView& heatmaps, const TagView& tags, const ModelOptions& options);
void validate(const PosesView& poses, const std::vector<double>& oks_sigmas, double oks_threshold);
void validate(const DuplicateOptions& options, const ModelOptions& model);

}  // namespace posewire
