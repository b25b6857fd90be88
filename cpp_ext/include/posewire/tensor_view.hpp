#pragma once

#include <cstddef>

namespace posewire {

/// Heat of every cell, float32 [keypoint, y, x] without gaps. A view: it owns nothing, and nothing
/// writes through it.
struct HeatmapView {
    const float* data = nullptr;
    int keypoints = 0;
    int height = 0;
    int width = 0;

    const float* plane(int keypoint) const {
        return data + std::ptrdiff_t{keypoint} * height * width;
    }
};

/// Associative-embedding tags of every cell, float32 [keypoint, y, x, component] without gaps.
struct TagView {
    const float* data = nullptr;
    int keypoints = 0;
    int height = 0;
    int width = 0;
    int length = 1;  ///< components of one tag; 2 where the outputs of a flipped pass were appended

    const float* plane(int keypoint) const {
        return data + std::ptrdiff_t{keypoint} * height * width * length;
    }
};

}  // namespace posewire
