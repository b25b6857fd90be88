#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "painting.hpp"

namespace {

using painting::expect_found;
using painting::Maps;
using painting::options_for;
using painting::Person;
using painting::person_at;
using painting::Point;
using painting::signed_maps;
using painting::unsigned_maps;
using posewire::Nms;
using posewire::Origin;
using posewire::Poses;

TEST(People, AreFoundWhereTheyWerePainted) {
    for (float x = 12.0F; x < 13.0F; x += 0.125F) {
        for (float y = 20.0F; y < 21.0F; y += 0.125F) {
            const Person person = person_at(x, y, 0.7F, 5);
            expect_found(decode(signed_maps(48, 40, {person})), {person});
        }
    }
}

TEST(People, AreFoundToAFewHundredthsOfACellByTheParabola) {
    for (float place = 12.0F; place < 13.0F; place += 0.0625F) {
        const Person person = person_at(place, place, 0.7F);
        expect_found(decode(signed_maps(32, 32, {person})), person, 0.04F);
    }
}

TEST(People, AreFoundToAQuarterCellByTheQuarter) {
    auto options = options_for(1);
    options.adjust = posewire::Adjust::kQuarter;
    for (float place = 12.0625F; place < 13.0F; place += 0.0625F) {
        const Person person{{Point{place, 12.5F}}, {0.0F}};
        const Poses poses = decode(options, signed_maps(32, 32, {person}));
        expect_found(poses, person, 0.251F);
        const float in_cell = painting::keypoint(poses, 0, 0).x - 12.0F;
        EXPECT_TRUE(in_cell == 0.25F || in_cell == 0.5F || in_cell == 0.75F) << in_cell;
        EXPECT_EQ(painting::keypoint(poses, 0, 0).y, 12.5F);
    }
}

TEST(People, WithDifferentTagsAreSeparated) {
    const std::vector<Person> people = {person_at(10.3F, 10.8F, -1.0F),
                                        person_at(14.6F, 15.2F, 2.0F),
                                        person_at(28.5F, 12.1F, 5.0F)};
    expect_found(decode(signed_maps(40, 48, people)), people);
}

TEST(People, AreToldApartFromTheTagThresholdOn) {
    for (const bool apart : {false, true}) {
        Maps maps(2, 20, 20);
        maps.set(0, 5, 5, 0.9F, 0.0F);
        maps.set(1, 8, 8, 0.9F, apart ? 1.0F : 0.5F);
        EXPECT_EQ(decode(maps).count, apart ? 2 : 1);
    }
}

TEST(People, AreToldApartByANarrowerTagThreshold) {
    auto options = options_for(2);
    options.tag_threshold = 0.25;
    Maps maps(2, 20, 20);
    maps.set(0, 5, 5, 0.9F, 0.0F);
    maps.set(1, 8, 8, 0.9F, 0.25F);
    EXPECT_EQ(decode(options, maps).count, 2);
}

TEST(People, WithOneTagAreToldApartByTheirPlaces) {
    Person left{{}, {1.0F}};
    Person right = left;
    for (int k = 0; k < 6; ++k) {  // now the one, now the other comes first in raster order
        left.keypoints.push_back(Point{8.5F, k % 2 == 0 ? 8.5F : 16.5F});
        right.keypoints.push_back(Point{50.5F, k % 2 == 0 ? 16.5F : 8.5F});
    }
    const Poses poses = decode(signed_maps(40, 64, {left, right}));
    ASSERT_EQ(poses.count, 2);
    for (int n = 0; n < 2; ++n) {
        const bool is_left = painting::keypoint(poses, n, 0).x < 30.0F;
        for (int k = 0; k < 6; ++k) {
            EXPECT_EQ(painting::origin(poses, n, k), Origin::kDetected);
            EXPECT_EQ(painting::keypoint(poses, n, k).x < 30.0F, is_left) << "keypoint " << k;
        }
    }
}

TEST(People, HaveEachKeypointOnceAndFromThePeakNearestInTag) {
    Maps maps(2, 20, 40);
    maps.set(0, 10, 10, 0.9F, 0.0F);
    maps.set(1, 10, 14, 0.9F, 0.3F);
    maps.set(1, 16, 14, 0.9F, 0.05F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 2);
    EXPECT_EQ(painting::keypoint(poses, 0, 0).x, 10.5F);
    EXPECT_EQ(painting::keypoint(poses, 0, 1).x, 16.5F);
    EXPECT_EQ(painting::origin(poses, 1, 1), Origin::kDetected);
}

// Left to itself, the first peak would take the pose that is all the second one can have.
TEST(People, AreMatchedForTheGoodOfAll) {
    Maps maps(2, 20, 40);
    maps.set(0, 10, 10, 0.9F, 0.0F);
    maps.set(0, 20, 10, 0.9F, 0.3F);
    maps.set(1, 15, 14, 0.9F, 0.125F);  // nearer the pose with tag 0
    maps.set(1, 14, 18, 0.9F, -0.25F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 2);
    for (int n = 0; n < 2; ++n) {
        const bool first = painting::keypoint(poses, n, 0).x < 15.0F;
        EXPECT_EQ(painting::keypoint(poses, n, 1).y, first ? 18.5F : 14.5F);
        EXPECT_EQ(painting::origin(poses, n, 1), Origin::kDetected);
    }
}

TEST(People, OfWarmPeaksAreWholeAlmostUpToTheTagThreshold) {
    Maps maps(2, 20, 20);
    maps.set(0, 5, 5, 0.9F, 0.0F);
    maps.set(1, 8, 8, 0.9F, 0.85F);
    EXPECT_EQ(decode(maps).count, 1);
}

// A network sees left keypoints on the right, too: weaker, and with a tag that may be the nearer.
TEST(People, WhoseTagsAreSpreadLoseNoKeypointToTheirEcho) {
    constexpr int kKeypoints = 8;
    Maps maps(kKeypoints, 40, 32);
    for (int k = 0; k < kKeypoints; ++k) {
        const float spread = k % 2 == 0 ? 0.0F : 0.4F;
        maps.set(k, 10, 4 + 4 * k, 0.9F, spread);
        maps.set(k, 16, 4 + 4 * k, 0.3F, 0.4F - spread);
    }
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 2);
    for (int k = 0; k < kKeypoints; ++k) {
        EXPECT_EQ(painting::keypoint(poses, 0, k).x, 10.5F) << "keypoint " << k;
        EXPECT_EQ(painting::origin(poses, 0, k), Origin::kDetected);
    }
}

