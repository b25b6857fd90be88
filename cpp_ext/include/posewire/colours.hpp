#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "posewire/poses.hpp"

namespace posewire {

/// A point of the body on the line between two keypoints: 0 is the first, 1 the second.
struct BodyPoint {
    std::size_t first = 0;
    std::size_t second = 0;
    double share = 0.5;
};

/// Points whose colours are averaged, such as those of both thighs.
using BodyRegion = std::vector<BodyPoint>;

/// An image (height, width, 3) of bytes. A view: it owns nothing.
struct ImageView {
    const std::uint8_t* pixels = nullptr;
    std::ptrdiff_t row_bytes = 0;  ///< from a row to the next
    int height = 0;
    int width = 0;
};

/// Returns the colours of the regions of each pose: [N, R, 4], three channels and the share of the
/// region's points that lie between two keypoints and in the image; all 0 where that is 0.
///
/// A point's colour is the mean of the 3 by 3 pixels around it.
///
/// @param poses in pixels of the image.
/// @throws std::invalid_argument if a region names a keypoint that poses do not have.
std::vector<float> sample_colours(const ImageView& image, const PosesView& poses,
                                  const std::vector<BodyRegion>& regions);

}  // namespace posewire
