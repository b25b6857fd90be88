#include "posewire/tracker.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "posewire/colours.hpp"
#include "posewire/smoother.hpp"

namespace {

using posewire::Origin;
using posewire::PosesView;
using posewire::Tracker;
using posewire::TrackerOptions;
using posewire::TrackerPoses;

constexpr std::size_t kKeypoints = 4;
constexpr std::size_t kRegions = 3;

TrackerOptions options() {
    TrackerOptions given;
    given.oks_sigmas.assign(kKeypoints, 0.08);
    return given;
}

/// People of 30 by 90 pixels at the given x, all in one colour.
class Frame {
public:
    explicit Frame(const std::vector<float>& places) : count_(places.size()) {
        for (const float x : places) {
            for (std::size_t k = 0; k < kKeypoints; ++k) {
                keypoints.push_back(x + (k % 2 == 0 ? 0.0F : 30.0F));
                keypoints.push_back(k / 2 == 0 ? 0.0F : 90.0F);
            }
        }
        keypoint_scores.assign(count_ * kKeypoints, 0.8F);
        origins.assign(count_ * kKeypoints, Origin::kDetected);
        scores.assign(count_, 0.8F);
        colours.assign(count_ * kRegions * 4, 1.0F);
    }

    PosesView poses() const {
        return {keypoints.data(), keypoint_scores.data(), origins.data(), count_, kKeypoints};
    }
    TrackerPoses view() const { return {poses(), scores.data(), colours.data(), kRegions}; }

    std::vector<float> keypoints;
    std::vector<float> keypoint_scores;
    std::vector<Origin> origins;
    std::vector<float> scores;
    std::vector<float> colours;

private:
    std::size_t count_;
};

using Ids = std::vector<std::uint32_t>;

TEST(Tracker, KeepsIds) {
    Tracker tracker(options());
    EXPECT_EQ(tracker.update(0.0, Frame({0, 200}).view()), (Ids{1, 2}));
    EXPECT_EQ(tracker.update(0.04, Frame({203, 400, 2}).view()), (Ids{2, 3, 1}));
    EXPECT_EQ(tracker.update(0.08, Frame({}).view()), Ids{});
    EXPECT_EQ(tracker.update(0.12, Frame({6}).view()), (Ids{1}));
}

TEST(Tracker, GoesOnFromASavedState) {
    Tracker tracker(options());
    tracker.update(0.0, Frame({0, 200}).view());
    Tracker other(options());
    other.restore(tracker.save(100));
    EXPECT_EQ(other.update(0.04, Frame({200, 0, 400}).view()), (Ids{2, 1, 3}));
}

TEST(Tracker, RefusesAnyPartOfASavedState) {
    Tracker tracker(options());
    tracker.update(0.0, Frame({0, 200}).view());
    const std::string state = tracker.save(100);
    for (std::size_t length = 0; length < state.size(); ++length) {
        EXPECT_THROW(tracker.restore(state.substr(0, length)), std::invalid_argument);
    }
    EXPECT_THROW(tracker.restore(state + "x"), std::invalid_argument);
    EXPECT_EQ(tracker.update(0.04, Frame({0, 200}).view()), (Ids{1, 2}));
}

TEST(Tracker, HoldsABoundedNumberOfTracks) {
    TrackerOptions few = options();
    few.max_tracks = 2;
    Tracker tracker(few);
    EXPECT_EQ(tracker.update(0.0, Frame({0, 200, 400, 600}).view()), (Ids{1, 2, 3, 4}));
    EXPECT_EQ(tracker.update(0.04, Frame({0, 200, 400}).view()), (Ids{1, 2, 5}));
}

TEST(Tracker, RefusesWhatDoesNotFit) {
    Tracker tracker(options());
    Frame frame({0});
    TrackerPoses view = frame.view();
    view.scores = nullptr;
    EXPECT_THROW(tracker.update(0.0, view), std::invalid_argument);
    view = frame.view();
    view.poses.keypoint_count = 3;
    EXPECT_THROW(tracker.update(0.0, view), std::invalid_argument);
}

TEST(Smoother, PullsKeypointsBack) {
    posewire::Smoother smoother({});
    const std::uint32_t id = 1;
    EXPECT_EQ(smoother.update(0.0, Frame({0}).poses(), &id), Frame({0}).keypoints);
    const float x = smoother.update(0.04, Frame({10}).poses(), &id)[0];
    EXPECT_GT(x, 0.0F);
    EXPECT_LT(x, 10.0F);
    EXPECT_THROW(smoother.update(0.08, Frame({0}).poses(), nullptr), std::invalid_argument);
}

TEST(Colours, StayInsideTheImage) {
    const std::vector<std::uint8_t> pixels(3 * 5 * 4, 7);
    const posewire::ImageView image{pixels.data(), 15, 4, 5};
    for (int x = -2; x < 8; ++x) {
        for (int y = -2; y < 8; ++y) {
            Frame frame({0});
            frame.keypoints[0] = static_cast<float>(x);
            frame.keypoints[1] = static_cast<float>(y);
            const bool is_inside = x >= 1 && x <= 3 && y >= 1 && y <= 2;
            const auto colours = posewire::sample_colours(image, frame.poses(), {{{0, 0, 0.5}}});
            EXPECT_EQ(colours[0], is_inside ? 7.0F : 0.0F) << x << ", " << y;
        }
    }
}

}  // namespace
