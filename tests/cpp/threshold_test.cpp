#include "threshold.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace {

using posewire::ceil_to_float;
using posewire::floor_to_float;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The floats around a threshold fall on the side of its floats on which they fall of it.
void expect_same_sides(double threshold) {
    const auto nearest = static_cast<float>(threshold);
    for (const float value :
         {std::nextafter(nearest, -kInfinity), nearest, std::nextafter(nearest, kInfinity)}) {
        const auto exact = static_cast<double>(value);
        EXPECT_EQ(value > floor_to_float(threshold), exact > threshold)
            << value << " and threshold " << threshold;
        EXPECT_EQ(value < ceil_to_float(threshold), exact < threshold)
            << value << " and threshold " << threshold;
    }
}

TEST(Threshold, AsAFloatPartsTheFloatsWhereTheDoubleDoes) {
    std::mt19937 generator(7);
    std::uniform_real_distribution<double> draw(0.0, 1.5);
    for (int i = 0; i < 2000; ++i) expect_same_sides(draw(generator));
    for (const double threshold : {0.0, 0.01, 0.1, 0.5, 0.7, 1.0, 1e-46, 1e-40, 3e38}) {
        expect_same_sides(threshold);
    }
}

TEST(Threshold, BeyondAllFloatsIsExceededByNoFiniteOne) {
    EXPECT_GE(floor_to_float(1e300), std::numeric_limits<float>::max());
    EXPECT_GT(ceil_to_float(1e300), std::numeric_limits<float>::max());
}

}  // namespace
