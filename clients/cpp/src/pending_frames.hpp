#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "posewire/client/outcome.hpp"
#include "posewire/v1/pose_service.pb.h"

namespace posewire::client::internal {

/// A frame whose outcome the caller has not taken.
struct PendingFrame {
    std::uint64_t frame_id = 0;
    /// Null once there is an outcome. Shared with a transport that still writes it.
    std::shared_ptr<const v1::StreamPosesRequest> request;
    std::optional<v1::FrameOutcome> outcome;
    /// A slot of the window: from sending until the outcome is taken.
    bool holds_slot = false;

    /// Records the outcome and releases the image.
    void settle(v1::FrameOutcome settled);
};

/// Numbers the frames and returns their outcomes in order.
///
/// Frames that a newer one replaced take no memory: they are the gaps between the numbers of the
/// others. What it holds is therefore bounded by the window, however slow the caller is.
class PendingFrames {
public:
    using Queue = std::deque<std::shared_ptr<PendingFrame>>;

    explicit PendingFrames(bool is_latest) : is_latest_(is_latest) {}

    const Queue& to_send() const { return to_send_; }
    Queue& in_flight() { return in_flight_; }
    const Queue& in_flight() const { return in_flight_; }

    /// Adds the next frame. With LATEST it replaces one that waits to be sent.
    void put(v1::StreamPosesRequest request);

    /// Whether `next_to_send` has a frame.
    bool is_send_ready(std::size_t window) const {
        return !to_send_.empty() && has_free_slot(window);
    }

    /// Removes the next frame to send; null if there is none or the window is full.
    std::shared_ptr<PendingFrame> next_to_send(std::size_t window);

    /// Queues all frames without an outcome, in order; with LATEST only the newest of them.
    void requeue();

    /// Whether `take` has an outcome.
    bool is_take_ready() const { return is_next_replaced() || is_next_settled(); }

    /// Returns the next outcome in order, or nothing if there is none.
    std::optional<Outcome> take(const std::string& model_name);

private:
    bool is_next_replaced() const;
    bool is_next_settled() const { return !held_.empty() && held_.front()->outcome.has_value(); }
    bool has_free_slot(std::size_t window) const;
    Outcome take_replaced();
    Outcome take_settled(const std::string& model_name);
    void release_slot(PendingFrame& frame);

    bool is_latest_;
    Queue to_send_;
    Queue in_flight_;
    Queue held_;  // all but the replaced ones, in order
    std::size_t slots_held_ = 0;
    std::uint64_t last_id_ = 0;
    std::uint64_t last_taken_id_ = 0;
    std::uint64_t skips_taken_ = 0;
};

}  // namespace posewire::client::internal
