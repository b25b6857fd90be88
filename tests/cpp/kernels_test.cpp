#include "kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace posewire {

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kRepetitions = 400;

struct Version {
    std::string name;
    const Kernels* table;  // null: the one that the decoder chooses
    bool runs_here;
};

void PrintTo(const Version& version, std::ostream* out) { *out << version.name; }

std::vector<Version> versions() {
    std::vector<Version> all = {{"chosen", nullptr, true}, {"baseline", &baseline_kernels, true}};
#if defined(__x86_64__)
    all.push_back({"AVX2", &avx2_kernels, __builtin_cpu_supports("avx2") != 0});
    all.push_back({"AVX-512", &avx512_kernels, __builtin_cpu_supports("avx512f") != 0});
#endif
    return all;
}

/// A tile in a plane that ends with it, so that reading past the tile is reading past the memory.
struct Tile {
    int columns;
    int rows;
    std::size_t stride;
    std::vector<float> heat;
    std::vector<float> tags;
    TileCells cells() const { return {first_heat(), first_tag(), stride, stride, columns, rows}; }
    const float* first_heat() const { return heat.data() + stride - columns_size(); }
    const float* first_tag() const { return tags.data() + stride - columns_size(); }
    float heat_at(int x, int y) const { return first_heat()[index(x, y)]; }
    float tag_at(int x, int y) const { return first_tag()[index(x, y)]; }

private:
    std::size_t columns_size() const { return static_cast<std::size_t>(columns); }
    std::size_t index(int x, int y) const {
        return static_cast<std::size_t>(y) * stride + static_cast<std::size_t>(x);
    }
};

class KernelVersion : public testing::TestWithParam<Version> {
protected:
    void SetUp() override {
        if (!GetParam().runs_here) GTEST_SKIP() << "not on this processor";
    }
    const Kernels& table() const { return GetParam().table ? *GetParam().table : kernels(); }

    int draw(int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(generator_);
    }
    float draw_float(float least, float most) {
        return std::uniform_real_distribution<float>(least, most)(generator_);
    }
    /// A multiple of a quarter: distances then meet gates exactly.
    float draw_quarter(int least, int most) {
        return 0.25F * static_cast<float>(draw(least, most));
    }
    Pattern draw_mask() { return draw(0, 1) == 0 ? kSignedHeat : kUnsignedHeat; }

    /// Ordinary values with ties, and now and then one of the awkward ones.
    float draw_value(float most) {
        static const std::vector<float> awkward = {0.0F,
                                                   -0.0F,
                                                   kInfinity,
                                                   -kInfinity,
                                                   std::numeric_limits<float>::quiet_NaN(),
                                                   -std::numeric_limits<float>::quiet_NaN(),
                                                   std::numeric_limits<float>::denorm_min(),
                                                   std::numeric_limits<float>::max(),
                                                   std::numeric_limits<float>::lowest()};
        if (draw(0, 19) == 0) return awkward[static_cast<std::size_t>(draw(0, 8))];
        return std::round(draw_float(-most, most) * 64.0F) / 64.0F;
    }

    std::vector<float> draw_values(std::size_t count, float most) {
        std::vector<float> values(count);
        const bool barren = draw(0, 4) == 0;
        for (float& value : values) value = barren ? -0.0F : draw_value(most);
        return values;
    }

    Tile draw_tile() {
        const bool whole = draw(0, 2) == 0;
        Tile tile{whole ? kTileWidth : draw(1, kTileWidth),
                  whole ? kTileHeight : draw(1, kTileHeight),
                  0,
                  {},
                  {}};
        tile.stride = static_cast<std::size_t>(tile.columns + draw(0, 40));
        const std::size_t cells = tile.stride * static_cast<std::size_t>(tile.rows);
        tile.heat = draw_values(cells, 1.0F);
        tile.tags = draw_values(cells, 4.0F);
        return tile;
    }

    Wanted draw_wanted() {
        const int reach = draw(1, 40);
        const int left = draw(0, 90);
        const int top = draw(0, 90);
        return {draw_mask(),
                pattern_of(draw(0, 2) == 0 ? 0.97F : draw_float(0.0F, 0.5F)),
                draw_quarter(-16, 16),
                draw(0, 9) == 0 ? kInfinity : draw_quarter(1, 4),
                {left, left + draw(1, 40), reach},
                {top, top + draw(1, 40), reach}};
    }

private:
    std::mt19937 generator_{5};
};

Pattern masked(float heat, Pattern mask) { return pattern_of(heat) & mask; }

bool is_warm(Pattern heat, const Wanted& wanted) {
    return heat > wanted.floor && heat < kNotFinite;
}

