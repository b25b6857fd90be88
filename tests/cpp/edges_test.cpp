#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "painting.hpp"

namespace {

using painting::expect_found;
using painting::Maps;
using painting::Person;
using painting::Point;
using posewire::Nms;
using posewire::Poses;

constexpr int kWidth = 19;
constexpr int kHeight = 13;

/// One keypoint, decoded from signed or unsigned maps.
Poses decode_at(const Point& place, Nms nms, int height = kHeight, int width = kWidth) {
    const Person person{{place}, {0.0F}};
    auto options = painting::options_for(1);
    options.nms = nms;
    return decode(options, nms == Nms::kGraph ? painting::signed_maps(height, width, {person})
                                              : painting::unsigned_maps(height, width, {person}));
}

TEST(Edges, HaveKeypointsInEveryCell) {
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        for (int y = 0; y < kHeight; ++y) {
            for (int x = 0; x < kWidth; ++x) {
                const Point centre{static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F};
                const Poses poses = decode_at(centre, nms);
                ASSERT_EQ(poses.count, 1) << x << ", " << y;
                EXPECT_NEAR(painting::keypoint(poses, 0, 0).x, centre.x, 1e-3F);
                EXPECT_NEAR(painting::keypoint(poses, 0, 0).y, centre.y, 1e-3F);
            }
        }
    }
}

TEST(Edges, StillAdjustAlongThemselves) {
    constexpr auto kRight = static_cast<float>(kWidth) - 0.5F;
    constexpr auto kBottom = static_cast<float>(kHeight) - 0.5F;
    for (const float x : {0.5F, kRight}) {
        const Point found = painting::keypoint(decode_at({x, 6.75F}, Nms::kGraph), 0, 0);
        EXPECT_EQ(found.x, x);
        EXPECT_NEAR(found.y, 6.75F, 0.04F);
    }
    for (const float y : {0.5F, kBottom}) {
        const Point found = painting::keypoint(decode_at({6.75F, y}, Nms::kGraph), 0, 0);
        EXPECT_NEAR(found.x, 6.75F, 0.04F);
        EXPECT_EQ(found.y, y);
    }
}

TEST(Edges, AreAdjustedToFromTheCellBesideThem) {
    constexpr auto kRight = static_cast<float>(kWidth) - 1.25F;
    constexpr auto kBottom = static_cast<float>(kHeight) - 1.25F;
    for (const Point& place : {Point{1.25F, 1.75F}, Point{kRight, kBottom}}) {
        const Poses poses = decode_at(place, Nms::kGraph);
        ASSERT_EQ(poses.count, 1);
        EXPECT_NEAR(painting::keypoint(poses, 0, 0).x, place.x, 0.04F);
        EXPECT_NEAR(painting::keypoint(poses, 0, 0).y, place.y, 0.04F);
    }
}

struct Size {
    int height;
    int width;
};

void PrintTo(const Size& size, std::ostream* out) { *out << size.width << 'x' << size.height; }

class MapSize : public testing::TestWithParam<Size> {};

// The last keypoints are in the last cells; each size cuts the blocks that maps are read in anew.
TEST_P(MapSize, ShowsPeopleUpToTheFarEdges) {
    const auto [height, width] = GetParam();
    const auto right = static_cast<float>(width) - 0.5F;
    const auto bottom = static_cast<float>(height) - 0.5F;
    Person person{{}, {1.0F}};
    for (const float back : {0.0F, 1.0F, 2.0F}) {
        for (const Point& place : {Point{right - back, bottom}, Point{right, bottom - back}}) {
            if (place.x > 0.0F && place.y > 0.0F) person.keypoints.emplace_back(place);
        }
    }
    const int keypoints = static_cast<int>(person.keypoints.size());
    const Poses poses = decode(painting::signed_maps(height, width, {person}));
    ASSERT_EQ(poses.count, 1);
    expect_found(poses, person);

    auto options = painting::options_for(keypoints);
    options.nms = Nms::kDecoder;
    const Poses of_unsigned = decode(options, painting::unsigned_maps(height, width, {person}));
    painting::expect_same(of_unsigned, poses);
}

TEST_P(MapSize, InfersKeypointsUpToTheFarEdges) {
    const auto [height, width] = GetParam();
    Maps maps(2, height, width);
    maps.set(0, std::max(width - 20, 0), std::max(height - 20, 0), 0.9F, 1.0F);
    maps.set(1, width - 1, height - 1, -0.5F, 1.0F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::origin(poses, 0, 1), posewire::Origin::kInferred);
    EXPECT_NEAR(painting::keypoint(poses, 0, 1).x, static_cast<float>(width) - 0.5F, 1e-5F);
    EXPECT_NEAR(painting::keypoint(poses, 0, 1).y, static_cast<float>(height) - 0.5F, 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(Edges, MapSize,
                         testing::Values(Size{1, 1}, Size{1, 2}, Size{2, 1}, Size{1, 40},
                                         Size{40, 1}, Size{2, 2}, Size{3, 5}, Size{5, 3},
                                         Size{17, 9}, Size{7, 15}, Size{8, 16}, Size{9, 17},
                                         Size{16, 31}, Size{15, 32}, Size{17, 33}, Size{8, 63},
                                         Size{8, 64}, Size{9, 65}, Size{24, 80}, Size{8, 129}));

}  // namespace
