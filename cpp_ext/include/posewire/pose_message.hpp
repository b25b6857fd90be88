#pragma once

#include <cstdint>
#include <string>

#include "posewire/poses.hpp"

namespace posewire {

/// Serializes poses as the field `poses`, number 1, of posewire.v1 FrameResult and
/// EstimatePosesResponse, byte for byte as protobuf does.
///
/// @param poses with coordinates in frame space.
/// @param scores [N].
/// @param track_ids [N], 0 for a pose without a track; null: no pose has one.
std::string serialize_poses(const PosesView& poses, const float* scores,
                            const std::uint32_t* track_ids = nullptr);

}  // namespace posewire
