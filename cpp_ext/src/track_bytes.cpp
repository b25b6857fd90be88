#include "track_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace posewire {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr double kPixelSteps = 8.0;
constexpr double kMillis = 1e3;

/// Little-endian, whatever the machine.
class Writer {
public:
    void unsigned_bytes(std::uint64_t value, int count) {
        for (int i = 0; i < count; ++i) {
            bytes_.push_back(static_cast<char>(value & 0xFFU));
            value >>= 8U;
        }
    }

    void number(double value) {
        std::uint64_t bits = 0;
        static_assert(sizeof bits == sizeof value);
        std::memcpy(&bits, &value, sizeof bits);
        unsigned_bytes(bits, 8);
    }

    void number(float value) {
        std::uint32_t bits = 0;
        static_assert(sizeof bits == sizeof value);
        std::memcpy(&bits, &value, sizeof bits);
        unsigned_bytes(bits, 4);
    }

    /// A multiple of 1/8 that fits 24 bits; the nearest of those for others.
    void position(double value) {
        const double limit = 8388607.0;
        const double steps = std::isnan(value) ? 0.0 : std::round(value * kPixelSteps);
        const auto clamped = static_cast<std::int64_t>(std::clamp(steps, -limit, limit));
        unsigned_bytes(static_cast<std::uint64_t>(clamped), 3);
    }

    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class Reader {
public:
    explicit Reader(const std::string& bytes) : bytes_(bytes) {}

    std::uint64_t unsigned_bytes(int count) {
        std::uint64_t value = 0;
        for (int i = 0; i < count; ++i) {
            if (at_ >= bytes_.size()) throw std::invalid_argument("state: got too few bytes");
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_++]))
                     << (8U * static_cast<unsigned>(i));
        }
        return value;
    }

    double number() {
        const std::uint64_t bits = unsigned_bytes(8);
        double value = 0.0;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }

    double finite() { return required(number()); }

    float finite_float() {
        const auto bits = static_cast<std::uint32_t>(unsigned_bytes(4));
        float value = 0.0F;
        std::memcpy(&value, &bits, sizeof value);
        return static_cast<float>(required(static_cast<double>(value)));
    }

    double position() {
        auto steps = static_cast<std::int64_t>(unsigned_bytes(3));
        if (steps >= (1 << 23)) steps -= 1 << 24;
        return static_cast<double>(steps) / kPixelSteps;
    }

    bool is_at_end() const { return at_ == bytes_.size(); }

private:
    static double required(double value) {
        if (!std::isfinite(value)) {
            throw std::invalid_argument("state: got a number that is not finite");
        }
        return value;
    }

    const std::string& bytes_;
    std::size_t at_ = 0;
};

void write_track(Writer& writer, const Track& track, double now) {
    writer.unsigned_bytes(track.id, 4);
    writer.unsigned_bytes(static_cast<std::uint64_t>(
                              std::llround(std::clamp((now - track.secs) * kMillis, 0.0, 4e9))),
                          4);
    writer.number(static_cast<float>(track.scale));
    writer.unsigned_bytes(track.is_moving ? 1 : 0, 1);
    writer.position(track.body_vx);
    writer.position(track.body_vy);
    for (std::size_t k = 0; k < track.x.size(); ++k) {
        writer.unsigned_bytes(track.is_known[k] != 0 ? 1 : 0, 1);
        writer.position(track.x[k]);
        writer.position(track.y[k]);
        writer.position(track.vx[k]);
        writer.position(track.vy[k]);
    }
    writer.unsigned_bytes(track.colours.size() / 4, 1);
    for (const float colour : track.colours) {
        const double value = std::isfinite(colour) ? static_cast<double>(colour) : 0.0;
        writer.unsigned_bytes(
            static_cast<std::uint64_t>(std::lround(std::clamp(value, 0.0, 255.0) * 256.0)), 2);
    }
}

Track read_track(Reader& reader, const SavedHead& head) {
    Track track;
    track.id = static_cast<std::uint32_t>(reader.unsigned_bytes(4));
    track.hits = 1;
    track.secs = head.secs - static_cast<double>(reader.unsigned_bytes(4)) / kMillis;
    track.scale = reader.finite_float();
    track.is_moving = reader.unsigned_bytes(1) != 0;
    track.body_vx = reader.position();
    track.body_vy = reader.position();
    for (std::size_t k = 0; k < head.keypoints; ++k) {
        track.is_known.push_back(reader.unsigned_bytes(1) != 0 ? 1 : 0);
        track.x.push_back(reader.position());
        track.y.push_back(reader.position());
        track.vx.push_back(reader.position());
        track.vy.push_back(reader.position());
    }
    const auto regions = static_cast<std::size_t>(reader.unsigned_bytes(1));
    if (track.id == 0 || track.id >= head.next_id || !(track.scale > 0.0) ||
        (regions != 0 && regions != head.regions)) {
        throw std::invalid_argument("state: got a track that no tracker has");
    }
    for (std::size_t i = 0; i < 4 * regions; ++i) {
        track.colours.push_back(static_cast<float>(reader.unsigned_bytes(2)) / 256.0F);
    }
    return track;
}

}  // namespace

std::string pack(const SavedHead& head, const std::vector<const Track*>& tracks, double now) {
    Writer writer;
    writer.unsigned_bytes(kVersion, 1);
    writer.unsigned_bytes(head.keypoints, 2);
    writer.unsigned_bytes(head.regions, 1);
    writer.unsigned_bytes(head.next_id, 4);
    writer.number(head.secs);
    writer.unsigned_bytes(tracks.size(), 2);
    for (const Track* track : tracks) write_track(writer, *track, now);
    return writer.take();
}

SavedTracks unpack(const std::string& bytes, std::size_t keypoints) {
    Reader reader(bytes);
    SavedTracks saved;
    if (reader.unsigned_bytes(1) != kVersion) {
        throw std::invalid_argument("state: got another version, want 1");
    }
    saved.head.keypoints = static_cast<std::size_t>(reader.unsigned_bytes(2));
    if (saved.head.keypoints != keypoints) {
        throw std::invalid_argument("state: got " + std::to_string(saved.head.keypoints) +
                                    " keypoints, want " + std::to_string(keypoints));
    }
    saved.head.regions = static_cast<std::size_t>(reader.unsigned_bytes(1));
    saved.head.next_id = static_cast<std::uint32_t>(reader.unsigned_bytes(4));
    saved.head.secs = reader.number();
    const auto count = static_cast<std::size_t>(reader.unsigned_bytes(2));
    const bool has_frame = std::isfinite(saved.head.secs);
    if (saved.head.next_id == 0 || (!has_frame && (count > 0 || !(saved.head.secs < 0.0)))) {
        throw std::invalid_argument("state: got a head that no tracker has");
    }
    for (std::size_t i = 0; i < count; ++i) saved.tracks.push_back(read_track(reader, saved.head));
    if (!reader.is_at_end()) throw std::invalid_argument("state: got too many bytes");
    return saved;
}

}  // namespace posewire
