#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "posewire/client/status.hpp"
#include "posewire/v1/stream.pb.h"

namespace posewire::client {

/// The outcome of one frame of a stream: a result, an error or a skip.
struct Outcome {
    /// Counts the frames of the stream from 1, across all calls that carry it.
    std::uint64_t frame_id = 0;

    /// The number of frames of the stream that were skipped before this one.
    std::uint64_t frames_skipped_before = 0;

    /// The name of the stream's model. Empty for a frame that got no further than this client.
    std::string model;

    std::variant<v1::FrameResult, Status, v1::SkipReason> value;

    /// Returns the result, or null if the frame has none.
    const v1::FrameResult* result() const { return std::get_if<v1::FrameResult>(&value); }

    /// Returns why the frame could not be processed, or null. The stream goes on; do not resend the
    /// frame.
    const Status* error() const { return std::get_if<Status>(&value); }

    /// Returns why the frame was not processed, if so. This is not an error. A kind of outcome that
    /// is newer than this library counts as skipped, with SKIP_REASON_UNSPECIFIED.
    std::optional<v1::SkipReason> skipped() const {
        const auto* skip_reason = std::get_if<v1::SkipReason>(&value);
        return skip_reason == nullptr ? std::nullopt : std::optional(*skip_reason);
    }
};

}  // namespace posewire::client
