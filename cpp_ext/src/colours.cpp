#include "posewire/colours.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace posewire {
namespace {

/// Adds the mean of the 3 by 3 pixels around (x, y); false if they are not all in the image.
bool add_colour(const ImageView& image, double x, double y, double* sums) {
    // Also false for NaN.
    if (!(x >= 0.5 && x < image.width - 1.5 && y >= 0.5 && y < image.height - 1.5)) return false;
    const auto column = static_cast<std::ptrdiff_t>(std::floor(x + 0.5)) - 1;
    const auto row = static_cast<std::ptrdiff_t>(std::floor(y + 0.5)) - 1;
    for (int channel = 0; channel < 3; ++channel) {
        int sum = 0;
        for (int dy = 0; dy < 3; ++dy) {
            const std::uint8_t* first = image.pixels + (row + dy) * image.row_bytes + 3 * column;
            for (int dx = 0; dx < 3; ++dx) sum += first[3 * dx + channel];
        }
        sums[channel] += sum / 9.0;
    }
    return true;
}

void sample_region(const ImageView& image, const PosesView& poses, std::size_t n,
                   const BodyRegion& region, float* colour) {
    double sums[3] = {0.0, 0.0, 0.0};
    int count = 0;
    for (const BodyPoint& point : region) {
        if (!poses.has_keypoint(n, point.first) || !poses.has_keypoint(n, point.second)) continue;
        const double x =
            poses.x(n, point.first) * (1.0 - point.share) + poses.x(n, point.second) * point.share;
        const double y =
            poses.y(n, point.first) * (1.0 - point.share) + poses.y(n, point.second) * point.share;
        count += add_colour(image, x, y, sums) ? 1 : 0;
    }
    if (count == 0) return;
    for (int channel = 0; channel < 3; ++channel) {
        colour[channel] = static_cast<float>(sums[channel] / count);
    }
    colour[3] = static_cast<float>(count) / static_cast<float>(region.size());
}

}  // namespace

std::vector<float> sample_colours(const ImageView& image, const PosesView& poses,
                                  const std::vector<BodyRegion>& regions) {
    for (const BodyRegion& region : regions) {
        for (const BodyPoint& point : region) {
            if (point.first < poses.keypoint_count && point.second < poses.keypoint_count) continue;
            throw std::invalid_argument("regions: got keypoints " + std::to_string(point.first) +
                                        " and " + std::to_string(point.second) +
                                        ", want numbers below " +
                                        std::to_string(poses.keypoint_count));
        }
    }
    std::vector<float> colours(poses.count * regions.size() * 4);
    float* colour = colours.data();
    for (std::size_t n = 0; n < poses.count; ++n) {
        for (const BodyRegion& region : regions) {
            sample_region(image, poses, n, region, colour);
            colour += 4;
        }
    }
    return colours;
}

}  // namespace posewire
