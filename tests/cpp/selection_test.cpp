#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "painting.hpp"

namespace {

using painting::expect_same;
using painting::Maps;
using painting::options_for;
using painting::Person;
using painting::person_at;
using painting::single;
using posewire::DecodeOptions;
using posewire::Origin;
using posewire::Poses;

/// Lone cells of one keypoint with these heats, each with its place in the list as tag, times 3.
Maps row_of_people(const std::vector<float>& heats) {
    Maps maps(1, 8, static_cast<int>(heats.size()) * 6);
    for (std::size_t i = 0; i < heats.size(); ++i) {
        const int n = static_cast<int>(i);
        maps.set(0, 3 + 6 * n, 3, heats[i], 3.0F * static_cast<float>(n));
    }
    return maps;
}

TEST(Selection, ListsPosesByFallingScore) {
    EXPECT_EQ(decode(row_of_people({0.3F, 0.9F, 0.5F, 0.7F})).scores,
              (std::vector<float>{0.9F, 0.7F, 0.5F, 0.3F}));
}

TEST(Selection, ListsEqualPosesInRasterOrder) {
    EXPECT_EQ(decode(row_of_people({0.5F, 0.5F, 0.9F, 0.5F})).tags,
              (std::vector<float>{6.0F, 0.0F, 3.0F, 9.0F}));
}

TEST(Selection, ListsAHigherPoseBeforeAnEqualOneToItsLeft) {
    Maps maps(1, 20, 20);
    maps.set(0, 3, 10, 0.5F, 0.0F);
    maps.set(0, 10, 3, 0.5F, 3.0F);
    EXPECT_EQ(decode(maps).tags, (std::vector<float>{3.0F, 0.0F}));
}

TEST(Selection, RanksByTheMeanOfAllKeypointsAndNotByTheWarmest) {
    Person partial = person_at(9.5F, 9.5F, 0.0F);
    partial.heat = 1.0F;
    partial.keypoints.back().reset();
    const Person whole = person_at(30.5F, 9.5F, 5.0F);  // 0.9 against 2 / 3
    const Poses poses = decode(painting::signed_maps(24, 44, {partial, whole}));
    ASSERT_EQ(poses.count, 2);
    EXPECT_EQ(poses.tags, (std::vector<float>{5.0F, 0.0F}));
}

TEST(Selection, KeepsTheBestOfMaxPoses) {
    const Maps maps = row_of_people({0.3F, 0.9F, 0.5F, 0.7F});
    const Poses all = decode(maps);
    for (int most = 1; most <= 5; ++most) {
        DecodeOptions call;
        call.max_poses = most;
        const Poses poses = decode(maps, call);
        ASSERT_EQ(poses.count, std::min(most, 4));
        for (int n = 0; n < poses.count; ++n) expect_same(single(poses, n), single(all, n));
    }
}

TEST(Selection, DropsPosesBelowTheLeastScoreAndKeepsThoseAtIt) {
    DecodeOptions call;
    call.min_pose_score = 0.5;
    EXPECT_EQ(decode(row_of_people({std::nextafter(0.5F, 0.0F), 0.9F, 0.5F}), call).scores,
              (std::vector<float>{0.9F, 0.5F}));
}

TEST(Selection, MeasuresPosesBeforeRefineFillsThem) {
    Maps maps(2, 12, 12);
    maps.set(0, 5, 5, 0.8F, 0.0F);
    maps.set(1, 5, 5, -0.8F, 0.0F);
    DecodeOptions call;
    call.min_pose_score = 0.5;  // 0.4 before, 0.8 after
    EXPECT_EQ(decode(maps, call).count, 0);
}

TEST(Selection, ReportsKeypointsBelowTheLeastScoreAsAbsent) {
    Maps maps(4, 12, 12);
    maps.set(0, 5, 5, 0.5F, 0.0F);
    maps.set(1, 6, 5, std::nextafter(0.5F, 0.0F), 0.0F);
    maps.set(2, 7, 5, -0.5F, 0.0F);
    maps.set(3, 8, 5, -0.4F, 0.0F);
    DecodeOptions call;
    call.min_keypoint_score = 0.5;
    const Poses poses = decode(maps, call);
    ASSERT_EQ(poses.count, 1);
    EXPECT_TRUE(poses.origins == (std::vector<Origin>{Origin::kDetected, Origin::kAbsent,
                                                      Origin::kInferred, Origin::kAbsent}));
    EXPECT_EQ(poses.keypoints, (std::vector<float>{5.5F, 5.5F, 0, 0, 7.5F, 5.5F, 0, 0}));
    EXPECT_EQ(poses.keypoint_scores, (std::vector<float>{0.5F, 0.0F, 0.5F, 0.0F}));
    EXPECT_EQ(poses.scores, decode(maps).scores) << "hiding a keypoint must not change the score";
}

TEST(Selection, DropsPosesLeftWithoutAKeypoint) {
    Maps maps(2, 12, 40);
    maps.set(0, 5, 5, 0.6F, 0.0F);
    maps.set(1, 5, 8, 0.6F, 0.0F);
    maps.set(0, 15, 5, 0.4F, 3.0F);
    maps.set(1, 15, 8, 0.4F, 3.0F);
    maps.set(0, 25, 5, 0.7F, 6.0F);  // the least mean score, and yet a keypoint to show
    DecodeOptions call;
    call.min_keypoint_score = 0.5;
    const Poses all = decode(maps);
    ASSERT_EQ(all.count, 3);
    const Poses poses = decode(maps, call);
    ASSERT_EQ(poses.count, 2);
    expect_same(single(poses, 0), single(all, 0));
    expect_same(single(poses, 1), single(all, 2));
}

TEST(Selection, WithoutRefineLeavesMissingKeypointsAbsent) {
    Maps maps(2, 12, 12);
    maps.set(0, 5, 5, 0.8F, 0.0F);
    maps.set(1, 5, 5, -0.8F, 0.0F);
    DecodeOptions call;
    call.refine = false;
    const Poses poses = decode(maps, call);
    ASSERT_EQ(poses.count, 1);
    EXPECT_TRUE(poses.origins == (std::vector<Origin>{Origin::kDetected, Origin::kAbsent}));
    EXPECT_EQ(poses.keypoints, (std::vector<float>{5.5F, 5.5F, 0.0F, 0.0F}));
    EXPECT_EQ(painting::origin(decode(maps), 0, 1), Origin::kInferred);
}

TEST(Selection, AddsDeltaToDetectedAndInferredKeypointsAlike) {
    Person person = person_at(10.3F, 12.8F, 0.0F, 4);
    Maps maps = painting::signed_maps(32, 32, {person});
    for (int y = 0; y < 32; ++y) {
        for (int x = 0; x < 32; ++x) maps.heat(3, x, y) = -std::fabs(maps.heat(3, x, y));
    }
    auto options = options_for(4);
    options.delta_x = 0.0F;
    options.delta_y = 0.0F;
    const Poses plain = decode(options, maps);
    options.delta_x = 0.25F;
    options.delta_y = -1.5F;
    const Poses shifted = decode(options, maps);
    ASSERT_EQ(plain.count, 1);
    ASSERT_EQ(shifted.count, 1);
    EXPECT_EQ(painting::origin(shifted, 0, 3), Origin::kInferred);
    for (int k = 0; k < 4; ++k) {
        EXPECT_NEAR(painting::keypoint(shifted, 0, k).x, painting::keypoint(plain, 0, k).x + 0.25F,
                    1e-5F);
        EXPECT_NEAR(painting::keypoint(shifted, 0, k).y, painting::keypoint(plain, 0, k).y - 1.5F,
                    1e-5F);
    }
}

TEST(Selection, CountsOnlyPosesWithSomethingToShowAgainstMaxPoses) {
    Maps maps(3, 12, 24);
    for (int k = 0; k < 3; ++k) maps.set(k, 5, 5, 0.45F, 0.0F);
    maps.set(0, 18, 5, 0.7F, 6.0F);
    DecodeOptions call;
    call.min_keypoint_score = 0.5;
    call.max_poses = 1;
    for (const Poses& poses : {decode(options_for(3), maps, call),
                               decode(painting::reference_options_for(3), maps, call)}) {
        ASSERT_EQ(poses.count, 1);
        EXPECT_EQ(poses.tags, std::vector<float>{6.0F});
    }
}

TEST(Selection, LeavesAbsentKeypointsAtTheOriginWhateverDelta) {
    Maps maps(2, 12, 12);
    maps.set(0, 5, 5, 0.8F, 0.0F);
    auto options = options_for(2);
    options.delta_x = 3.0F;
    const Poses poses = decode(options, maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.keypoints, (std::vector<float>{8.0F, 5.5F, 0.0F, 0.0F}));
}

}  // namespace
