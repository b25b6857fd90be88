#include "posewire/pose_message.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

namespace posewire {
namespace {

enum WireType : unsigned { kVarint = 0, kBytes = 2, kFixed32 = 5 };

// Keypoint: three floats and an origin of up to two bytes, each with a key of one byte.
constexpr std::size_t kMaxKeypoint = 3 * 5 + 3;

void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
    out.push_back(static_cast<char>(value));
}

void put_key(std::string& out, unsigned field, WireType type) {
    put_varint(out, (std::uint64_t{field} << 3) | type);
}

/// Leaves out 0, as protobuf does, but not -0.
void put_float(std::string& out, unsigned field, float value) {
    std::uint32_t bits = 0;
    static_assert(sizeof bits == sizeof value);
    std::memcpy(&bits, &value, sizeof bits);
    if (bits == 0) return;
    put_key(out, field, kFixed32);
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>((bits >> shift) & 0xFF));
    }
}

void put_message(std::string& out, unsigned field, const std::string& message) {
    put_key(out, field, kBytes);
    put_varint(out, message.size());
    out += message;
}

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
    if (const auto origin = static_cast<std::uint64_t>(poses.origin(n, k)); origin != 0) {
        put_key(keypoint, 4, kVarint);
        put_varint(keypoint, origin);
    }
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
        if (track_ids && track_ids[n] != 0) {
            put_key(pose, 4, kVarint);
            put_varint(pose, track_ids[n]);
        }
        put_message(out, 1, pose);
    }
    return out;
}

}  // namespace posewire
