#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "posewire/decoder.hpp"
#include "posewire/options.hpp"
#include "posewire/poses.hpp"
#include "posewire/reference_decoder.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

/// Maps heatmap cells to pixels of the frame, along each axis: cell * scale - shift.
struct FrameFromHeatmap {
    double scale_x = 1.0;
    double scale_y = 1.0;
    double shift_x = 0.0;
    double shift_y = 0.0;
};

/// How poses of the same person are joined; see join_duplicates.
struct DuplicateOptions {
    std::vector<double> oks_sigmas;  ///< of the K keypoints
    double oks_threshold = 0.5;      ///< the lowest OKS at which COCO matches two poses
    int max_candidates = 300;        ///< the best poses, among which duplicates are searched
};

/// Decodes a network's output into the people in a frame.
///
/// Immutable after construction: any number of threads may share a PeopleDecoder.
class PeopleDecoder {
public:
    /// Joins duplicates, in frame space.
    /// @throws std::invalid_argument naming the option that is out of range.
    PeopleDecoder(Decoder decoder, DuplicateOptions duplicates);

    /// Keeps duplicates, so people may occur twice.
    explicit PeopleDecoder(ReferenceDecoder decoder);

    /// @param wanted refine is the decoder's; limits and thresholds apply to people, after
    ///     duplicates are joined.
    /// @return poses in pixels of the frame, best first, without tags; absent keypoints are at 0.
    ///     ReferenceDecoder keeps its order.
    /// @throws std::invalid_argument naming the view or option that does not fit.
    Poses decode(const HeatmapView& heatmaps, const TagView& tags, const FrameFromHeatmap& map,
                 const DecodeOptions& wanted = {}) const;

private:
    std::variant<Decoder, ReferenceDecoder> decoder_;
    std::optional<DuplicateOptions> duplicates_;
};

}  // namespace posewire
