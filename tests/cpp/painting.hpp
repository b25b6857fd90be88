#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <type_traits>
#include <vector>

#include "posewire/decoder.hpp"
#include "posewire/reference_decoder.hpp"

/// Heatmaps and tags as an associative-embedding network would emit them for people whose keypoints
/// the test names, and what to expect of the poses decoded from them.
namespace painting {

constexpr float kSigma = 2.0F;  // of the Gaussians that the networks are trained on, in cells
constexpr int kReach = 6;       // three sigma, where a Gaussian is 1 % of its peak
constexpr int kNmsReach = 2;    // the 5x5 window of the network's non-maximum suppression

/// A place in heatmap cells; the centre of cell i is at i + 0.5.
struct Point {
    float x;
    float y;
};

/// What the network sees of one person; keypoints without a place are not seen.
struct Person {
    std::vector<std::optional<Point>> keypoints;
    std::vector<float> tag;
    float heat = 0.9F;
};

/// A person three cells wide and four high per row of keypoints, the first of them at (x, y).
inline Person person_at(float x, float y, float tag, int keypoints = 3) {
    Person person{{}, {tag}};
    for (int k = 0; k < keypoints; ++k) {
        const auto column = static_cast<float>(k % 2);
        const auto row = static_cast<float>(k / 2);
        person.keypoints.push_back(Point{x + 3.0F * column, y + 4.0F * row});
    }
    return person;
}

/// One frame's heat [k, y, x] and tags [k, y, x, component], all 0 at first.
class Maps {
public:
    Maps(int keypoints, int height, int width, int tag_length = 1)
        : keypoints_(keypoints), height_(height), width_(width), tag_length_(tag_length) {
        heat_.resize(index(keypoints, 0, 0));
        tags_.resize(heat_.size() * static_cast<std::size_t>(tag_length));
    }

    int keypoints() const { return keypoints_; }
    int height() const { return height_; }
    int width() const { return width_; }
    int tag_length() const { return tag_length_; }
    std::vector<float>& heat() { return heat_; }
    const std::vector<float>& heat() const { return heat_; }
    std::vector<float>& tags() { return tags_; }
    const std::vector<float>& tags() const { return tags_; }

    float& heat(int k, int x, int y) { return heat_[index(k, x, y)]; }
    float heat(int k, int x, int y) const { return heat_[index(k, x, y)]; }
    float* tag(int k, int x, int y) {
        return tags_.data() + index(k, x, y) * static_cast<std::size_t>(tag_length_);
    }
    const float* tag(int k, int x, int y) const {
        return tags_.data() + index(k, x, y) * static_cast<std::size_t>(tag_length_);
    }
    bool has(int x, int y) const { return 0 <= x && x < width_ && 0 <= y && y < height_; }

    /// A lone cell with its tag in every component.
    void set(int k, int x, int y, float heat_value, float tag_value) {
        heat(k, x, y) = heat_value;
        std::fill_n(tag(k, x, y), tag_length_, tag_value);
    }

    posewire::HeatmapView heatmap_view() const {
        return {heat_.data(), keypoints_, height_, width_};
    }
    posewire::TagView tag_view() const {
        return {tags_.data(), keypoints_, height_, width_, tag_length_};
    }

private:
    std::size_t index(int k, int x, int y) const {
        const auto row = static_cast<std::size_t>(k) * static_cast<std::size_t>(height_) +
                         static_cast<std::size_t>(y);
        return row * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
    }

