#include "posewire/duplicates.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <vector>

namespace {

using posewire::join_duplicates;
using posewire::Origin;
using posewire::Poses;
using posewire::PosesView;

constexpr std::size_t kKeypoints = 4;
const std::vector<double> kSigmas(kKeypoints, 0.05);

/// Four keypoints in the corners of a square of 20, each with that heat and origin.
struct Pose {
    float x;
    float y;
    std::vector<float> heat;
    std::vector<Origin> origins = std::vector<Origin>(kKeypoints, Origin::kDetected);
};

Pose pose_at(float x, float y, float heat) { return {x, y, std::vector<float>(kKeypoints, heat)}; }

/// The given, best first, in the arrays that a view is of.
class Given {
public:
    explicit Given(const std::vector<Pose>& poses) : count_(poses.size()) {
        for (const Pose& pose : poses) {
            for (std::size_t k = 0; k < kKeypoints; ++k) {
                keypoints.push_back(pose.x + (k % 2 == 0 ? 0.0F : 20.0F));
                keypoints.push_back(pose.y + (k / 2 == 0 ? 0.0F : 20.0F));
                scores.push_back(pose.heat[k]);
                origins.push_back(pose.origins[k]);
            }
        }
    }

    PosesView view() const {
        return {keypoints.data(), scores.data(), origins.data(), count_, kKeypoints};
    }

    std::vector<float> keypoints;
    std::vector<float> scores;
    std::vector<Origin> origins;

private:
    std::size_t count_;
};

Poses joined(const Given& given) { return join_duplicates(given.view(), kSigmas, 0.5); }

Poses joined(const std::vector<Pose>& poses) { return joined(Given(poses)); }

/// The x of the first keypoint of each pose, which identifies its person.
std::vector<float> places(const Poses& poses) {
    std::vector<float> xs;
    for (std::size_t i = 0; i < poses.keypoints.size(); i += 2 * kKeypoints) {
        xs.push_back(poses.keypoints[i]);
    }
    return xs;
}

TEST(Duplicates, AreLeftOutAndOthersStay) {
    const Poses poses =
        joined({pose_at(0, 0, 0.75F), pose_at(50, 0, 0.5F), pose_at(0.5F, 0, 0.25F)});
    EXPECT_EQ(poses.count, 2);
    EXPECT_EQ(places(poses), (std::vector<float>{0, 50}));
    EXPECT_EQ(poses.scores, (std::vector<float>{0.75F, 0.5F}));
    EXPECT_TRUE(poses.tags.empty());
}

TEST(Duplicates, GiveTheirWarmerPeaks) {
    const Pose better{0, 0, {0.75F, 0.75F, 0.5F, 0.25F}};
    const Pose weaker{1, 0, {0.5F, 0.75F, 0.75F, 0.5F}};
    const Poses poses = joined({better, weaker});
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.keypoints, (std::vector<float>{0, 0, 20, 0, 1, 20, 21, 20}));
    EXPECT_EQ(poses.keypoint_scores, (std::vector<float>{0.75F, 0.75F, 0.75F, 0.5F}));
    EXPECT_EQ(poses.scores, (std::vector<float>{2.75F / 4.0F}));
}

TEST(Duplicates, KeepToThemselvesWhatRefineFilled) {
    Pose better{0, 0, {0.75F, 0.75F, 0.75F, 0.25F}};
    Pose weaker{1, 0, {0.5F, 0.5F, 1.0F, 0.5F}};
    weaker.origins[2] = Origin::kInferred;
    better.origins[3] = Origin::kInferred;
    const Poses poses = joined({better, weaker});
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.keypoints, (std::vector<float>{0, 0, 20, 0, 0, 20, 21, 20}));
    EXPECT_TRUE(poses.origins == std::vector<Origin>(kKeypoints, Origin::kDetected));
    EXPECT_EQ(poses.scores, (std::vector<float>{2.75F / 4.0F}));
}

TEST(Duplicates, ReplaceWhatRefineFilledOnlyWhereTheyAreWarmer) {
    Pose better{0, 0, {0.75F, 0.75F, 0.75F, 0.5F}};
    better.origins[3] = Origin::kInferred;
    const Poses poses = joined({better, pose_at(1, 0, 0.25F)});
    ASSERT_EQ(poses.count, 1);
    EXPECT_EQ(poses.origins[3], Origin::kInferred);
    EXPECT_EQ(poses.scores, (std::vector<float>{2.25F / 4.0F}));
}

TEST(Duplicates, HaveNoDuplicatesOfTheirOwn) {
    const std::vector<Pose> row = {pose_at(0, 0, 0.75F), pose_at(1.5F, 0, 0.5F),
                                   pose_at(3, 0, 0.25F)};
    EXPECT_EQ(places(joined({row[1], row[2]})), (std::vector<float>{1.5F}));
    EXPECT_EQ(places(joined(row)), (std::vector<float>{0, 3}));
}

