#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "painting.hpp"

namespace {

using painting::Maps;
using painting::reference_options_for;
using posewire::DecodeOptions;
using posewire::Origin;
using posewire::Poses;

Poses decode_as_reference(const Maps& maps, const DecodeOptions& call = {}) {
    return painting::decode(reference_options_for(maps.keypoints()), maps, call);
}

TEST(Reference, AddsDeltaToDetectedAndAbsentButNotToInferredKeypoints) {
    Maps maps(3, 20, 20);
    maps.set(0, 8, 9, 0.9F, 0.0F);
    maps.set(1, 12, 13, -0.5F, 0.0F);
    auto options = reference_options_for(3);
    options.delta_x = 0.25F;
    options.delta_y = 0.75F;
    const Poses poses = painting::decode(options, maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_TRUE(poses.origins ==
                (std::vector<Origin>{Origin::kDetected, Origin::kInferred, Origin::kAbsent}));
    EXPECT_EQ(poses.keypoints, (std::vector<float>{8.25F, 9.75F, 12.0F, 13.0F, 0.25F, 0.75F}));
    EXPECT_EQ(poses.keypoint_scores, (std::vector<float>{0.9F, 0.5F, 0.0F}));
}

TEST(Reference, ListsPosesAsTheyWereOpened) {
    Maps maps(2, 12, 40);
    maps.set(0, 5, 5, 0.3F, 0.0F);   // opened second: the colder of keypoint 0
    maps.set(0, 15, 5, 0.4F, 3.0F);  // opened first
    maps.set(1, 25, 5, 0.9F, 6.0F);  // opened last, and the best
    maps.set(1, 5, 5, 0.8F, 0.0F);
    EXPECT_EQ(decode_as_reference(maps).tags, (std::vector<float>{3.0F, 0.0F, 6.0F}));
}

TEST(Reference, OpensPosesInTheGroupingOrder) {
    Maps maps(2, 12, 40);
    maps.set(0, 5, 5, 0.9F, 0.0F);
    maps.set(1, 15, 5, 0.8F, 3.0F);
    auto options = reference_options_for(2);
    EXPECT_EQ(painting::decode(options, maps).tags, (std::vector<float>{0.0F, 3.0F}));
    options.grouping_order = {1, 0};
    EXPECT_EQ(painting::decode(options, maps).tags, (std::vector<float>{3.0F, 0.0F}));
}

TEST(Reference, KeepsTheBestOfMaxPosesInTheirOrder) {
    Maps maps(2, 12, 40);
    maps.set(0, 5, 5, 0.6F, 0.0F);
    maps.set(0, 15, 5, 0.4F, 3.0F);
    maps.set(1, 25, 5, 0.9F, 6.0F);
    DecodeOptions call;
    call.max_poses = 2;
    EXPECT_EQ(decode_as_reference(maps, call).tags, (std::vector<float>{0.0F, 6.0F}));
}

TEST(Reference, JoinsPeaksNearerThanTheTagThresholdAndNoOthers) {
    for (const bool apart : {false, true}) {
        Maps maps(2, 20, 20);
        maps.set(0, 5, 5, 0.9F, 0.0F);
        maps.set(1, 8, 8, 0.9F, apart ? 1.0F : std::nextafter(1.0F, 0.0F));
        EXPECT_EQ(decode_as_reference(maps).count, apart ? 2 : 1);
    }
}

/// The offset of a peak at (x, y) of a map of 7x7, its right and its lower neighbour the warmer.
painting::Point offset_at(int x, int y) {
    Maps maps(1, 7, 7);
    maps.set(0, x, y, 0.9F, 0.0F);
    const auto set = [&](int i, int j, float heat) {
        if (maps.has(i, j)) maps.set(0, i, j, -heat, 0.0F);
    };
    set(x - 1, y, 0.2F);
    set(x + 1, y, 0.5F);
    set(x, y - 1, 0.2F);
    set(x, y + 1, 0.5F);
    const painting::Point place = painting::keypoint(decode_as_reference(maps), 0, 0);
    return {place.x - 0.5F - static_cast<float>(x), place.y - 0.5F - static_cast<float>(y)};
}

TEST(Reference, LeavesPeaksNearAnyEdgeWithoutOffsetOnBothAxes) {
    for (const int cell : {0, 1, 6}) {
        for (const painting::Point& offset : {offset_at(cell, 3), offset_at(3, cell)}) {
            EXPECT_EQ(offset.x, 0.0F) << cell;
            EXPECT_EQ(offset.y, 0.0F) << cell;
        }
    }
    for (const int cell : {2, 5}) {
        EXPECT_EQ(offset_at(cell, cell).x, 0.25F) << cell;
        EXPECT_EQ(offset_at(cell, cell).y, 0.25F) << cell;
    }
}

TEST(Reference, DoesNotLimitScores) {
    Maps maps(2, 12, 12);
    maps.set(0, 5, 5, 1.5F, 0.0F);
    maps.set(1, 7, 5, 1.25F, 0.0F);
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.keypoint_scores, (std::vector<float>{1.5F, 1.25F}));
    EXPECT_EQ(poses.scores, (std::vector<float>{1.375F}));
}

/// Two keypoints of one person at (5, 5), and no third.
Maps two_of_three() {
    Maps maps(3, 16, 24);
    maps.set(0, 5, 5, 0.9F, 2.0F);
    maps.set(1, 5, 5, 0.9F, 2.0F);
    return maps;
}

TEST(Reference, InfersACellUpToHalfATagUnitAsWellAsAnEqualTag) {
    Maps maps = two_of_three();
    maps.set(2, 8, 8, -0.3F, 2.0F);
    maps.set(2, 12, 8, -0.4F, std::nextafter(2.5F, 0.0F));
    Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::keypoint(poses, 0, 2).x, 12.0F);
    maps.set(2, 12, 8, -0.4F, 2.5F);  // half rounds up
    poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::keypoint(poses, 0, 2).x, 8.0F);
}