TEST(People, WithoutAPeakTakeNoneFromAStrangerFarAway) {
    Maps maps(3, 40, 120);
    for (int k = 0; k < 2; ++k) {
        maps.set(k, 10 + 6 * k, 20, 0.9F, 1.0F);
        maps.set(k, 100 + 6 * k, 20, 0.9F, 1.1F);
    }
    maps.set(2, 14, 26, 0.9F, 1.1F);  // exactly the tag of the right one
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 2);
    const int left = painting::keypoint(poses, 0, 0).x < 50.0F ? 0 : 1;
    EXPECT_EQ(painting::origin(poses, left, 2), Origin::kDetected);
    EXPECT_EQ(painting::origin(poses, 1 - left, 2), Origin::kAbsent);
}

TEST(People, AreNobodyInMapsWithoutHeat) {
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        for (const int length : {1, 2}) {
            auto options = options_for(17);
            options.nms = nms;
            const Poses poses = decode(options, Maps(17, 24, 40, length));
            EXPECT_EQ(poses.count, 0);
            EXPECT_TRUE(poses.keypoints.empty() && poses.keypoint_scores.empty());
            EXPECT_TRUE(poses.origins.empty() && poses.scores.empty() && poses.tags.empty());
        }
    }
}

TEST(People, AreNobodyWhereAllHeatIsSuppressed) {
    Maps maps(2, 9, 9);
    for (float& heat : maps.heat()) heat = -0.9F;
    EXPECT_EQ(decode(maps).count, 0);
}