TEST(Duplicates, ExceedTheThreshold) {
    Pose half = pose_at(0, 0, 0.5F);
    half.origins = {Origin::kDetected, Origin::kDetected, Origin::kAbsent, Origin::kAbsent};
    const Pose whole = pose_at(0, 0, 0.25F);
    EXPECT_EQ(joined({half, whole}).count, 2);  // similar in exactly half of the keypoints
    EXPECT_EQ(joined({whole, half}).count, 1);
    EXPECT_EQ(join_duplicates(Given({half, whole}).view(), kSigmas, 0.49).count, 1);
}

TEST(Duplicates, OfOneKeypointLieAsNearAsTheThresholdWants) {
    const auto count = [](float apart) {
        std::vector<Pose> poses = {pose_at(0, 0, 0.5F), pose_at(apart, 0, 0.25F)};
        for (Pose& pose : poses) {
            pose.origins.assign(kKeypoints, Origin::kAbsent);
            pose.origins[0] = Origin::kDetected;
        }
        return joined(poses).count;
    };
    // The root of 8 * 0.05^2 * log(2), for an area of 1, is 0.1177.
    EXPECT_EQ(count(0.117F), 1);
    EXPECT_EQ(count(0.118F), 2);
}

TEST(Duplicates, CanMakeTheirPersonTheBest) {
    const Pose left{0, 0, {0.75F, 0.75F, 0.0F, 0.0F}};
    const Pose right{1, 0, {0.0F, 0.0F, 0.75F, 0.75F}};
    const Poses poses = joined({pose_at(50, 0, 0.5F), left, right});
    EXPECT_EQ(places(poses), (std::vector<float>{0, 50}));
    EXPECT_EQ(poses.scores, (std::vector<float>{0.75F, 0.5F}));
}

TEST(Duplicates, WhereThereAreNoneLeaveEqualScoresInOrder) {
    std::vector<Pose> row;
    std::vector<float> wanted;
    for (int i = 0; i < 40; ++i) {
        wanted.push_back(static_cast<float>((i * 7) % 40) * 100.0F);
        row.push_back(pose_at(wanted.back(), 0, 0.5F));
    }
    EXPECT_EQ(places(joined(row)), wanted);
}

TEST(Duplicates, AreNotAmongNobodyAndOneAlone) {
    EXPECT_EQ(joined(std::vector<Pose>{}).count, 0);
    EXPECT_EQ(join_duplicates({nullptr, nullptr, nullptr, 0, 4}, kSigmas, 0.5).count, 0);
    EXPECT_EQ(joined({pose_at(3, 4, 0.5F)}).keypoints,
              (std::vector<float>{3, 4, 23, 4, 3, 24, 23, 24}));
}

TEST(Duplicates, HaveAKeypoint) {
    Pose empty = pose_at(0, 0, 0.0F);
    empty.origins.assign(kKeypoints, Origin::kAbsent);
    EXPECT_EQ(joined({pose_at(0, 0, 0.5F), empty, empty}).count, 3);
}

TEST(Duplicates, DoNoHarmWhereTheyAreNotFinite) {
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> wrongs = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity,
                                       std::numeric_limits<float>::max()};
    for (const float wrong : wrongs) {
        Given given({pose_at(0, 0, 0.75F), pose_at(1, 0, 0.5F), pose_at(90, 0, 0.5F),
                     pose_at(180, 0, 0.25F)});
        given.keypoints[4 * kKeypoints] = wrong;  // of the third pose
        given.scores[2 * kKeypoints + 1] = wrong;
        given.scores[3 * kKeypoints + 1] = wrong;
        const Poses poses = joined(given);
        EXPECT_GE(poses.count, 1);
        for (const float score : poses.scores) EXPECT_GE(score, 0.0F);
    }
}

TEST(Duplicates, AreSoughtAmongWhatFits) {
    const Given given({pose_at(0, 0, 0.5F)});
    const auto refused = [](const PosesView& view, const std::vector<double>& sigmas,
                            double threshold) {
        EXPECT_THROW(join_duplicates(view, sigmas, threshold), std::invalid_argument);
    };
    PosesView view = given.view();
    refused(view, {0.05}, 0.5);
    refused(view, {0.05, 0.05, 0.05, 0.0}, 0.5);
    refused(view, {0.05, 0.05, 0.05, std::numeric_limits<double>::infinity()}, 0.5);
    for (const double threshold : {0.0, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
        refused(view, kSigmas, threshold);
    }
    view.keypoint_count = 0;
    refused(view, {}, 0.5);
    view = given.view();
    view.origins = nullptr;
    refused(view, kSigmas, 0.5);
}

}  // namespace
