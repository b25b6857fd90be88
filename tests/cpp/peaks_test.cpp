#include "peaks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "painting.hpp"

namespace {

using painting::Maps;
using posewire::Heat;
using posewire::Nms;
using posewire::Peak;
using posewire::PeakLimits;
using posewire::Tags;

constexpr int kReach = 2;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<Peak> find_peaks(const Maps& maps, Nms nms, const PeakLimits& limits) {
    const Heat heat(maps.heatmap_view().plane(0), maps.height(), maps.width(), nms);
    const Tags tags(maps.tag_view().plane(0), maps.tag_length());
    return find_peaks(heat, tags, posewire::TileGrid(heat), limits);
}

bool is_peak(const Maps& maps, int x, int y, Nms nms, bool merge_plateaus) {
    const float own = maps.heat(0, x, y);
    if (std::isnan(*maps.tag(0, x, y))) return false;
    for (int j = y - kReach; j <= y + kReach; ++j) {
        for (int i = x - kReach; i <= x + kReach; ++i) {
            if (!maps.has(i, j)) continue;
            const float other = maps.heat(0, i, j);
            if (nms == Nms::kDecoder && other > own) return false;
            const bool is_earlier = std::tie(j, i) < std::tie(y, x);
            const bool is_twin = other == own && !std::isnan(*maps.tag(0, i, j));
            if (merge_plateaus && is_earlier && is_twin) return false;
        }
    }
    return true;
}

/// All cells that are peaks, sorted, cut off.
std::vector<std::pair<int, int>> wanted_peaks(const Maps& maps, Nms nms, const PeakLimits& limits) {
    std::vector<std::tuple<float, int, int>> found;
    for (int y = 0; y < maps.height(); ++y) {
        for (int x = 0; x < maps.width(); ++x) {
            const float own = maps.heat(0, x, y);
            if (!(static_cast<double>(own) > limits.detection_threshold)) continue;
            if (is_peak(maps, x, y, nms, limits.merge_plateaus)) found.emplace_back(-own, y, x);
        }
    }
    std::sort(found.begin(), found.end());
    const auto most = static_cast<std::size_t>(limits.max_peaks);
    if (found.size() > most) found.resize(most);
    std::vector<std::pair<int, int>> places;
    for (const auto& [heat, y, x] : found) places.emplace_back(x, y);
    return places;
}

/// Noise in which many cells, or all, are maxima; with few levels many are equal.
Maps noise(std::mt19937& generator) {
    const auto draw = [&](int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(generator);
    };
    Maps maps(1, draw(1, 70), draw(1, 90));
    const auto levels = static_cast<float>(draw(0, 1) == 0 ? draw(1, 40) : 100000);
    const int signs = draw(0, 2);
    std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
    for (float& heat : maps.heat()) {
        heat = std::round(uniform(generator) * levels) / levels;
        if (signs == 0 && draw(0, 1) == 0) heat = -heat;
    }
    for (float& tag : maps.tags()) tag = draw(0, 9) == 0 ? kNaN : 1.0F;
    return maps;
}

TEST(Peaks, AreTheWarmestMaximaInRasterOrder) {
    std::mt19937 generator(3);
    const std::vector<int> counts = {1, 2, 7, 30, 100, 2000};
    for (int repetition = 0; repetition < 200; ++repetition) {
        const Maps maps = noise(generator);
        const Nms nms = repetition % 2 == 0 ? Nms::kGraph : Nms::kDecoder;
        const PeakLimits limits{0.25, counts[static_cast<std::size_t>(repetition) % counts.size()],
                                repetition % 3 != 0};
        std::vector<std::pair<int, int>> places;
        for (const Peak& peak : find_peaks(maps, nms, limits)) places.emplace_back(peak.x, peak.y);
        ASSERT_EQ(places, wanted_peaks(maps, nms, limits)) << repetition;
    }
}

TEST(Peaks, AreThoseOfRisingHeatToo) {
    // Every cell is warmer than all before it, so that none can be ruled out early.
    Maps maps(1, 64, 64);
    float value = 0.2F;
    for (float& heat : maps.heat()) heat = value += 1e-4F;
    const PeakLimits limits{0.1, 10, true};
    const auto peaks = find_peaks(maps, Nms::kGraph, limits);
    ASSERT_EQ(peaks.size(), 10U);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(peaks[static_cast<std::size_t>(i)].x, 63 - i);
        EXPECT_EQ(peaks[static_cast<std::size_t>(i)].y, 63);
    }
}

}  // namespace
