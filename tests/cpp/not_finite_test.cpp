#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "painting.hpp"

namespace {

using painting::decode;
using painting::expect_finite;
using painting::expect_same;
using painting::Maps;
using painting::options_for;
using painting::Person;
using painting::person_at;
using painting::pose_tagged;
using painting::single;
using posewire::DecoderOptions;
using posewire::Nms;
using posewire::Poses;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();
constexpr int kKeypoints = 3;
constexpr int kHeight = 28;
constexpr int kWidth = 52;
constexpr float kVictim = 1.0F;  // tags
constexpr float kBystander = 4.0F;

class Poison : public testing::TestWithParam<float> {
protected:
    /// What is decoded when the maps are as painted but for what `spoil` does to them.
    template <class Spoil>
    static void expect_bystander_unharmed(const Spoil& spoil) {
        const std::vector<Person> people = {person_at(8.3F, 9.8F, kVictim),
                                            person_at(36.4F, 12.7F, kBystander)};
        for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
            DecoderOptions options = options_for(kKeypoints);
            options.nms = nms;
            const Maps clean = nms == Nms::kGraph
                                   ? painting::signed_maps(kHeight, kWidth, people)
                                   : painting::unsigned_maps(kHeight, kWidth, people);
            const Poses wanted = decode(options, clean);
            Maps maps = clean;
            spoil(maps);
            const Poses poses = decode(options, maps);
            expect_finite(poses);
            const int found = pose_tagged(poses, kBystander);
            ASSERT_GE(found, 0);
            expect_same(single(poses, found), single(wanted, pose_tagged(wanted, kBystander)));
        }
    }
};

// The victim's keypoint 0 peaks in cell (8, 9): all cells around it, one at a time.
TEST_P(Poison, InOneHeatCellHarmsNobodyElse) {
    for (int y = 5; y <= 13; ++y) {
        for (int x = 4; x <= 12; ++x) {
            expect_bystander_unharmed([&](Maps& maps) { maps.heat(0, x, y) = GetParam(); });
        }
    }
}

TEST_P(Poison, InOneTagHarmsNobodyElse) {
    for (int y = 5; y <= 13; ++y) {
        for (int x = 4; x <= 12; ++x) {
            expect_bystander_unharmed([&](Maps& maps) { *maps.tag(0, x, y) = GetParam(); });
        }
    }
}

TEST_P(Poison, InAPersonsWholeHalfHarmsNobodyElse) {
    for (const bool in_heat : {true, false}) {
        expect_bystander_unharmed([&](Maps& maps) {
            for (int k = 0; k < kKeypoints; ++k) {
                for (int y = 0; y < kHeight; ++y) {
                    for (int x = 0; x < 22; ++x) {
                        (in_heat ? maps.heat(k, x, y) : *maps.tag(k, x, y)) = GetParam();
                    }
                }
            }
        });
    }
}

TEST_P(Poison, InTheTagsOfColdCellsHarmsNobody) {
    const std::vector<Person> people = {person_at(8.3F, 9.8F, kVictim),
                                        person_at(36.4F, 12.7F, kBystander)};
    const Maps clean = painting::signed_maps(kHeight, kWidth, people);
    Maps maps = clean;
    for (std::size_t i = 0; i < maps.heat().size(); ++i) {
        if (maps.heat()[i] == 0.0F) maps.tags()[i] = GetParam();
    }
    expect_same(decode(maps), decode(clean));
}

TEST_P(Poison, FarFromPeopleIsAsNothing) {
    const std::vector<Person> people = {person_at(8.3F, 9.8F, kVictim),
                                        person_at(36.4F, 12.7F, kBystander)};
    const Maps clean = painting::signed_maps(kHeight, kWidth, people);
    Maps maps = clean;
    for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
            for (int k = 0; k < kKeypoints; ++k) {
                if (maps.heat(k, x, y) == 0.0F) maps.heat(k, x, y) = GetParam();
            }
        }
    }
    expect_same(decode(maps), decode(clean));
}

TEST_P(Poison, AtAPeakLeavesItsPoseTheOtherKeypoints) {
    const std::vector<Person> people = {person_at(8.5F, 9.5F, kVictim)};
    for (const bool in_heat : {true, false}) {
        Maps maps = painting::signed_maps(kHeight, kWidth, people);
        const Poses clean = decode(maps);
        (in_heat ? maps.heat(0, 8, 9) : *maps.tag(0, 8, 9)) = GetParam();
        const Poses poses = decode(maps);
        ASSERT_EQ(poses.count, 1);
        expect_finite(poses);
        EXPECT_EQ(painting::origin(poses, 0, 0), posewire::Origin::kInferred);
        for (int k = 1; k < kKeypoints; ++k) {
            EXPECT_EQ(painting::keypoint(poses, 0, k).x, painting::keypoint(clean, 0, k).x);
            EXPECT_EQ(painting::keypoint(poses, 0, k).y, painting::keypoint(clean, 0, k).y);
        }
    }
}

