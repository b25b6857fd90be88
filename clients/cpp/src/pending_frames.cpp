#include "pending_frames.hpp"

#include <algorithm>
#include <utility>

#include "rpc_status.hpp"

namespace posewire::client::internal {

namespace {

std::variant<v1::FrameResult, Status, v1::SkipReason> value_of(v1::FrameOutcome&& outcome) {
    switch (outcome.outcome_case()) {
        case v1::FrameOutcome::kResult:
            return std::move(*outcome.mutable_result());
        case v1::FrameOutcome::kError: {
            Status error = status_from_rpc(outcome.error().status());
            return error.ok() ? Status(StatusCode::kUnknown, "the frame's error has no code")
                              : error;
        }
        default:
            return outcome.skipped().reason();  // unspecified for a kind that is newer than this
    }
}

}  // namespace

void PendingFrame::settle(v1::FrameOutcome settled) {
    outcome = std::move(settled);
    request.reset();
}

void PendingFrames::put(v1::StreamPosesRequest request) {
    if (is_latest_ && !to_send_.empty()) {
        held_.erase(std::find(held_.begin(), held_.end(), to_send_.front()));
        to_send_.clear();
    }
    request.mutable_frame()->set_frame_id(++last_id_);
    auto frame = std::make_shared<PendingFrame>();
    frame->frame_id = last_id_;
    frame->request = std::make_shared<const v1::StreamPosesRequest>(std::move(request));
    held_.push_back(frame);
    to_send_.push_back(std::move(frame));
}

std::shared_ptr<PendingFrame> PendingFrames::next_to_send(std::size_t window) {
    if (!is_send_ready(window)) {
        return nullptr;
    }
    auto frame = std::move(to_send_.front());
    to_send_.pop_front();
    frame->holds_slot = true;
    ++slots_held_;
    return frame;
}

void PendingFrames::requeue() {
    in_flight_.clear();
    to_send_.clear();
    for (const auto& frame : held_) {
        if (!frame->outcome) {
            release_slot(*frame);
            to_send_.push_back(frame);
        }
    }
    if (is_latest_ && to_send_.size() > 1) {
        const auto newest = to_send_.back();
        to_send_ = {newest};
        const auto is_replaced = [&](const auto& frame) {
            return !frame->outcome && frame != newest;
        };
        held_.erase(std::remove_if(held_.begin(), held_.end(), is_replaced), held_.end());
    }
}

std::optional<Outcome> PendingFrames::take(const std::string& model_name) {
    if (is_next_replaced()) {
        return take_replaced();
    }
    if (is_next_settled()) {
        return take_settled(model_name);
    }
    return std::nullopt;
}

bool PendingFrames::is_next_replaced() const {
    const auto oldest_held = held_.empty() ? last_id_ + 1 : held_.front()->frame_id;
    return last_taken_id_ + 1 < oldest_held;
}

Outcome PendingFrames::take_replaced() {
    Outcome outcome;
    outcome.frame_id = ++last_taken_id_;
    outcome.frames_skipped_before = skips_taken_++;
    outcome.value = v1::SKIP_REASON_SUPERSEDED;
    return outcome;
}

Outcome PendingFrames::take_settled(const std::string& model_name) {
    const auto frame = std::move(held_.front());
    held_.pop_front();
    release_slot(*frame);
    Outcome outcome;
    outcome.frame_id = last_taken_id_ = frame->frame_id;
    outcome.frames_skipped_before = skips_taken_;
    outcome.value = value_of(std::move(*frame->outcome));
    if (outcome.result() != nullptr) {
        outcome.model = model_name;
    }
    if (outcome.skipped()) {
        ++skips_taken_;
    }
    return outcome;
}

bool PendingFrames::has_free_slot(std::size_t window) const {
    // Outcomes that the caller has not taken keep their slots; otherwise they would pile up when
    // the caller is slow. The oldest frame is exempt, because they wait for its outcome.
    return in_flight_.size() < window &&
           (slots_held_ < window || to_send_.front() == held_.front());
}

void PendingFrames::release_slot(PendingFrame& frame) {
    slots_held_ -= frame.holds_slot ? 1 : 0;
    frame.holds_slot = false;
}

}  // namespace posewire::client::internal
