#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posewire {

/// Where a keypoint comes from. The values are those of KeypointOrigin on the wire.
enum class Origin : std::uint8_t {
    kDetected = 1,  ///< its own peak
    kInferred = 2,  ///< filled by refine
    kAbsent = 3,    ///< not found: score, x and y are 0 (ReferenceDecoder: x and y are delta)
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

/// Keypoints of N poses, as Poses has them. A view: it owns nothing, and nothing writes through it.
struct PosesView {
    const float* keypoints = nullptr;        ///< [N, K, 2]: x, y
    const float* keypoint_scores = nullptr;  ///< [N, K]
    const Origin* origins = nullptr;         ///< [N, K]
    std::size_t count = 0;                   ///< N
    std::size_t keypoint_count = 0;          ///< K

    float x(std::size_t n, std::size_t k) const { return keypoints[2 * index(n, k)]; }
    float y(std::size_t n, std::size_t k) const { return keypoints[2 * index(n, k) + 1]; }
    float score(std::size_t n, std::size_t k) const { return keypoint_scores[index(n, k)]; }
    Origin origin(std::size_t n, std::size_t k) const { return origins[index(n, k)]; }
    bool has_keypoint(std::size_t n, std::size_t k) const {
        return origin(n, k) != Origin::kAbsent;
    }
    bool has_peak(std::size_t n, std::size_t k) const { return origin(n, k) == Origin::kDetected; }
    std::size_t index(std::size_t n, std::size_t k) const { return n * keypoint_count + k; }
};

/// A view of poses with K keypoints, valid as long as they are.
inline PosesView view_of(const Poses& poses, std::size_t k) {
    return {poses.keypoints.data(), poses.keypoint_scores.data(), poses.origins.data(),
            static_cast<std::size_t>(poses.count), k};
}

}  // namespace posewire
