#pragma once

#include "posewire/options.hpp"
#include "posewire/poses.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

/// Decodes as the accuracy checker of Open Model Zoo does, quirks included.
///
/// Where it differs from Decoder:
/// - A plateau of heat has as many peaks as cells.
/// - The cost of joining a peak of heat h, with d its distance from the pose's tag, D that from the
///   mean place of the pose's peaks, D_near that of the nearest peak of this type and T the tag
///   threshold, is 100 round(d D / (D_near + 1e-10)) - h if d < T, else 100 round(d) - h. Half
///   rounds to even. Opening a pose costs 1e10, and a peak assigned to a pose with d >= T opens
///   one.
/// - Refine takes the warmest of the cells nearest in tag, after rounding, anywhere in the map.
/// - The offset is a quarter of a cell, and none near an edge. Delta is added to detected and
///   absent keypoints only. Scores are not limited to 1.
///
/// Maps on which the original fails (NaN, infinity, fewer cells than peaks) are handled as Decoder
/// does.
///
/// Immutable after construction: any number of threads may share a ReferenceDecoder.
class ReferenceDecoder {
public:
    using Options = ReferenceOptions;

    /// @throws std::invalid_argument naming the option that is out of range.
    explicit ReferenceDecoder(ReferenceOptions options = {});

    const ReferenceOptions& options() const { return options_; }

    /// @return the poses in the order in which grouping opened them.
    /// @throws std::invalid_argument naming the view or option that does not fit.
    Poses decode(const HeatmapView& heatmaps, const TagView& tags,
                 const DecodeOptions& call = {}) const;

private:
    ReferenceOptions options_;
};

}  // namespace posewire
