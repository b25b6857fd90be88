#pragma once

#include <optional>
#include <vector>

namespace posewire {

/// Where non-maxima are suppressed.
enum class Nms {
    kGraph,    ///< in the network: non-maxima hold the negated heat
    kDecoder,  ///< in the decoder: maps are unsigned, and it compares each cell with its 5x5 window
};

/// How the sub-cell offset of a keypoint follows from the heat of its four neighbours.
enum class Adjust {
    kParabola,  ///< vertex of the parabola through three cells, per axis, at most half a cell
    kQuarter,   ///< a quarter of a cell towards the warmer neighbour, per axis
};

/// The order in which keypoint types are grouped: trunk first, because it is detected most
/// reliably.
inline std::vector<int> coco_grouping_order() {
    return {0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16};
}

/// Options that both decoders have, fixed for the life of a decoder.
struct ModelOptions {
    double detection_threshold = 0.1;  ///< a peak's heat must exceed this
    double tag_threshold = 1.0;        ///< a peak joins a pose only if their tags are nearer
    float delta_x = 0.5F;              ///< cells added to x
    float delta_y = 0.5F;              ///< cells added to y
    Nms nms = Nms::kGraph;
    /// Every keypoint type once; its length is the number of keypoints that maps must have.
    std::vector<int> grouping_order = coco_grouping_order();
};

/// Options of Decoder.
struct DecoderOptions : ModelOptions {
    int max_peaks = 100;              ///< peaks kept per keypoint type, warmest first
    double refine_threshold = 0.015;  ///< a cell that fills a missing keypoint must exceed this
    Adjust adjust = Adjust::kParabola;
};

/// Options of ReferenceDecoder: the parameters that the accuracy checker's adapter has.
struct ReferenceOptions : ModelOptions {
    int max_peaks = 30;  ///< peaks kept per keypoint type, warmest first
};

/// Options of one call.
struct DecodeOptions {
    std::optional<int> max_poses;     ///< keep the best-scoring poses; no limit when absent
    double min_pose_score = 0.0;      ///< drop poses that score lower, before refine
    double min_keypoint_score = 0.0;  ///< hide weaker keypoints; drop poses left without any
    bool refine = true;               ///< fill missing keypoints from cells near the pose's tag
};

}  // namespace posewire
