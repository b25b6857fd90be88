#pragma once

#include <cstddef>
#include <vector>

#include "peaks.hpp"
#include "posewire/options.hpp"

namespace posewire {

/// Poses as sets of peaks.
struct Grouping {
    int count = 0;
    std::vector<const Peak*> members;  ///< [pose, keypoint]; null where the pose has no peak
    std::vector<float> tags;           ///< [pose, component]: mean tag of the members
};

/// Matches peaks to poses, one keypoint type after the other, by tag distance and nearness.
///
/// @param peaks of each keypoint type; they must outlive the result, whose members point to them.
Grouping group(const std::vector<const std::vector<Peak>*>& peaks, std::size_t tag_length,
               const DecoderOptions& options);

}  // namespace posewire