TEST(Reference, InfersTheWarmestCellHoweverFarItsTag) {
    Maps maps(3, 16, 24);
    for (float& tag : maps.tags()) tag = -40.0F;
    maps.set(0, 5, 5, 0.9F, 2.0F);
    maps.set(1, 5, 5, 0.9F, 2.0F);
    maps.set(2, 8, 8, -0.3F, 30.0F);
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::origin(poses, 0, 2), Origin::kInferred);
    EXPECT_EQ(painting::keypoint(poses, 0, 2).x, 8.0F);
}

TEST(Reference, InfersNothingWhereTheBestCellIsCold) {
    Maps maps = two_of_three();
    maps.set(2, 8, 8, -0.3F, 30.0F);
    *maps.tag(2, 20, 10) = 2.0F;
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::origin(poses, 0, 2), Origin::kAbsent);
}

TEST(Reference, InfersEqualCellsInRasterOrder) {
    Maps maps = two_of_three();
    maps.set(2, 18, 6, -0.3F, 2.0F);
    maps.set(2, 4, 8, -0.3F, 2.0F);
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::keypoint(poses, 0, 2).x, 18.0F);
    EXPECT_EQ(painting::keypoint(poses, 0, 2).y, 6.0F);
}

// A distance of 0.4 rounds to none, so the warmer peak takes the only pose.
TEST(Reference, PrefersTheWarmerOfTwoPeaksWhoseTagsRoundAlike) {
    Maps maps(2, 20, 20);
    maps.set(0, 10, 10, 0.9F, 0.0F);
    maps.set(1, 10, 6, 0.5F, 0.0F);
    maps.set(1, 10, 14, 0.8F, 0.4F);
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 2);
    EXPECT_EQ(painting::keypoint(poses, 0, 1).y, 14.5F);
}

TEST(Reference, WeighsTagDistanceByHowMuchFartherAPeakLies) {
    Maps maps(2, 24, 24);
    maps.set(0, 10, 10, 0.9F, 0.0F);
    maps.set(1, 10, 12, 0.5F, 0.45F);  // the nearest: its distance stays, and rounds to none
    maps.set(1, 10, 16, 0.8F, 0.3F);   // three times as far: 0.9 rounds to one
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 2);
    EXPECT_EQ(painting::keypoint(poses, 0, 1).y, 12.5F);
}