    int keypoints_;
    int height_;
    int width_;
    int tag_length_;
    std::vector<float> heat_;
    std::vector<float> tags_;
};

/// Where Gaussians overlap, each cell takes the heat and the tag of the highest.
inline void paint_gaussian(Maps& maps, int k, const Point& place, float heat,
                           const std::vector<float>& tag) {
    const int left = static_cast<int>(std::floor(place.x)) - kReach;
    const int top = static_cast<int>(std::floor(place.y)) - kReach;
    for (int y = top; y <= top + 2 * kReach; ++y) {
        for (int x = left; x <= left + 2 * kReach; ++x) {
            if (!maps.has(x, y)) continue;
            const float dx = static_cast<float>(x) + 0.5F - place.x;
            const float dy = static_cast<float>(y) + 0.5F - place.y;
            const float value = heat * std::exp(-(dx * dx + dy * dy) / (2.0F * kSigma * kSigma));
            if (!(value > maps.heat(k, x, y))) continue;
            maps.heat(k, x, y) = value;
            std::copy(tag.begin(), tag.end(), maps.tag(k, x, y));
        }
    }
}

/// Unsigned maps, as they are before non-maximum suppression.
inline Maps unsigned_maps(int height, int width, const std::vector<Person>& people) {
    Maps maps(static_cast<int>(people.front().keypoints.size()), height, width,
              static_cast<int>(people.front().tag.size()));
    for (const Person& person : people) {
        for (int k = 0; k < maps.keypoints(); ++k) {
            const auto& place = person.keypoints[static_cast<std::size_t>(k)];
            if (place) paint_gaussian(maps, k, *place, person.heat, person.tag);
        }
    }
    return maps;
}

inline float window_maximum(const Maps& maps, int k, int x, int y) {
    float greatest = 0.0F;
    for (int j = y - kNmsReach; j <= y + kNmsReach; ++j) {
        for (int i = x - kNmsReach; i <= x + kNmsReach; ++i) {
            if (maps.has(i, j)) greatest = std::max(greatest, maps.heat(k, i, j));
        }
    }
    return greatest;
}

/// The same maps with all cells negated that are not the maximum of their window.
inline Maps suppress_non_maxima(const Maps& maps) {
    Maps result = maps;
    for (int k = 0; k < maps.keypoints(); ++k) {
        for (int y = 0; y < maps.height(); ++y) {
            for (int x = 0; x < maps.width(); ++x) {
                const float own = maps.heat(k, x, y);
                if (own != window_maximum(maps, k, x, y)) result.heat(k, x, y) = -own;
            }
        }
    }
    return result;
}

/// Signed maps, as the networks emit them.
inline Maps signed_maps(int height, int width, const std::vector<Person>& people) {
    return suppress_non_maxima(unsigned_maps(height, width, people));
}

/// With the natural grouping order.
template <class Options = posewire::DecoderOptions>
Options options_for(int keypoints) {
    Options options;
    options.grouping_order.resize(static_cast<std::size_t>(keypoints));
    std::iota(options.grouping_order.begin(), options.grouping_order.end(), 0);
    return options;
}

inline posewire::ReferenceOptions reference_options_for(int keypoints) {
    return options_for<posewire::ReferenceOptions>(keypoints);
}

inline posewire::Poses decode(const posewire::DecoderOptions& options, const Maps& maps,
                              const posewire::DecodeOptions& call = {}) {
    return posewire::Decoder(options).decode(maps.heatmap_view(), maps.tag_view(), call);
}

inline posewire::Poses decode(const posewire::ReferenceOptions& options, const Maps& maps,
                              const posewire::DecodeOptions& call = {}) {
    return posewire::ReferenceDecoder(options).decode(maps.heatmap_view(), maps.tag_view(), call);
}

/// With the default options for as many keypoints as the maps have.
inline posewire::Poses decode(const Maps& maps, const posewire::DecodeOptions& call = {}) {
    return decode(options_for(maps.keypoints()), maps, call);
}

/// The n-th pose alone.
inline posewire::Poses single(const posewire::Poses& poses, int n) {
    const auto at = static_cast<std::size_t>(n);
    const auto part = [&](const auto& values) {
        const auto size = static_cast<std::ptrdiff_t>(values.size()) / poses.count;
        return std::decay_t<decltype(values)>(values.begin() + n * size,
                                              values.begin() + (n + 1) * size);
    };
    return {1,
            part(poses.keypoints),
            part(poses.keypoint_scores),
            part(poses.origins),
            {poses.scores[at]},
            part(poses.tags)};
}

inline void expect_same(const posewire::Poses& poses, const posewire::Poses& wanted) {
    ASSERT_EQ(poses.count, wanted.count);
    EXPECT_EQ(poses.keypoints, wanted.keypoints);
    EXPECT_EQ(poses.keypoint_scores, wanted.keypoint_scores);
    EXPECT_TRUE(poses.origins == wanted.origins);
    EXPECT_EQ(poses.scores, wanted.scores);
    EXPECT_EQ(poses.tags, wanted.tags);
}

inline void expect_finite(const posewire::Poses& poses) {
    const auto finite = [](const std::vector<float>& values) {
        return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
    };
    EXPECT_TRUE(finite(poses.keypoints));
    EXPECT_TRUE(finite(poses.keypoint_scores));
    EXPECT_TRUE(finite(poses.scores));
    EXPECT_TRUE(finite(poses.tags));
}

/// The place of keypoint k of pose n.
inline Point keypoint(const posewire::Poses& poses, int n, int k) {
    const std::size_t per_pose = poses.origins.size() / static_cast<std::size_t>(poses.count);
    const std::size_t i = static_cast<std::size_t>(n) * per_pose + static_cast<std::size_t>(k);
    return {poses.keypoints[2 * i], poses.keypoints[2 * i + 1]};
}

inline posewire::Origin origin(const posewire::Poses& poses, int n, int k) {
    const std::size_t per_pose = poses.origins.size() / static_cast<std::size_t>(poses.count);
    return poses.origins[static_cast<std::size_t>(n) * per_pose + static_cast<std::size_t>(k)];
}

/// The pose whose mean tag begins with this component; fails without one.
inline int pose_tagged(const posewire::Poses& poses, float tag) {
    const std::size_t length = poses.count == 0 ? 1 : poses.tags.size() / poses.scores.size();
    for (int n = 0; n < poses.count; ++n) {
        const float found = poses.tags[static_cast<std::size_t>(n) * length];
        if (std::fabs(found - tag) <= 1e-3F * std::max(1.0F, std::fabs(tag))) return n;
    }
    ADD_FAILURE() << "none of " << poses.count << " poses has tag " << tag;
    return -1;
}

/// Expects a pose with the person's tag and every visible keypoint where it was painted.
inline void expect_found(const posewire::Poses& poses, const Person& person, float within = 0.3F) {
    const int n = pose_tagged(poses, person.tag.front());
    if (n < 0) return;
    for (int k = 0; k < static_cast<int>(person.keypoints.size()); ++k) {
        const auto& place = person.keypoints[static_cast<std::size_t>(k)];
        if (!place) continue;
        EXPECT_EQ(origin(poses, n, k), posewire::Origin::kDetected) << "keypoint " << k;
        EXPECT_NEAR(keypoint(poses, n, k).x, place->x, within) << "keypoint " << k;
        EXPECT_NEAR(keypoint(poses, n, k).y, place->y, within) << "keypoint " << k;
    }
}

inline void expect_found(const posewire::Poses& poses, const std::vector<Person>& people) {
    EXPECT_EQ(poses.count, static_cast<int>(people.size()));
    for (const Person& person : people) expect_found(poses, person);
}

}  // namespace painting
