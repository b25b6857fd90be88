#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posewire {

/// Where a keypoint comes from. The values are those of KeypointOrigin on the wire.
enum class Origin : std::uint8_t {
    kDetected = 1,  ///< its own peak
    kInferred = 2,  ///< filled by refine
    kAbsent = 3,    ///< not found: score is 0, x and y are too, or delta in reference mode
};

/// N poses of K keypoints in flat row-major arrays.
struct Poses {
    int count = 0;                       ///< N
    std::vector<float> keypoints;        ///< [N, K, 2]: x, y in heatmap cells
    std::vector<float> keypoint_scores;  ///< [N, K]
    std::vector<Origin> origins;         ///< [N, K]
    std::vector<float> scores;           ///< [N]: mean score of the K keypoints before refine
    std::vector<float> tags;             ///< [N, L]: mean tag of the detected keypoints
};

/// Places, heat and origins of N poses, as Poses has them. A view: it owns nothing and nothing
/// writes through it.
struct PosesView {
    const float* keypoints = nullptr;        ///< [N, K, 2]: x, y
    const float* keypoint_scores = nullptr;  ///< [N, K]
    const Origin* origins = nullptr;         ///< [N, K]
    int count = 0;                           ///< N
    int keypoint_count = 0;                  ///< K
};

}  // namespace posewire
