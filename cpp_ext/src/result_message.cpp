#include "posewire/result_message.hpp"

#include <algorithm>
#include <cmath>

#include "wire_writer.hpp"

namespace posewire {
namespace {

// Fields of FrameResult, FrameOutcome and StreamPosesResponse.
constexpr unsigned kStageTimes = 5;
constexpr unsigned kFrameId = 1;
constexpr unsigned kFramesSkippedBefore = 2;
constexpr unsigned kResult = 3;
constexpr unsigned kResumeToken = 6;
constexpr unsigned kOutcome = 2;

// The most that a google.protobuf.Duration holds is more than a thousand times as long.
constexpr double kMaxNanos = 9e18;
constexpr std::uint64_t kNanosPerSec = 1'000'000'000;

std::string duration_message(double secs) {
    const double nanos = std::nearbyint(std::min(std::max(0.0, 1e9 * secs), kMaxNanos));
    const auto whole = static_cast<std::uint64_t>(nanos);
    std::string duration;
    put_number(duration, 1, whole / kNanosPerSec);
    put_number(duration, 2, whole % kNanosPerSec);
    return duration;
}

}  // namespace

std::string serialize_result(const ResultParts& parts) {
    std::string times;
    for (std::size_t i = 0; i < parts.stage_secs.size(); ++i) {
        if (!parts.stage_secs[i]) continue;
        put_message(times, static_cast<unsigned>(i + 1), duration_message(*parts.stage_secs[i]));
    }
    std::string result;
    constexpr std::size_t kHeader = 8;
    result.reserve(parts.poses.size() + parts.fields.size() + times.size() + kHeader);
    result += parts.poses;
    result += parts.fields;
    put_message(result, kStageTimes, times);
    return result;
}

std::string serialize_outcome(const OutcomeFields& fields, const ResultParts& parts) {
    std::string outcome;
    put_number(outcome, kFrameId, fields.frame_id);
    put_number(outcome, kFramesSkippedBefore, fields.frames_skipped_before);
    put_message(outcome, kResult, serialize_result(parts));
    if (!fields.resume_token.empty()) put_message(outcome, kResumeToken, fields.resume_token);
    std::string response;
    put_message(response, kOutcome, outcome);
    return response;
}

}  // namespace posewire
