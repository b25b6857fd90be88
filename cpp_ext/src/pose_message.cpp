#include "posewire/pose_message.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "wire_writer.hpp"

namespace posewire {
namespace {

// Keypoint: three floats and an origin of up to two bytes, each with a key of one byte.
constexpr std::size_t kMaxKeypoint = 3 * 5 + 3;

/// The box around the keypoints that are not absent; inverted if there is none.
std::string box_message(const PosesView& poses, std::size_t n) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    float left = kInfinity;
    float top = kInfinity;
    float right = -kInfinity;
    float bottom = -kInfinity;
    for (std::size_t k = 0; k < poses.keypoint_count; ++k) {
        if (!poses.has_keypoint(n, k)) continue;
        left = std::min(left, poses.x(n, k));
        top = std::min(top, poses.y(n, k));
        right = std::max(right, poses.x(n, k));
        bottom = std::max(bottom, poses.y(n, k));
    }
    std::string box;
    put_float(box, 1, left);
    put_float(box, 2, top);
    put_float(box, 3, right);
    put_float(box, 4, bottom);
    return box;
}

std::string keypoint_message(const PosesView& poses, std::size_t n, std::size_t k) {
    std::string keypoint;
    keypoint.reserve(kMaxKeypoint);
    put_float(keypoint, 1, poses.x(n, k));
    put_float(keypoint, 2, poses.y(n, k));
    put_float(keypoint, 3, poses.score(n, k));
    put_number(keypoint, 4, static_cast<std::uint64_t>(poses.origin(n, k)));
    return keypoint;
}

}  // namespace

std::string serialize_poses(const PosesView& poses, const float* scores,
                            const std::uint32_t* track_ids) {
    std::string out;
    std::string pose;
    for (std::size_t n = 0; n < poses.count; ++n) {
        pose.clear();
        put_float(pose, 1, scores[n]);
        put_message(pose, 2, box_message(poses, n));
        for (std::size_t k = 0; k < poses.keypoint_count; ++k) {
            put_message(pose, 3, keypoint_message(poses, n, k));
        }
        if (track_ids) put_number(pose, 4, track_ids[n]);
        put_message(out, 1, pose);
    }
    return out;
}

}  // namespace posewire
