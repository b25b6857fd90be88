#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "painting.hpp"

namespace {

using painting::Maps;
using painting::options_for;
using posewire::DecodeOptions;
using posewire::Decoder;
using posewire::DecoderOptions;
using posewire::HeatmapView;
using posewire::ReferenceDecoder;
using posewire::TagView;

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The call throws std::invalid_argument whose message has each of these parts.
void expect_refused(const std::function<void()>& call, const std::vector<std::string>& parts) {
    try {
        call();
        ADD_FAILURE() << "accepted; want a refusal that names " << parts.front();
    } catch (const std::invalid_argument& error) {
        for (const std::string& part : parts) {
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
                << "'" << error.what() << "' lacks '" << part << "'";
        }
    }
}

/// What came, as a message shows it.
std::string shown(double value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

template <class Owner, class Value>
void expect_option_refused(Value Owner::* option, Value value,
                           const std::vector<std::string>& parts) {
    DecoderOptions options;
    options.*option = value;
    expect_refused([&] { Decoder{options}; }, parts);
}

TEST(Validation, RefusesHeatThresholdsBelowZeroOrNotFinite) {
    for (const double value : {-0.25, -kInfinity, kInfinity, kNotANumber}) {
        expect_option_refused(&DecoderOptions::detection_threshold, value,
                              {"detection_threshold", "got " + shown(value), "at least 0"});
        expect_option_refused(&DecoderOptions::refine_threshold, value,
                              {"refine_threshold", "got " + shown(value), "at least 0"});
    }
}

TEST(Validation, RefusesTagThresholdsThatAreNotAboveZeroOrNotFinite) {
    for (const double value : {0.0, -1.0, kInfinity, kNotANumber}) {
        expect_option_refused(&DecoderOptions::tag_threshold, value,
                              {"tag_threshold", "got " + shown(value), "above 0"});
    }
}

TEST(Validation, RefusesFewerPeaksThanOne) {
    for (const int value : {0, -3, std::numeric_limits<int>::min()}) {
        expect_option_refused(&DecoderOptions::max_peaks, value,
                              {"max_peaks", "got " + std::to_string(value), "at least 1"});
    }
}

TEST(Validation, RefusesADeltaThatIsNotFinite) {
    for (const double value : {-kInfinity, kInfinity, kNotANumber}) {
        const auto delta = static_cast<float>(value);
        expect_option_refused(&DecoderOptions::delta_x, delta,
                              {"delta", "x", "got " + shown(value), "finite"});
        expect_option_refused(&DecoderOptions::delta_y, delta,
                              {"delta", "y", "got " + shown(value), "finite"});
    }
}

TEST(Validation, RefusesAGroupingOrderThatIsNoPermutation) {
    const std::vector<std::vector<int>> orders = {{}, {1}, {0, 0}, {0, 2}, {-1, 0}, {0, 1, 1, 3}};
    const std::vector<std::string> shown_orders = {"()",     "(1)",     "(0, 0)",
                                                   "(0, 2)", "(-1, 0)", "(0, 1, 1, 3)"};
    for (std::size_t i = 0; i < orders.size(); ++i) {
        expect_option_refused(&DecoderOptions::grouping_order, orders[i],
                              {"grouping_order", "got " + shown_orders[i], "exactly once"});
    }
}

TEST(Validation, AcceptsTheLimitsOfEveryOption) {
    DecoderOptions options = options_for(1);
    options.detection_threshold = 0.0;
    options.refine_threshold = 0.0;
    options.tag_threshold = std::numeric_limits<double>::min();
    options.max_peaks = 1;
    options.delta_x = std::numeric_limits<float>::lowest();
    DecodeOptions call;
    call.max_poses = 1;
    call.min_pose_score = 1.0;
    call.min_keypoint_score = 1.0;
    EXPECT_NO_THROW(decode(options, Maps(1, 1, 1), call));
}

void expect_call_refused(const DecodeOptions& call, const std::vector<std::string>& parts) {
    expect_refused([&] { decode(Maps(1, 4, 4), call); }, parts);
}

TEST(Validation, RefusesFewerPosesThanOne) {
    for (const int value : {0, -1}) {
        DecodeOptions call;
        call.max_poses = value;
        expect_call_refused(call, {"max_poses", "got " + std::to_string(value), "at least 1"});
    }
}

TEST(Validation, RefusesLeastScoresThatAreNoScores) {
    for (const double value : {-0.5, 1.25, kInfinity, kNotANumber}) {
        DecodeOptions call;
        call.min_pose_score = value;
        expect_call_refused(call, {"min_pose_score", "got " + shown(value), "[0, 1]"});
        call = {};
        call.min_keypoint_score = value;
        expect_call_refused(call, {"min_keypoint_score", "got " + shown(value), "[0, 1]"});
    }
}

/// Views of a map of three keypoints, 4 high and 5 wide, that `spoil` makes wrong.
void expect_views_refused(const std::function<void(HeatmapView&, TagView&)>& spoil,
                          const std::vector<std::string>& parts) {
    const Maps maps(3, 4, 5);
    HeatmapView heatmaps = maps.heatmap_view();
    TagView tags = maps.tag_view();
    spoil(heatmaps, tags);
    expect_refused([&] { Decoder(options_for(3)).decode(heatmaps, tags); }, parts);
}

TEST(Validation, RefusesHeatmapsOfAnotherNumberOfKeypoints) {
    for (const int keypoints : {0, 2, 4, -3}) {
        expect_views_refused(
            [&](HeatmapView& heatmaps, TagView& tags) {
                heatmaps.keypoints = keypoints;
                tags.keypoints = keypoints;
            },
            {"heatmaps", "got (" + std::to_string(keypoints) + ", 4, 5)", "3 keypoints"});
    }
}

TEST(Validation, RefusesMapsWithoutCells) {
    for (const int side : {0, -4}) {
        const std::string text = std::to_string(side);
        expect_views_refused(
            [&](HeatmapView& heatmaps, TagView& tags) { heatmaps.height = tags.height = side; },
            {"heatmaps", "got (3, " + text + ", 5)", "at least one cell"});
        expect_views_refused(
            [&](HeatmapView& heatmaps, TagView& tags) { heatmaps.width = tags.width = side; },
            {"heatmaps", "got (3, 4, " + text + ")", "at least one cell"});
    }
}

TEST(Validation, RefusesMoreCellsThanAnIntCounts) {
    expect_views_refused(
        [](HeatmapView& heatmaps, TagView& tags) {
            heatmaps.height = tags.height = 65536;
            heatmaps.width = tags.width = 65536;
        },
        {"heatmaps", "got (3, 65536, 65536)", "at most 2^30 cells"});
}

TEST(Validation, RefusesViewsOfNothing) {
    expect_views_refused([](HeatmapView& heatmaps, TagView&) { heatmaps.data = nullptr; },
                         {"heatmaps", "got null", "memory"});
    expect_views_refused([](HeatmapView&, TagView& tags) { tags.data = nullptr; },
                         {"tags", "got null", "memory"});
}

TEST(Validation, RefusesATagThresholdThatLeavesCostsNoPrecision) {
    expect_option_refused(&DecoderOptions::tag_threshold, 2e6, {"tag_threshold", "at most 1e6"});
}

TEST(Validation, ChecksHeatmapsBeforeTags) {
    expect_views_refused(
        [](HeatmapView& heatmaps, TagView& tags) {
            heatmaps.width = 0;
            tags.height = 7;
        },
        {"heatmaps", "got (3, 4, 0)", "at least one cell"});
    expect_views_refused([](HeatmapView& heatmaps, TagView&) { heatmaps.keypoints = 2; },
                         {"heatmaps", "got (2, 4, 5)", "3 keypoints"});
}

TEST(Validation, ChecksWhatTheReferenceGets) {
    auto options = painting::reference_options_for(3);
    options.max_peaks = 0;
    expect_refused([&] { ReferenceDecoder{options}; }, {"max_peaks", "got 0", "at least 1"});
    options = painting::reference_options_for(3);
    options.tag_threshold = 0.0;
    expect_refused([&] { ReferenceDecoder{options}; }, {"tag_threshold", "got 0", "above 0"});
    DecodeOptions call;
    call.max_poses = 0;
    options = painting::reference_options_for(3);
    expect_refused([&] { decode(options, Maps(3, 4, 5), call); }, {"max_poses", "got 0"});
    expect_refused([&] { decode(options, Maps(2, 4, 5)); }, {"heatmaps", "3 keypoints"});
}

TEST(Validation, RefusesTagsOfAnotherShapeThanTheHeatmaps) {
    const auto expect_tags_refused = [](int TagView::* side, int value, const std::string& shape) {
        expect_views_refused([&](HeatmapView&, TagView& tags) { tags.*side = value; },
                             {"tags", "got " + shape, "(3, 4, 5)"});
    };
    expect_tags_refused(&TagView::keypoints, 2, "(2, 4, 5, 1)");
    expect_tags_refused(&TagView::height, 5, "(3, 5, 5, 1)");
    expect_tags_refused(&TagView::width, 4, "(3, 4, 4, 1)");
}

TEST(Validation, RefusesTagsWithoutComponents) {
    for (const int length : {0, -1}) {
        expect_views_refused([&](HeatmapView&, TagView& tags) { tags.length = length; },
                             {"tags", "got " + std::to_string(length), "at least one component"});
    }
}

TEST(Validation, LeavesTheDecoderUsable) {
    const Decoder decoder(options_for(1));
    Maps maps(1, 9, 9);
    maps.set(0, 4, 4, 0.9F, 0.0F);
    TagView tags = maps.tag_view();
    tags.width = 8;
    expect_refused([&] { decoder.decode(maps.heatmap_view(), tags); }, {"tags"});
    EXPECT_EQ(decoder.decode(maps.heatmap_view(), maps.tag_view()).count, 1);
}

}  // namespace
