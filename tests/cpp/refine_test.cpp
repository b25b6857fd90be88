#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "adjust.hpp"
#include "painting.hpp"

namespace {

using painting::Maps;
using painting::options_for;
using posewire::DecoderOptions;
using posewire::Nms;
using posewire::Origin;
using posewire::Poses;

constexpr int kLeastReach = 30;  // cells around a pose's peaks where refine searches

struct Cell {
    int x;
    int y;
};

float tag_distance(const float* a, const float* b, int length) {
    if (length == 1) return std::fabs(a[0] - b[0]);
    float sum = 0.0F;
    for (int i = 0; i < length; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

float heat_of(float value, Nms nms) {
    if (!std::isfinite(value)) return 0.0F;
    return nms == Nms::kGraph ? std::fabs(value) : std::max(value, 0.0F);
}

/// The first cell of keypoint 1 whose heat counts most, of those that are above the refine
/// threshold, within reach of the pose's only peak, and whose tag is nearer than the gate.
std::optional<Cell> best_within(double gate, const Maps& maps, const Cell& peak,
                                const float* pose_tag, const DecoderOptions& options) {
    std::optional<Cell> best;
    float greatest = 0.0F;
    for (int y = 0; y < maps.height(); ++y) {
        for (int x = 0; x < maps.width(); ++x) {
            const float heat = heat_of(maps.heat(1, x, y), options.nms);
            const float apart = tag_distance(maps.tag(1, x, y), pose_tag, maps.tag_length());
            if (!(static_cast<double>(heat) > options.refine_threshold)) continue;
            const int outside = std::max(std::abs(x - peak.x), std::abs(y - peak.y));
            if (outside >= kLeastReach || !(static_cast<double>(apart) < gate)) continue;
            const float value =
                heat * (1.0F - static_cast<float>(outside) / static_cast<float>(kLeastReach));
            if (!(value > greatest)) continue;
            greatest = value;
            best = Cell{x, y};
        }
    }
    return best;
}

std::optional<Cell> best_cell(const Maps& maps, const Cell& peak, const float* pose_tag,
                              const DecoderOptions& options) {
    const double near_gate = std::min(0.5, options.tag_threshold);
    const auto near = best_within(near_gate, maps, peak, pose_tag, options);
    return near ? near : best_within(options.tag_threshold, maps, peak, pose_tag, options);
}

/// People whose first keypoint is a peak of 0.97 and whose second is nowhere above 0.9: with a
/// detection threshold between, refine must fill it.
class Scene {
public:
    explicit Scene(unsigned seed)
        : generator_(seed), maps_(2, draw(1, 40), draw(1, 70), draw(0, 3) == 0 ? 2 : 1) {
        const bool coarse = draw(0, 1) == 0;  // with ties
        const float most = coarse ? 0.75F : 0.9F;
        for (float& heat : maps_.heat()) heat = drawn(0.0F, most, coarse) * sign();
        for (float& tag : maps_.tags()) tag = drawn(0.0F, 8.0F, coarse);
        thin_out();
        spoil();
        for (int n = draw(1, 6); n > 0; --n) {
            const float tag = drawn(0.0F, 8.0F, coarse);
            maps_.set(0, draw(0, maps_.width() - 1), draw(0, maps_.height() - 1), 0.97F, tag);
        }
    }

    const Maps& maps() const { return maps_; }

    DecoderOptions options() {
        DecoderOptions options = options_for(2);
        options.detection_threshold = 0.95;
        options.refine_threshold = draw(0, 3) * 0.0625;
        options.tag_threshold = std::vector<double>{0.25, 0.5, 1.0, 2.5}[index(draw(0, 3))];
        options.nms = draw(0, 1) == 0 ? Nms::kGraph : Nms::kDecoder;
        options.adjust = posewire::Adjust::kQuarter;  // it leaves a keypoint in its peak's cell
        return options;
    }

private:
    static std::size_t index(int value) { return static_cast<std::size_t>(value); }
    int draw(int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(generator_);
    }
    float drawn(float least, float most, bool coarse) {
        const float value = std::uniform_real_distribution<float>(least, most)(generator_);
        return coarse ? std::round(value * 16.0F) / 16.0F : value;
    }
    float sign() { return draw(0, 1) == 0 ? 1.0F : -1.0F; }

    /// Leaves heat in only few cells of some scenes, so that a pose's tag can be rare.
    void thin_out() {
        const int kept_in_a_thousand = std::vector<int>{1000, 100, 20, 3}[index(draw(0, 3))];
        for (float& heat : maps_.heat()) {
            if (draw(0, 999) >= kept_in_a_thousand) heat = 0.0F;
        }
    }

    void spoil() {
        if (draw(0, 2) != 0) return;
        const float poison = draw(0, 1) == 0 ? std::numeric_limits<float>::quiet_NaN()
                                             : std::numeric_limits<float>::infinity();
        for (auto* values : {&maps_.heat(), &maps_.tags()}) {
            for (float& value : *values) {
                if (draw(0, 30) == 0) value = poison * sign();
            }
        }
    }

    std::mt19937 generator_;
    Maps maps_;
};

Cell cell_of(const painting::Point& place) {
    return {static_cast<int>(std::floor(place.x)), static_cast<int>(std::floor(place.y))};
}

/// Checks every pose of a scene; returns how many got their second keypoint inferred.
int expect_best_cells(const Maps& maps, const DecoderOptions& options) {
    const Poses poses = decode(options, maps);
    const posewire::Heat heat(maps.heatmap_view().plane(1), maps.height(), maps.width(),
                              options.nms);
    int inferred = 0;
    for (int n = 0; n < poses.count; ++n) {
        const auto at = static_cast<std::size_t>(n);
        const float* tag = poses.tags.data() + at * static_cast<std::size_t>(maps.tag_length());
        const auto cell = best_cell(maps, cell_of(painting::keypoint(poses, n, 0)), tag, options);
        EXPECT_EQ(painting::origin(poses, n, 1), cell ? Origin::kInferred : Origin::kAbsent);
        if (!cell) continue;
        ++inferred;
        const auto offset = adjust(heat, cell->x, cell->y, options.adjust);
        EXPECT_EQ(poses.keypoint_scores[2 * at + 1], heat(cell->x, cell->y));
        EXPECT_FLOAT_EQ(painting::keypoint(poses, n, 1).x,
                        static_cast<float>(cell->x) + offset.x + options.delta_x);
        EXPECT_FLOAT_EQ(painting::keypoint(poses, n, 1).y,
                        static_cast<float>(cell->y) + offset.y + options.delta_y);
    }
    return inferred;
}

TEST(Refine, FindsWhatASearchOfEveryCellFinds) {
    int inferred = 0;
    for (unsigned seed = 0; seed < 1500; ++seed) {
        Scene scene(seed);
        inferred += expect_best_cells(scene.maps(), scene.options());
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
    EXPECT_GT(inferred, 500);
}

/// One person at (2, 2) with tag 1, whose second keypoint may lie in the rest of the map.
class Missing : public testing::Test {
protected:
    Missing() { maps_.set(0, 2, 2, 0.9F, 1.0F); }

    void set(int x, int y, float heat, float tag) { maps_.set(1, x, y, -heat, tag); }

    void expect_at(int x, int y) {
        const Poses poses = decode(maps_);
        ASSERT_EQ(poses.count, 1);
        EXPECT_EQ(painting::origin(poses, 0, 1), Origin::kInferred);
        EXPECT_FLOAT_EQ(painting::keypoint(poses, 0, 1).x, static_cast<float>(x) + 0.5F);
        EXPECT_FLOAT_EQ(painting::keypoint(poses, 0, 1).y, static_cast<float>(y) + 0.5F);
    }

    void expect_absent() {
        const Poses poses = decode(maps_);
        ASSERT_EQ(poses.count, 1);
        EXPECT_EQ(painting::origin(poses, 0, 1), Origin::kAbsent);
    }

    Maps maps_{2, 40, 60};
};

TEST_F(Missing, IsTheFirstOfEquallyWarmCellsInRasterOrder) {
    // In raster order of cells, but not of tiles: the second lies in an earlier tile.
    set(18, 17, 0.5F, 1.0F);
    set(5, 18, 0.5F, 1.0F);
    expect_at(18, 17);
    set(18, 3, 0.5F, 1.0F);
    expect_at(18, 3);
}

TEST_F(Missing, PrefersAColderCellNearInTagToAWarmerOneFarther) {
    set(10, 10, 0.9F, 1.5F);
    set(30, 30, 0.1F, 1.49F);
    expect_at(30, 30);
}

TEST_F(Missing, FallsBackOnTheWarmestCellWithinTheTagThreshold) {
    set(10, 10, 0.4F, 1.5F);
    set(14, 14, 0.8F, 1.99F);
    expect_at(14, 14);
}

TEST_F(Missing, IsAbsentWhereAllTagsAreBeyondTheThreshold) {
    set(10, 10, 0.9F, 2.0F);
    set(30, 30, 0.9F, -0.5F);
    expect_absent();
}

TEST_F(Missing, SeesPastAWarmerCellOfSomebodyElseInTheSameTile) {
    set(19, 17, 0.9F, 7.0F);
    set(21, 18, 0.2F, 1.0F);
    set(5, 30, 0.1F, 1.0F);
    expect_at(21, 18);
}

TEST_F(Missing, IsAbsentWhereItsTagIsOnlyFarAway) {
    set(2 + kLeastReach, 2, 0.9F, 1.0F);
    set(2, 2 + kLeastReach, 0.9F, 1.0F);
    expect_absent();
    set(2 + kLeastReach - 1, 5, 0.1F, 1.0F);
    expect_at(2 + kLeastReach - 1, 5);
    set(5, 2 + kLeastReach - 1, 0.2F, 1.0F);
    expect_at(5, 2 + kLeastReach - 1);
}

TEST_F(Missing, IsNotAWarmerCellFartherAwayInTheSameTile) {
    set(30, 1, 0.9F, 1.0F);
    set(20, 5, 0.3F, 1.0F);
    expect_at(20, 5);
}

TEST_F(Missing, TakesHeatForLessTheFartherAwayItIs) {
    // Of 30 cells that it may lie away, these leave 20 and 10.
    set(12, 5, 0.3F, 1.0F);
    set(5, 22, 0.59F, 1.0F);
    expect_at(12, 5);
    set(5, 22, 0.61F, 1.0F);
    expect_at(5, 22);
}

TEST_F(Missing, PrefersATagLessNearToACellFarAway) {
    set(50, 30, 0.9F, 1.0F);
    set(10, 10, 0.1F, 1.75F);
    expect_at(10, 10);
}

TEST(Reach, IsHalfTheLongerSideOfATallPose) {
    constexpr int kTop = 60;
    constexpr int kBottom = 139;  // 80 cells in all
    for (const int y : {kTop - 40, kTop - 39, kBottom + 39, kBottom + 40}) {
        Maps maps(6, 200, 20);
        for (int k = 0; k < 5; ++k) maps.set(k, 10, kTop + 20 * k - k / 4, 0.9F, 1.0F);
        maps.set(5, 10, y, -0.9F, 1.0F);
        const Poses poses = decode(maps);
        ASSERT_EQ(poses.count, 1);
        const bool within = kTop - 39 <= y && y <= kBottom + 39;
        EXPECT_EQ(painting::origin(poses, 0, 5), within ? Origin::kInferred : Origin::kAbsent) << y;
    }
}

TEST_F(Missing, NeedsHeatAboveTheRefineThreshold) {
    auto options = options_for(2);
    options.refine_threshold = 0.25;
    set(10, 10, 0.25F, 1.0F);
    EXPECT_EQ(painting::origin(decode(options, maps_), 0, 1), Origin::kAbsent);
    set(10, 10, std::nextafter(0.25F, 1.0F), 1.0F);
    EXPECT_EQ(painting::origin(decode(options, maps_), 0, 1), Origin::kInferred);
}

TEST_F(Missing, IsFilledFromAPeakThatAnotherPoseHas) {
    maps_.set(0, 20, 20, 0.9F, 1.4F);
    maps_.set(1, 22, 20, 0.8F, 1.4F);
    const Poses poses = decode(maps_);
    ASSERT_EQ(poses.count, 2);
    const int other = painting::pose_tagged(poses, 1.0F);
    ASSERT_GE(other, 0);
    EXPECT_EQ(painting::origin(poses, other, 1), Origin::kInferred);
    EXPECT_FLOAT_EQ(painting::keypoint(poses, other, 1).x, 22.5F);
}

}  // namespace
