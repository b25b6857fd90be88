#include <gtest/gtest.h>

#include <vector>

#include "painting.hpp"

namespace {

using painting::decode;
using painting::Maps;
using painting::options_for;
using painting::Point;
using painting::reference_options_for;
using posewire::Adjust;
using posewire::Nms;
using posewire::Poses;

struct Cell {
    int x;
    int y;
};

/// Two keypoints of one person; the summit of the first is flat over these cells.
Maps flattened(const std::vector<Cell>& cells, float tag = 1.0F) {
    Maps maps(2, 24, 40);
    for (const Cell& cell : cells) maps.set(0, cell.x, cell.y, 0.75F, tag);
    maps.set(1, 18, 12, 0.875F, tag);
    return maps;
}

const std::vector<std::vector<Cell>> kPlateaus = {
    {{15, 10}, {16, 10}},                      // across two tiles
    {{10, 7}, {10, 8}},                        // down two tiles
    {{10, 10}, {11, 10}, {12, 10}},            // a row
    {{10, 10}, {10, 11}, {10, 12}},            // a column
    {{15, 7}, {16, 7}, {15, 8}, {16, 8}},      // a square on the corner of four tiles
    {{10, 10}, {11, 11}},                      // a diagonal
    {{11, 10}, {10, 11}},                      // the other one
    {{10, 10}, {12, 10}},                      // equal maxima of one window, not neighbours
    {{8, 10}, {10, 10}, {12, 10}, {14, 10}},   // a chain longer than a window
    {{0, 0}, {1, 0}},                          // in a corner
    {{38, 23}, {39, 23}, {38, 22}, {39, 22}},  // in the opposite one
};

TEST(Plateau, GivesOnePoseOfItsFirstCell) {
    auto options = options_for(2);
    options.delta_x = options.delta_y = 0.0F;
    options.adjust = Adjust::kQuarter;
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        options.nms = nms;
        for (const auto& cells : kPlateaus) {
            const Poses poses = decode(options, flattened(cells));
            ASSERT_EQ(poses.count, 1);
            const Point found = painting::keypoint(poses, 0, 0);
            Cell first = cells.front();
            for (const Cell& cell : cells) {
                if (cell.y < first.y || (cell.y == first.y && cell.x < first.x)) first = cell;
            }
            EXPECT_NEAR(found.x, static_cast<float>(first.x), 0.25F);
            EXPECT_NEAR(found.y, static_cast<float>(first.y), 0.25F);
            EXPECT_EQ(painting::origin(poses, 0, 0), posewire::Origin::kDetected);
        }
    }
}

TEST(Plateau, OfTwoCellsIsLocatedBetweenThem) {
    const Poses poses = decode(flattened({{10, 10}, {11, 10}}));
    ASSERT_EQ(poses.count, 1);
    EXPECT_FLOAT_EQ(painting::keypoint(poses, 0, 0).x, 11.0F);
    EXPECT_FLOAT_EQ(painting::keypoint(poses, 0, 0).y, 10.5F);
}

TEST(Plateau, BeyondTheWindowIsAnotherPerson) {
    Maps maps(1, 12, 24);
    maps.set(0, 10, 5, 0.75F, 0.0F);
    maps.set(0, 13, 5, 0.75F, 3.0F);
    EXPECT_EQ(decode(maps).count, 2);
}

TEST(Plateau, IsNotMadeOfCellsWithDifferentHeat) {
    Maps maps(1, 12, 24);
    maps.set(0, 10, 5, 0.75F, 0.0F);
    maps.set(0, 12, 5, 0.5F, 3.0F);
    EXPECT_EQ(decode(maps).count, 2) << "in a signed map, both have survived the network's NMS";
    auto options = options_for(1);
    options.nms = Nms::kDecoder;
    EXPECT_EQ(decode(options, maps).count, 1);
}

TEST(Plateau, InReferenceModeKeepsAllItsCells) {
    for (const auto& cells : kPlateaus) {
        const Poses poses = decode(reference_options_for(2), flattened(cells));
        EXPECT_EQ(poses.count, static_cast<int>(cells.size()));
    }
}

TEST(Plateau, OfAWholeMapIsOnePerson) {
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        auto options = options_for(1);
        options.nms = nms;
        Maps maps(1, 20, 36);
        for (float& heat : maps.heat()) heat = 0.5F;
        const Poses poses = decode(options, maps);
        ASSERT_EQ(poses.count, 1);
        EXPECT_EQ(poses.keypoints, (std::vector<float>{0.5F, 0.5F}));
    }
}

TEST(Plateau, IsCountedBeforeTheMostPeaksAreTaken) {
    auto options = options_for(1);
    options.max_peaks = 2;
    Maps maps(1, 12, 24);
    for (int x = 3; x < 8; ++x) maps.set(0, x, 5, 0.75F, 0.0F);
    maps.set(0, 16, 5, 0.5F, 3.0F);
    EXPECT_EQ(decode(options, maps).tags, (std::vector<float>{0.0F, 3.0F}));
}

}  // namespace