TEST(People, NeedHeatAboveTheDetectionThreshold) {
    auto options = options_for(1);
    options.detection_threshold = 0.5;
    for (const bool beside_a_warmer_one : {false, true}) {
        const int others = beside_a_warmer_one ? 1 : 0;
        Maps maps(1, 9, 9);
        if (beside_a_warmer_one) maps.set(0, 4, 0, 0.9F, 3.0F);
        maps.set(0, 4, 4, 0.5F, 0.0F);
        EXPECT_EQ(decode(options, maps).count, others);
        maps.set(0, 4, 4, std::nextafter(0.5F, 1.0F), 0.0F);
        EXPECT_EQ(decode(options, maps).count, others + 1);
    }
}

TEST(People, AreTheSameInSignedAndInUnsignedMaps) {
    const std::vector<Person> people = {person_at(9.2F, 11.7F, -1.0F, 9),
                                        person_at(16.4F, 12.9F, 2.0F, 9),
                                        person_at(38.8F, 14.3F, 5.0F, 9)};
    auto unsigned_options = options_for(9);
    unsigned_options.nms = Nms::kDecoder;
    const Poses poses = decode(unsigned_options, unsigned_maps(40, 48, people));
    expect_found(poses, people);
    painting::expect_same(poses, decode(signed_maps(40, 48, people)));
}

TEST(People, OfACrowdAreAllFound) {
    std::vector<Person> people;
    for (int i = 0; i < 48; ++i) {
        const auto column = static_cast<float>(i % 8);
        const auto row = static_cast<float>(i / 8);
        people.push_back(
            person_at(5.2F + 14.0F * column, 5.6F + 14.0F * row, 3.0F * static_cast<float>(i), 4));
    }
    expect_found(decode(signed_maps(88, 116, people)), people);
}

TEST(People, BeyondTheMostPeaksAreLeftOutColdestFirst) {
    auto options = options_for(1);
    options.max_peaks = 2;
    Maps maps(1, 8, 32);
    maps.set(0, 3, 3, 0.5F, 0.0F);
    maps.set(0, 12, 3, 0.9F, 3.0F);
    maps.set(0, 21, 3, 0.7F, 6.0F);
    const Poses poses = decode(options, maps);
    EXPECT_EQ(poses.tags, (std::vector<float>{3.0F, 6.0F}));
}

TEST(People, KeepTagsOfTwoComponents) {
    // Each pair shares one component: only both together tell all four apart.
    std::vector<Person> people = {person_at(10.2F, 10.1F, 0.0F), person_at(30.4F, 10.3F, 0.0F),
                                  person_at(10.6F, 34.4F, 3.0F), person_at(30.8F, 34.6F, 3.0F)};
    for (std::size_t i = 0; i < people.size(); ++i) people[i].tag.push_back(i % 2 == 0 ? 0 : 2.0F);
    const Poses poses = decode(signed_maps(48, 44, people));
    ASSERT_EQ(poses.count, 4);
    ASSERT_EQ(poses.tags.size(), 8U);
    for (const Person& person : people) {
        int found = 0;
        for (int n = 0; n < 4; ++n) {
            const auto at = static_cast<std::size_t>(n);
            if (poses.tags[2 * at] != person.tag[0] || poses.tags[2 * at + 1] != person.tag[1]) {
                continue;
            }
            ++found;
            for (int k = 0; k < 3; ++k) {
                const auto place = *person.keypoints[static_cast<std::size_t>(k)];
                EXPECT_EQ(painting::origin(poses, n, k), Origin::kDetected);
                EXPECT_NEAR(painting::keypoint(poses, n, k).x, place.x, 0.3F);
                EXPECT_NEAR(painting::keypoint(poses, n, k).y, place.y, 0.3F);
            }
        }
        EXPECT_EQ(found, 1);
    }
}

