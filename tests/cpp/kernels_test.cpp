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

private:
    std::mt19937 generator_{5};
};

Pattern masked(float heat, Pattern mask) { return pattern_of(heat) & mask; }

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

TEST_P(KernelVersion, FindsTheRangeOfTheTagsOfWarmCells) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const Tile tile = draw_tile();
        const Pattern mask = draw_mask();
        const Pattern floor = pattern_of(draw(0, 2) == 0 ? 0.97F : draw_float(0.0F, 0.5F));
        Range wanted{kInfinity, -kInfinity};
        for (int y = 0; y < tile.rows; ++y) {
            for (int x = 0; x < tile.columns; ++x) {
                const float tag = tile.tag_at(x, y);
                if (masked(tile.heat_at(x, y), mask) <= floor || std::isnan(tag)) continue;
                wanted.least = std::min(wanted.least, tag);
                wanted.greatest = std::max(wanted.greatest, tag);
            }
        }
        const Range range = table().warm_tag_range(tile.first_heat(), tile.first_tag(), tile.stride,
                                                   tile.columns, tile.rows, mask, floor);
        if (wanted.least > wanted.greatest) {
            ASSERT_GT(range.least, range.greatest);
        } else {
            ASSERT_EQ(range.least, wanted.least);
            ASSERT_EQ(range.greatest, wanted.greatest);
        }
    }
}

TEST_P(KernelVersion, FindsTheWarmestCellNearATag) {
    int found = 0;
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const Tile tile = draw_tile();
        const Pattern mask = draw_mask();
        const float tag = draw_quarter(-16, 16);
        const float gate = draw(0, 9) == 0 ? kInfinity : draw_quarter(1, 4);
        Pattern wanted = 0;
        for (int y = 0; y < tile.rows; ++y) {
            for (int x = 0; x < tile.columns; ++x) {
                const Pattern heat = masked(tile.heat_at(x, y), mask);
                const bool near = std::fabs(tile.tag_at(x, y) - tag) < gate;
                if (near && heat < kNotFinite) wanted = std::max(wanted, heat);
            }
        }
        ASSERT_EQ(table().warmest_near(tile.first_heat(), tile.first_tag(), tile.stride,
                                       tile.columns, tile.rows, mask, tag, gate),
                  wanted)
            << tile.columns << " x " << tile.rows;
        found += wanted > 0 ? 1 : 0;
    }
    EXPECT_GT(found, kRepetitions / 4);
}

TEST_P(KernelVersion, KeepsTheMaximaOfTilesInAWindowAndWithinReachOfATag) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        const auto count = static_cast<std::size_t>(draw(0, 70));
        std::vector<int> lefts(count);
        std::vector<int> tops(count);
        std::vector<Pattern> maxima(count);
        std::vector<float> least(count);
        std::vector<float> greatest(count);
        const float tag = draw_quarter(-16, 16);
        const float gate = draw_quarter(1, 4);
        const int left = draw(0, 99);
        const int top = draw(0, 99);
        const Window window{left, top, draw(left + 1, 100), draw(top + 1, 100)};
        std::vector<Pattern> wanted(count, 0);
        for (std::size_t i = 0; i < count; ++i) {
            lefts[i] = draw(0, 6) * kTileWidth;
            tops[i] = draw(0, 12) * kTileHeight;
            maxima[i] = pattern_of(std::round(draw_float(0.0F, 1.0F) * 8.0F) / 8.0F);
            least[i] = draw(0, 9) == 0 ? kInfinity : draw_quarter(-16, 16);
            greatest[i] = least[i] == kInfinity ? -kInfinity : least[i] + draw_quarter(0, 4);
            const bool inside =
                std::max(left, lefts[i]) < std::min(window.right, lefts[i] + kTileWidth) &&
                std::max(top, tops[i]) < std::min(window.bottom, tops[i] + kTileHeight);
            const bool near = least[i] - tag < gate && tag - greatest[i] < gate;
            if (inside && near) wanted[i] = maxima[i];
        }
        std::vector<Pattern> reachable(count, -7);
        const Pattern warmest =
            table().reachable_maxima({lefts.data(), tops.data(), maxima.data(), least.data(),
                                      greatest.data(), static_cast<int>(count)},
                                     window, tag, gate, reachable.data());
        ASSERT_EQ(reachable, wanted);
        ASSERT_EQ(warmest, count == 0 ? 0 : *std::max_element(wanted.begin(), wanted.end()));
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
