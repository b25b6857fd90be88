#include "adjust.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <vector>

namespace {

using posewire::Adjust;
using posewire::Heat;
using posewire::Nms;
using posewire::Offset;

constexpr int kSide = 7;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A square plane of `before, here, after` around (x, y), along both axes, in a bed of 0.1.
std::vector<float> summit(int x, int y, float before, float here, float after) {
    std::vector<float> plane(kSide * kSide, 0.1F);
    const auto set = [&](int i, int j, float value) {
        if (0 <= i && i < kSide && 0 <= j && j < kSide) {
            plane[static_cast<std::size_t>(j * kSide + i)] = value;
        }
    };
    set(x, y, here);
    set(x - 1, y, before);
    set(x + 1, y, after);
    set(x, y - 1, before);
    set(x, y + 1, after);
    return plane;
}

Offset offset_at(int x, int y, const std::vector<float>& plane, Adjust method,
                 Nms nms = Nms::kDecoder) {
    return posewire::adjust(Heat(plane.data(), kSide, kSide, nms), x, y, method);
}

float parabola(float before, float here, float after) {
    const Offset offset = offset_at(3, 3, summit(3, 3, before, here, after), Adjust::kParabola);
    EXPECT_EQ(offset.x, offset.y);
    return offset.x;
}

float quarter(float before, float here, float after) {
    const Offset offset = offset_at(3, 3, summit(3, 3, before, here, after), Adjust::kQuarter);
    EXPECT_EQ(offset.x, offset.y);
    return offset.x;
}

TEST(Adjust, ParabolaFindsTheVertexOfAParabola) {
    // 1 - 0.1 (u - c)^2 at u = -1, 0, 1.
    for (const float c : {-0.5F, -0.3F, 0.0F, 0.125F, 0.45F}) {
        const auto value = [c](float u) { return 1.0F - 0.1F * (u - c) * (u - c); };
        EXPECT_NEAR(parabola(value(-1.0F), value(0.0F), value(1.0F)), c, 1e-5F);
    }
}

TEST(Adjust, ParabolaGoesHalfACellBetweenTwoEqualCells) {
    EXPECT_FLOAT_EQ(parabola(0.2F, 0.8F, 0.8F), 0.5F);
    EXPECT_FLOAT_EQ(parabola(0.8F, 0.8F, 0.2F), -0.5F);
}

TEST(Adjust, ParabolaStaysWithinHalfACellOnASlope) {
    EXPECT_EQ(parabola(0.2F, 0.5F, 0.7F), 0.5F);
    EXPECT_EQ(parabola(0.7F, 0.5F, 0.2F), -0.5F);
}

TEST(Adjust, ParabolaWithoutASummitIsAQuarterTowardsTheWarmerNeighbour) {
    EXPECT_EQ(parabola(0.25F, 0.5F, 0.75F), 0.25F);  // straight
    EXPECT_EQ(parabola(0.75F, 0.5F, 0.25F), -0.25F);
    EXPECT_EQ(parabola(0.8F, 0.5F, 0.9F), 0.25F);  // a valley
    EXPECT_EQ(parabola(0.5F, 0.5F, 0.5F), 0.0F);   // flat
}

TEST(Adjust, QuarterGoesAQuarterTowardsTheWarmerNeighbour) {
    EXPECT_EQ(quarter(0.2F, 0.9F, 0.3F), 0.25F);
    EXPECT_EQ(quarter(0.3F, 0.9F, 0.2F), -0.25F);
    EXPECT_EQ(quarter(0.3F, 0.9F, 0.3F), 0.0F);
}

TEST(Adjust, TreatsTheAxesApart) {
    std::vector<float> plane = summit(3, 3, 0.2F, 0.9F, 0.3F);
    plane[2 * kSide + 3] = 0.5F;  // warmer above than below
    const Offset offset = offset_at(3, 3, plane, Adjust::kQuarter);
    EXPECT_EQ(offset.x, 0.25F);
    EXPECT_EQ(offset.y, -0.25F);
}

TEST(Adjust, GivesNoOffsetOnlyOnTheAxisThatLacksANeighbour) {
    for (const Adjust method : {Adjust::kParabola, Adjust::kQuarter}) {
        for (const int edge : {0, kSide - 1}) {
            const auto at_x = offset_at(edge, 3, summit(edge, 3, 0.2F, 0.9F, 0.5F), method);
            EXPECT_EQ(at_x.x, 0.0F);
            EXPECT_GT(at_x.y, 0.0F);
            const auto at_y = offset_at(3, edge, summit(3, edge, 0.2F, 0.9F, 0.5F), method);
            EXPECT_GT(at_y.x, 0.0F);
            EXPECT_EQ(at_y.y, 0.0F);
        }
    }
}

TEST(Adjust, ReachesTheCellsNextToTheEdge) {
    for (const int cell : {1, kSide - 2}) {
        const auto offset =
            offset_at(cell, cell, summit(cell, cell, 0.2F, 0.9F, 0.5F), Adjust::kQuarter);
        EXPECT_EQ(offset.x, 0.25F);
        EXPECT_EQ(offset.y, 0.25F);
    }
}

TEST(Adjust, ReadsNegatedNeighboursOfASignedMapAsTheirHeat) {
    const Offset offset =
        offset_at(3, 3, summit(3, 3, -0.2F, 0.9F, -0.5F), Adjust::kParabola, Nms::kGraph);
    EXPECT_EQ(offset.x, parabola(0.2F, 0.9F, 0.5F));
    EXPECT_EQ(offset.y, offset.x);
}

TEST(Adjust, TakesNeighboursThatAreNotFiniteAsCold) {
    const float cold = parabola(0.0F, 0.9F, 0.5F);
    for (const float poison : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
        EXPECT_EQ(parabola(poison, 0.9F, 0.5F), cold) << poison;
    }
}

TEST(Adjust, SurvivesTheLargestAndTheSmallestHeat) {
    for (const float heat :
         {std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()}) {
        EXPECT_GE(parabola(0.0F, heat, heat), 0.0F) << heat;
        EXPECT_LE(parabola(0.0F, heat, heat), 0.5F) << heat;
        EXPECT_EQ(quarter(0.0F, heat, heat), 0.25F) << heat;
    }
}

TEST(Adjust, OnAPlaneOfOneCellIsNothing) {
    const float cell = 0.9F;
    for (const Adjust method : {Adjust::kParabola, Adjust::kQuarter}) {
        const Offset offset = posewire::adjust(Heat(&cell, 1, 1, Nms::kGraph), 0, 0, method);
        EXPECT_EQ(offset.x, 0.0F);
        EXPECT_EQ(offset.y, 0.0F);
    }
}

}  // namespace
