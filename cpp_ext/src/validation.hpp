#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "posewire/flip_test.hpp"
#include "posewire/options.hpp"
#include "posewire/people_decoder.hpp"
#include "posewire/poses.hpp"
#include "posewire/smoother.hpp"
#include "posewire/tensor_view.hpp"
#include "posewire/tracker.hpp"

namespace posewire {

// Each throws std::invalid_argument naming the argument, what it got and what it wants.

void validate(const DecoderOptions& options);
void validate(const ReferenceOptions& options);
void validate(const DecodeOptions& options);
void validate(const HeatmapView& heatmaps, const TagView& tags, const ModelOptions& options);
void validate(const OutputView& output, const OutputView& mirrored,
              const std::vector<int>& mirrored_keypoints);
void validate(const PosesView& poses, const std::vector<double>& oks_sigmas, double oks_threshold);
void validate(const DuplicateOptions& options, const ModelOptions& model);
void validate(const TrackerOptions& options);
void validate(const SmootherOptions& options);
/// `regions`: how many regions of colours the tracker has seen; 0: none yet.
void validate(double secs, const TrackerPoses& frame, const TrackerOptions& options,
              std::size_t regions);
void validate(double secs, const PosesView& poses, const std::uint32_t* ids);

}  // namespace posewire