TEST(People, OfTwoTagComponentsAreNearByTheirEuclideanDistance) {
    for (const bool apart : {false, true}) {
        Maps maps(2, 20, 20, 2);
        maps.set(0, 5, 5, 0.9F, 0.0F);
        maps.set(1, 8, 8, 0.9F, apart ? 0.75F : 0.35F);  // times the root of 2: 1.06 or 0.49
        EXPECT_EQ(decode(maps).count, apart ? 2 : 1);
    }
}

TEST(People, HaveTheMeanTagOfTheirDetectedKeypoints) {
    Maps maps(4, 12, 12);
    maps.set(0, 5, 5, 0.9F, 1.0F);
    maps.set(1, 5, 5, 0.9F, 1.25F);
    maps.set(2, 5, 5, 0.9F, 1.5F);
    maps.set(3, 5, 5, -0.9F, 1.4F);  // no peak, so refine fills it
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(painting::origin(poses, 0, 3), Origin::kInferred);
    EXPECT_EQ(poses.tags, (std::vector<float>{1.25F}));
}

// The sum of seventeen such tags is more than a float holds.
TEST(People, WithHugeTagsStayWhole) {
    for (const int length : {1, 2}) {
        std::vector<Person> people = {person_at(9.0F, 9.0F, 1e38F, 17),
                                      person_at(30.0F, 9.0F, -1e38F, 17)};
        for (Person& person : people) {
            person.tag.resize(static_cast<std::size_t>(length), person.tag.front());
        }
        const Poses poses = decode(signed_maps(48, 44, people));
        painting::expect_finite(poses);
        expect_found(poses, people);
    }
}

TEST(People, HaveTheMeanScoreOfAllKeypointsBeforeRefine) {
    Maps maps(4, 12, 12);
    maps.set(0, 5, 5, 0.5F, 0.0F);
    maps.set(1, 5, 5, 0.75F, 0.0F);
    maps.set(2, 5, 5, -0.9F, 0.0F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.scores, (std::vector<float>{1.25F / 4.0F}));
    EXPECT_EQ(poses.keypoint_scores, (std::vector<float>{0.5F, 0.75F, 0.9F, 0.0F}));
    EXPECT_TRUE(poses.origins == (std::vector<Origin>{Origin::kDetected, Origin::kDetected,
                                                      Origin::kInferred, Origin::kAbsent}));
    EXPECT_EQ(painting::keypoint(poses, 0, 3).x, 0.0F);
    EXPECT_EQ(painting::keypoint(poses, 0, 3).y, 0.0F);
}

TEST(People, ScoreAtMostOneWhateverTheHeat) {
    Maps maps(3, 12, 12);
    maps.set(0, 5, 5, 1.5F, 0.0F);
    maps.set(1, 5, 5, std::numeric_limits<float>::max(), 0.0F);
    maps.set(2, 5, 5, -2.0F, 0.0F);
    const Poses poses = decode(maps);
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.keypoint_scores, (std::vector<float>{1.0F, 1.0F, 1.0F}));
    EXPECT_EQ(poses.scores, (std::vector<float>{2.0F / 3.0F}));
}

TEST(People, MoveWithTheirMaps) {
    const std::vector<Person> people = {person_at(9.2F, 9.7F, -1.0F),
                                        person_at(17.4F, 12.9F, 2.0F)};
    const Poses at_rest = decode(signed_maps(60, 60, people));
    for (int shift = 1; shift <= 24; ++shift) {
        const auto dx = static_cast<float>(shift);
        const auto dy = static_cast<float>((shift * 7) % 25);
        std::vector<Person> moved;
        for (const Person& person : people) {
            moved.push_back(person);
            for (auto& place : moved.back().keypoints) place = {place->x + dx, place->y + dy};
        }
        const Poses poses = decode(signed_maps(60, 60, moved));
        ASSERT_EQ(poses.count, 2);
        for (std::size_t i = 0; i < at_rest.keypoints.size(); i += 2) {
            EXPECT_NEAR(poses.keypoints[i], at_rest.keypoints[i] + dx, 1e-4F);
            EXPECT_NEAR(poses.keypoints[i + 1], at_rest.keypoints[i + 1] + dy, 1e-4F);
        }
    }
}

}  // namespace
