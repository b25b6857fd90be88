#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posewire {

/// The seconds of posewire.v1 StageTimes, in the order of its fields: image decode, queue,
/// letterbox, inference, grouping and total. Negative ones count as 0.
using StageSecs = std::array<std::optional<double>, 6>;

/// The parts of posewire.v1 FrameResult and EstimatePosesResponse, whose first five fields are the
/// same.
struct ResultParts {
    /// The field `poses`, of `serialize_poses`.
    std::string_view poses;
    /// The fields between the poses and the stage times, serialized.
    std::string_view fields;
    StageSecs stage_secs;
};

/// The fields of a posewire.v1 FrameOutcome besides the outcome itself.
struct OutcomeFields {
    std::uint64_t frame_id = 0;
    std::uint64_t frames_skipped_before = 0;
    std::string_view resume_token;
};

/// Serializes the five fields, byte for byte as protobuf does.
std::string serialize_result(const ResultParts& parts);

/// Serializes a posewire.v1 StreamPosesResponse with the outcome `result`.
std::string serialize_outcome(const OutcomeFields& fields, const ResultParts& parts);

}  // namespace posewire