TEST_P(Poison, InTheFirstTagOfAPlateauLeavesTheNextCellToStandForIt) {
    Maps maps(1, 9, 12);
    maps.set(0, 4, 4, 0.75F, GetParam());
    maps.set(0, 5, 4, 0.75F, 1.0F);
    maps.set(0, 6, 4, 0.75F, 1.0F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.keypoints, (std::vector<float>{5.5F, 4.5F}));
}

TEST_P(Poison, BesideAPeakMovesItByLessThanACell) {
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        auto options = options_for(1);
        options.nms = nms;
        Maps maps(1, 9, 9);
        maps.set(0, 4, 4, 0.9F, 0.0F);
        maps.heat(0, 3, 4) = maps.heat(0, 4, 5) = GetParam();
        const Poses poses = decode(options, maps);
        ASSERT_EQ(poses.count, 1);
        EXPECT_NEAR(painting::keypoint(poses, 0, 0).x, 4.5F, 0.5F);
        EXPECT_NEAR(painting::keypoint(poses, 0, 0).y, 4.5F, 0.5F);
    }
}

template <class Options>
void expect_nobody_everywhere(float poison) {
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        auto options = options_for<Options>(2);
        options.nms = nms;
        Maps maps(2, 17, 21);
        std::fill(maps.heat().begin(), maps.heat().end(), poison);
        EXPECT_EQ(decode(options, maps).count, 0);
        std::fill(maps.heat().begin(), maps.heat().end(), 0.9F);
        std::fill(maps.tags().begin(), maps.tags().end(), poison);
        EXPECT_EQ(decode(options, maps).count, 0);
    }
}

TEST_P(Poison, EverywhereIsNobody) {
    expect_nobody_everywhere<DecoderOptions>(GetParam());
    expect_nobody_everywhere<posewire::ReferenceOptions>(GetParam());
}

TEST_P(Poison, InTheSecondTagComponentCountsToo) {
    Maps maps(2, 12, 12, 2);
    maps.set(0, 5, 5, 0.9F, 1.0F);
    maps.set(1, 7, 5, 0.9F, 1.0F);
    maps.tag(0, 5, 5)[1] = GetParam();
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    expect_finite(poses);
    EXPECT_EQ(painting::origin(poses, 0, 0), posewire::Origin::kAbsent);
    EXPECT_EQ(painting::origin(poses, 0, 1), posewire::Origin::kDetected);
}

TEST_P(Poison, IsNotInferred) {
    Maps maps(2, 20, 20);
    maps.set(0, 5, 5, 0.9F, 1.0F);
    maps.set(1, 9, 9, GetParam(), 1.0F);    // hot, were it a number
    maps.set(1, 12, 9, -0.8F, GetParam());  // warm, with no tag
    maps.set(1, 15, 9, -0.3F, 1.0F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    expect_finite(poses);
    EXPECT_NEAR(painting::keypoint(poses, 0, 1).x, 15.5F, 1e-5F);
    EXPECT_EQ(poses.keypoint_scores[1], 0.3F);
}

TEST_P(Poison, HarmsNobodyElseInTheReference) {
    for (const bool in_heat : {true, false}) {
        Maps maps(2, 20, 36);
        maps.set(0, 5, 5, 0.9F, 1.0F);
        maps.set(1, 8, 5, 0.8F, 1.0F);
        maps.set(0, 25, 5, 0.7F, 4.0F);
        maps.set(1, 28, 5, 0.6F, 4.0F);
        const Poses clean = decode(painting::reference_options_for(2), maps);
        (in_heat ? maps.heat(0, 5, 5) : *maps.tag(0, 5, 5)) = GetParam();
        const Poses poses = decode(painting::reference_options_for(2), maps);
        expect_finite(poses);
        const int found = pose_tagged(poses, 4.0F);
        ASSERT_GE(found, 0);
        expect_same(single(poses, found), single(clean, 1));
    }
}

INSTANTIATE_TEST_SUITE_P(NotFinite, Poison,
                         testing::Values(kNotANumber, -kNotANumber, kInfinity, -kInfinity));

}  // namespace