/// How many cells outside the extent the nearest of these is.
int cells_outside(const Extent& extent, int first, int last) {
    return std::max({extent.begin - last, first - extent.end + 1, 0});
}

float weight(const Extent& extent, int outside) {
    return 1.0F - static_cast<float>(outside) / static_cast<float>(extent.reach);
}

/// The tags of a tile that are not NaN.
std::vector<float> tags_of(const Tile& tile, const Wanted& wanted, bool of_warm_cells) {
    std::vector<float> tags;
    for (int y = 0; y < tile.rows; ++y) {
        for (int x = 0; x < tile.columns; ++x) {
            const bool is_cold = !is_warm(masked(tile.heat_at(x, y), wanted.mask), wanted);
            if (std::isnan(tile.tag_at(x, y)) || (of_warm_cells && is_cold)) continue;
            tags.push_back(tile.tag_at(x, y));
        }
    }
    return tags;
}

float greatest_tag(const Tile& tile, const Wanted& wanted, bool of_warm_cells) {
    float greatest = -kInfinity;
    for (const float tag : tags_of(tile, wanted, of_warm_cells)) {
        if (tag <= wanted.tag) greatest = std::max(greatest, tag);
    }
    return greatest;
}

float least_tag(const Tile& tile, const Wanted& wanted, bool of_warm_cells) {
    float least = kInfinity;
    for (const float tag : tags_of(tile, wanted, of_warm_cells)) {
        if (tag >= wanted.tag) least = std::min(least, tag);
    }
    return least;
}

TEST_P(KernelVersion, FindsTheMaximumOfEachTileInARow) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const int width = draw(1, 150);
        const int rows = draw(0, 1) == 0 ? kTileHeight : draw(1, kTileHeight);
        const auto stride = static_cast<std::size_t>(width);
        const auto cells = draw_values(stride * static_cast<std::size_t>(rows), 1.0F);
        const Pattern mask = draw_mask();
        const int tiles = (width + kTileWidth - 1) / kTileWidth;
        std::vector<Pattern> wanted(static_cast<std::size_t>(tiles), 0);
        for (std::size_t i = 0; i < cells.size(); ++i) {
            Pattern& maximum = wanted[i % stride / static_cast<std::size_t>(kTileWidth)];
            maximum = std::max(maximum, masked(cells[i], mask));
        }
        std::vector<Pattern> scratch(static_cast<std::size_t>(2 * tiles * kTileWidth), -7);
        std::vector<Pattern> maxima(wanted.size(), -7);
        table().tile_row_maxima(cells.data(), stride, width, rows, mask, scratch.data(),
                                maxima.data());
        ASSERT_EQ(maxima, wanted) << width << " x " << rows;
    }
}

TEST_P(KernelVersion, TellsWhichColumnsHaveACellAboveAValue) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const Tile tile = draw_tile();
        const float value = std::fabs(draw_float(0.0F, 1.0F));
        unsigned wanted = 0;
        for (int y = 0; y < tile.rows; ++y) {
            for (int x = 0; x < tile.columns; ++x) {
                if (tile.heat_at(x, y) > value) wanted |= 1U << x;
            }
        }
        ASSERT_EQ(
            table().columns_above(tile.first_heat(), tile.stride, tile.columns, tile.rows, value),
            wanted)
            << tile.columns << " x " << tile.rows;
    }
}

TEST_P(KernelVersion, FindsTheTagsAroundATag) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const Tile tile = draw_tile();
        const Wanted wanted = draw_wanted();
        const TagGap gap = table().tag_gap(tile.cells(), wanted);
        ASSERT_EQ(gap.below, greatest_tag(tile, wanted, false));
        ASSERT_EQ(gap.above, least_tag(tile, wanted, false));
        const TagGap warm = table().warm_tag_gap(tile.cells(), wanted);
        ASSERT_EQ(warm.below, greatest_tag(tile, wanted, true));
        ASSERT_EQ(warm.above, least_tag(tile, wanted, true));
    }
}

TEST_P(KernelVersion, FindsTheFirstCellOfGreatestWeightedHeat) {
    int found = 0;
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const Tile tile = draw_tile();
        const Wanted wanted = draw_wanted();
        const int left = draw(0, 60);
        const int top = draw(0, 60);
        BestCell best{kNoValue, 0, 0};
        for (int y = 0; y < tile.rows; ++y) {
            for (int x = 0; x < tile.columns; ++x) {
                const Pattern heat = masked(tile.heat_at(x, y), wanted.mask);
                const int outside = std::max(cells_outside(wanted.x, left + x, left + x),
                                             cells_outside(wanted.y, top + y, top + y));
                const bool is_near = std::fabs(tile.tag_at(x, y) - wanted.tag) < wanted.gate;
                if (!is_warm(heat, wanted) || !is_near || outside >= wanted.x.reach) continue;
                const float value = heat_of(heat) * weight(wanted.x, outside);
                if (value > best.value) best = {value, left + x, top + y};
            }
        }
        const BestCell result = table().best_near(tile.cells(), wanted, left, top);
        ASSERT_EQ(result.value, best.value) << tile.columns << " x " << tile.rows;
        if (best.value == kNoValue) continue;
        ++found;
        ASSERT_EQ(result.x, best.x);
        ASSERT_EQ(result.y, best.y);
    }
    EXPECT_GT(found, kRepetitions / 20);
}

