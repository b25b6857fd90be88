#pragma once

#include <vector>

#include "adjust.hpp"
#include "heat.hpp"
#include "posewire/options.hpp"
#include "tags.hpp"
#include "tiles.hpp"

namespace posewire {

/// A local maximum of one keypoint's heat.
struct Peak {
    int x;
    int y;
    float heat;
    Offset offset;     ///< sub-cell offset
    const float* tag;  ///< its cell's tag
};

/// The peaks of one plane with a copy of their tags, which lie together where the tensor's do not.
struct Peaks {
    std::vector<Peak> list;
    std::vector<float> tags;

    Peaks() = default;
    Peaks(Peaks&&) = default;  // a copy's peaks would point to the original's tags
    Peaks& operator=(Peaks&&) = default;
};

/// The peaks of one plane above the detection threshold, warmest first, at most max_peaks; equal
/// ones in raster order. Cells without a finite tag are none.
///
/// Of the equal neighbours of a plateau only the first in raster order is a peak: low-precision
/// inference flattens many peaks, and each extra one would open a ghost pose. Reference mode keeps
/// them all.
///
/// @param tiles all that hold heat above the detection threshold, and maybe others
Peaks find_peaks(const Heat& heat, const Tags& tags, const std::vector<Tile>& tiles,
                 const DecoderOptions& options);

}  // namespace posewire
