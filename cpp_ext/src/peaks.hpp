#pragma once

#include <cstddef>
#include <vector>

#include "adjust.hpp"
#include "heat.hpp"
#include "posewire/tensor_view.hpp"
#include "tags.hpp"
#include "tiles.hpp"

namespace posewire {

/// A local maximum of one keypoint type's heat.
struct Peak {
    int x;
    int y;
    float score;       ///< its heat, which Decoder limits to 1
    const float* tag;  ///< of its cell
    Offset offset;     ///< from adjust
};

/// Which local maxima are peaks.
struct PeakLimits {
    double detection_threshold;  ///< they exceed it
    int max_peaks;               ///< the warmest
    /// Of equal neighbours only the first in raster order counts: low-precision inference flattens
    /// many peaks to plateaus, and each extra cell would open a ghost pose.
    bool merge_plateaus;
};

/// The local maxima whose cells have finite tags, warmest first; equal ones in raster order.
std::vector<Peak> find_peaks(const Heat& heat, const Tags& tags, const TileGrid& tiles,
                             const PeakLimits& limits);

/// The maps of one keypoint type and what was found in them.
struct Plane {
    Heat heat;
    Tags tags;
    TileGrid tiles;
    std::vector<Peak> peaks;
};

/// Reads one plane after the other, so that each is read while it is in the processor's cache.
///
/// @param read makes a Plane of Heat and Tags
template <class Read>
std::vector<Plane> read_planes(const HeatmapView& heatmaps, const TagView& tags, Nms nms,
                               Read read) {
    std::vector<Plane> planes;
    planes.reserve(static_cast<std::size_t>(heatmaps.keypoints));
    for (int k = 0; k < heatmaps.keypoints; ++k) {
        const Heat heat(heatmaps.plane(k), heatmaps.height, heatmaps.width, nms);
        planes.push_back(read(heat, Tags(tags.plane(k), tags.length)));
    }
    return planes;
}

}  // namespace posewire