TEST(Reference, MeasuresFromTheMeanPlaceOfAPosesPeaks) {
    Maps maps(3, 32, 32);
    maps.set(0, 10, 8, 0.9F, 0.0F);
    maps.set(1, 20, 22, 0.9F, 0.0F);  // the mean is (15, 15)
    maps.set(2, 15, 14, 0.5F, 0.45F);
    maps.set(2, 19, 18, 0.8F, 0.3F);  // five times as far from there
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 2);
    EXPECT_EQ(painting::keypoint(poses, 0, 2).y, 14.5F);
}

// All costs are 100 but for one of 0, so the heat of the peaks decides who opens a pose.
TEST(Reference, LeavesTheColderOfEquallyDistantPeaksWithoutAPose) {
    Maps maps(2, 20, 30);
    maps.set(0, 10, 10, 0.9F, 0.0F);
    maps.set(0, 20, 10, 0.8F, 0.2F);
    maps.set(1, 15, 5, 0.9F, 0.8F);
    maps.set(1, 15, 15, 0.8F, 0.8F);
    maps.set(1, 15, 4, 0.3F, -0.4F);
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 3);
    EXPECT_NEAR(painting::keypoint(poses, 0, 1).y, 4.5F, 0.25F);
    EXPECT_NEAR(painting::keypoint(poses, 1, 1).y, 5.5F, 0.25F);
    EXPECT_EQ(painting::keypoint(poses, 2, 1).y, 15.5F);
}

// With a peak on the very centre of a pose, all others of that pose cost more than a new one.
TEST(Reference, GivesAPoseThePeakOnItsCentre) {
    Maps maps(2, 20, 20);
    maps.set(0, 10, 10, 0.9F, 0.0F);
    maps.set(1, 10, 10, 0.2F, 0.3F);
    maps.set(1, 10, 13, 0.9F, 0.1F);
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 2);
    EXPECT_EQ(painting::keypoint(poses, 0, 1).y, 10.5F);
}

TEST(Reference, KeepsThirtyPeaksAndStillMatchesFurtherKeypoints) {
    Maps maps(2, 40, 80);
    for (int i = 0; i < 35; ++i) {
        const int x = 4 + 8 * (i % 9);
        const int y = 4 + 8 * (i / 9);
        const float tag = 3.0F * static_cast<float>(i);
        maps.set(0, x, y, 0.9F - 0.01F * static_cast<float>(i), tag);
        maps.set(1, x, y, 0.9F - 0.01F * static_cast<float>(i), tag);
    }
    const Poses poses = decode_as_reference(maps);
    ASSERT_EQ(poses.count, 30);
    EXPECT_TRUE(std::all_of(poses.origins.begin(), poses.origins.end(),
                            [](Origin origin) { return origin == Origin::kDetected; }));
}

TEST(Reference, FindsNobodyInMapsWithoutHeat) {
    EXPECT_EQ(decode_as_reference(Maps(17, 24, 40)).count, 0);
}

TEST(Reference, IsHarmlessOnTinyMaps) {
    for (int height = 1; height <= 4; ++height) {
        for (int width = 1; width <= 4; ++width) {
            Maps maps(2, height, width);
            maps.set(0, width - 1, height - 1, 0.9F, 0.0F);
            maps.set(1, 0, 0, -0.5F, 0.0F);
            const Poses poses = decode_as_reference(maps);
            ASSERT_EQ(poses.count, 1);
            EXPECT_EQ(poses.keypoints,
                      (std::vector<float>{static_cast<float>(width) - 0.5F,
                                          static_cast<float>(height) - 0.5F, 0.0F, 0.0F}));
        }
    }
}

TEST(Reference, IsHarmlessOnTheLargestNumbers) {
    constexpr float kLargest = std::numeric_limits<float>::max();
    for (const int length : {1, 2}) {
        Maps maps(3, 12, 30, length);
        for (int k = 0; k < 3; ++k) {
            maps.set(k, 4, 5, kLargest, kLargest);
            maps.set(k, 14, 5, 0.9F, -kLargest);
            maps.set(k, 24, 5, 0.5F, 0.0F);
        }
        const Poses poses = decode_as_reference(maps);
        EXPECT_GE(poses.count, 3);
        for (const float place : poses.keypoints) EXPECT_TRUE(std::isfinite(place));
    }
}

}  // namespace
