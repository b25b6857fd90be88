#pragma once

#include <optional>
#include <vector>

namespace posewire {

/// Where non-maxima were suppressed.
enum class Nms {
    kGraph,    ///< in the network: non-maxima hold the negated heat
    kDecoder,  ///< not yet: maps are unsigned and the decoder compares each cell with its 5x5
               ///< window
};

/// How the sub-cell offset of a keypoint is found from the heat of the four neighbours.
enum class Adjust {
    kParabola,  ///< vertex of the parabola through three cells, per axis, at most half a cell
    kQuarter,   ///< a quarter of a cell towards the warmer neighbour, per axis
};

/// The order in which keypoint types are grouped: trunk first, because it is seen most reliably.
inline std::vector<int> coco_grouping_order() {
    return {0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16};
}

/// What holds for a model; fixed for the life of a Decoder.
struct DecoderOptions {
    double detection_threshold = 0.1;  ///< a peak's heat must exceed this
    /// A peak joins a pose only if their tags are nearer than this; how much nearer depends on how
    /// warm both are and on how near the peak lies.
    double tag_threshold = 1.0;
    double refine_threshold = 0.015;  ///< a cell that fills a missing keypoint must exceed this
    int max_peaks = 100;              ///< peaks kept per keypoint type, warmest first
    float delta_x = 0.5F;             ///< cells added to every x
    float delta_y = 0.5F;             ///< cells added to every y
    Nms nms = Nms::kGraph;
    Adjust adjust = Adjust::kParabola;
    /// Behave as the accuracy-checker decoder of Open Model Zoo does, quirks included. Exact with
    /// max_peaks 30 and Adjust::kQuarter.
    bool reference = false;
    /// Every keypoint type once; its length is the number of keypoints that maps must have.
    std::vector<int> grouping_order = coco_grouping_order();
};

/// What may differ from call to call.
struct DecodeOptions {
    std::optional<int> max_poses;     ///< keep the best-scoring ones; no limit when absent
    double min_pose_score = 0.0;      ///< poses that score lower are dropped before refine
    double min_keypoint_score = 0.0;  ///< lower ones become absent; poses without any are dropped
    bool refine = true;               ///< fill missing keypoints from cells near pose and tag
};

}  // namespace posewire
