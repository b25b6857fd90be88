#include "posewire/flip_test.hpp"

#include <cmath>
#include <cstddef>

#include "validation.hpp"

namespace posewire {
namespace {

void merge_heat(const float* row, const float* mirrored, std::size_t width, float* merged) {
    for (std::size_t x = 0; x < width; ++x) {
        // Halved first: the sum of two finite numbers need not be finite.
        merged[x] = 0.5F * std::fabs(row[x]) + 0.5F * std::fabs(mirrored[width - 1 - x]);
    }
}

void merge_tags(const float* row, const float* mirrored, std::size_t width, std::size_t length,
                float* merged) {
    if (length == 1) {  // the usual case, of which the compiler makes a faster loop
        for (std::size_t x = 0; x < width; ++x) {
            merged[2 * x] = row[x];
            merged[2 * x + 1] = mirrored[width - 1 - x];
        }
        return;
    }
    for (std::size_t x = 0; x < width; ++x) {
        for (std::size_t i = 0; i < length; ++i) {
            merged[2 * x * length + i] = row[x * length + i];
            merged[(2 * x + 1) * length + i] = mirrored[(width - 1 - x) * length + i];
        }
    }
}

}  // namespace

void merge_mirrored(const OutputView& output, const OutputView& mirrored,
                    const std::vector<int>& mirrored_keypoints, float* heatmaps, float* tags) {
    validate(output, mirrored, mirrored_keypoints);
    const auto width = static_cast<std::size_t>(output.heatmaps.width);
    const auto height = static_cast<std::size_t>(output.heatmaps.height);
    const auto length = static_cast<std::size_t>(output.tags.length);
    for (std::size_t k = 0; k < mirrored_keypoints.size(); ++k) {
        const int keypoint = static_cast<int>(k);
        const int counterpart = mirrored_keypoints[k];
        for (std::size_t y = 0; y < height; ++y) {
            const std::size_t row = y * width;
            merge_heat(output.heatmaps.plane(keypoint) + row,
                       mirrored.heatmaps.plane(counterpart) + row, width, heatmaps);
            merge_tags(output.tags.plane(keypoint) + row * length,
                       mirrored.tags.plane(counterpart) + row * length, width, length, tags);
            heatmaps += width;
            tags += 2 * width * length;
        }
    }
}

}  // namespace posewire
