#include "heat.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace {

using posewire::Heat;
using posewire::Nms;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();

TEST(Heat, OfASignedMapIsItsMagnitude) {
    const std::vector<float> plane = {0.5F, -0.25F, 0.0F, -0.0F};
    const Heat heat(plane.data(), 2, 2, Nms::kGraph);
    EXPECT_EQ(heat(0, 0), 0.5F);
    EXPECT_EQ(heat(1, 0), 0.25F);
    EXPECT_EQ(heat(0, 1), 0.0F);
    EXPECT_EQ(heat(1, 1), 0.0F);
}

TEST(Heat, OfAnUnsignedMapIsNeverNegative) {
    const std::vector<float> plane = {0.5F, -0.25F};
    const Heat heat(plane.data(), 1, 2, Nms::kDecoder);
    EXPECT_EQ(heat(0, 0), 0.5F);
    EXPECT_EQ(heat(1, 0), 0.0F);
}

TEST(Heat, IsNothingWhereTheTensorIsNotFinite) {
    const std::vector<float> plane = {kNotANumber, -kNotANumber, kInfinity, -kInfinity};
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        const Heat heat(plane.data(), 1, 4, nms);
        for (int x = 0; x < 4; ++x) {
            EXPECT_EQ(heat(x, 0), 0.0F) << x;
            EXPECT_EQ(heat.unsuppressed(heat.index(x, 0)), 0.0F) << x;
        }
    }
}

TEST(Heat, ThatIsUnsuppressedIsPositiveInTheTensor) {
    const std::vector<float> plane = {0.5F, -0.25F};
    const Heat heat(plane.data(), 1, 2, Nms::kGraph);
    EXPECT_EQ(heat.unsuppressed(0), 0.5F);
    EXPECT_EQ(heat.unsuppressed(1), 0.0F);
}

TEST(Heat, CountsCellsAlongRows) {
    const std::vector<float> plane = {0, 1, 2, 3, 4, 5};
    const Heat heat(plane.data(), 2, 3, Nms::kGraph);
    EXPECT_EQ(heat(2, 0), 2.0F);
    EXPECT_EQ(heat(0, 1), 3.0F);
    EXPECT_EQ(heat.index(2, 1), 5U);
}

}  // namespace