TEST_P(KernelVersion, BoundsTheWeightedHeatOfTiles) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const int columns = kMostLanes * draw(1, 2);
        const int rows = draw(1, 20);
        const auto stride = static_cast<std::size_t>(columns + kMostLanes * draw(0, 1));
        const std::size_t count = stride * static_cast<std::size_t>(rows);
        std::vector<Pattern> maxima(count);
        std::vector<float> below(count);
        std::vector<float> above(count);
        const Wanted wanted = draw_wanted();
        for (std::size_t i = 0; i < count; ++i) {
            maxima[i] = pattern_of(std::round(draw_float(0.0F, 1.0F) * 8.0F) / 8.0F);
            const bool is_known = draw(0, 3) != 0;
            below[i] = is_known ? draw_quarter(-16, 16) : kInfinity;
            above[i] = is_known ? below[i] + draw_quarter(0, 8) : -kInfinity;
        }
        const int left = kTileWidth * draw(0, 3);
        const int top = kTileHeight * draw(0, 6);
        std::vector<float> scratch(static_cast<std::size_t>(columns), -7.0F);
        std::vector<float> bounds(static_cast<std::size_t>(columns * rows), -7.0F);
        std::vector<float> row_bounds(32, -7.0F);
        table().tile_bounds(
            {maxima.data(), below.data(), above.data(), stride, left, top, columns, rows}, wanted,
            scratch.data(), bounds.data(), row_bounds.data());
        const auto* bound = bounds.data();
        for (int row = 0; row < rows; ++row) {
            float greatest = kNoValue;
            for (int column = 0; column < columns; ++column, ++bound) {
                const auto i =
                    static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(column);
                const int x = left + column * kTileWidth;
                const int y = top + row * kTileHeight;
                const int outside = std::max(cells_outside(wanted.x, x, x + kTileWidth - 1),
                                             cells_outside(wanted.y, y, y + kTileHeight - 1));
                const bool is_far =
                    wanted.tag - below[i] >= wanted.gate && above[i] - wanted.tag >= wanted.gate;
                greatest = std::max(greatest, *bound);
                if (maxima[i] <= wanted.floor || is_far || outside >= wanted.x.reach) {
                    ASSERT_LT(*bound, 0.0F);
                } else {
                    ASSERT_EQ(*bound, heat_of(maxima[i]) * weight(wanted.x, outside));
                }
            }
            ASSERT_EQ(row_bounds[static_cast<std::size_t>(row)], greatest);
        }
        for (int row = rows; row % kMostLanes != 0; ++row) {
            ASSERT_EQ(row_bounds[static_cast<std::size_t>(row)], kNoValue);
        }
    }
}

TEST_P(KernelVersion, FindsTheFirstOfTheGreatestValues) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        std::vector<float> values(static_cast<std::size_t>(kMostLanes * draw(1, 4)));
        for (float& value : values) value = draw_quarter(-4, 4);
        const auto greatest = std::max_element(values.begin(), values.end());
        ASSERT_EQ(table().first_greatest(values.data(), static_cast<int>(values.size())),
                  greatest - values.begin());
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, KernelVersion, testing::ValuesIn(versions()));

TEST(Pattern, KeepsTheOrderOfHeat) {
    const std::vector<float> rising = {
        0.0F, std::numeric_limits<float>::denorm_min(), 1e-20F, 0.5F, std::nextafter(0.5F, 1.0F),
        1.0F, std::numeric_limits<float>::max()};
    for (std::size_t i = 1; i < rising.size(); ++i) {
        EXPECT_LT(pattern_of(rising[i - 1]), pattern_of(rising[i]));
        EXPECT_EQ(heat_of(pattern_of(rising[i])), rising[i]);
    }
    EXPECT_LT(pattern_of(rising.back()), kNotFinite);
    EXPECT_GE(pattern_of(kInfinity), kNotFinite);
    EXPECT_GE(pattern_of(-std::numeric_limits<float>::quiet_NaN()) & kSignedHeat, kNotFinite);
}

}  // namespace
}  // namespace posewire
