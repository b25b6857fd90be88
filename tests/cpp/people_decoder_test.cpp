#include "posewire/people_decoder.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "painting.hpp"
#include "posewire/pose_message.hpp"

namespace {

using painting::Maps;
using posewire::DecodeOptions;
using posewire::Decoder;
using posewire::DuplicateOptions;
using posewire::FrameFromHeatmap;
using posewire::Origin;
using posewire::PeopleDecoder;
using posewire::Poses;
using posewire::ReferenceDecoder;

constexpr std::size_t kKeypoints = 5;
constexpr FrameFromHeatmap kDoubled{2.0, 3.0, 1.0, 10.0};

DuplicateOptions duplicates() { return {std::vector<double>(kKeypoints, 0.1)}; }

/// Two people apart, the second without its last keypoint, and one of the first again.
Maps three_poses() {
    auto again = painting::person_at(7.5F, 8.5F, 8.0F, 5);
    again.heat = 0.5F;
    auto second = painting::person_at(30.5F, 9.5F, 4.0F, 5);
    second.heat = 0.7F;
    second.keypoints.back().reset();
    return painting::signed_maps(40, 52,
                                 {painting::person_at(13.5F, 8.5F, 0.0F, 5), second, again});
}

Poses decode(const PeopleDecoder& decoder, const DecodeOptions& wanted = {}) {
    const Maps maps = three_poses();
    return decoder.decode(maps.heatmap_view(), maps.tag_view(), kDoubled, wanted);
}

PeopleDecoder people_decoder(DuplicateOptions options = duplicates()) {
    return {Decoder(painting::options_for(kKeypoints)), std::move(options)};
}

TEST(PeopleDecoder, MapsToTheFrameAndJoinsDuplicatesThere) {
    auto options = duplicates();
    for (double& sigma : options.oks_sigmas) sigma = 1.0;  // as far apart as these are
    const Poses apart = decode(people_decoder());
    ASSERT_EQ(apart.count, 3);
    EXPECT_FLOAT_EQ(apart.keypoints[0], 2.0F * 13.5F - 1.0F);
    EXPECT_FLOAT_EQ(apart.keypoints[1], 3.0F * 8.5F - 10.0F);
    EXPECT_LT(decode(people_decoder(options)).count, 3);
}

TEST(PeopleDecoder, LeavesAbsentKeypointsAtZero) {
    DecodeOptions wanted;
    wanted.refine = false;
    const Poses poses = decode(people_decoder(), wanted);
    const std::size_t last = 2 * kKeypoints - 1;
    EXPECT_EQ(poses.origins[last], Origin::kAbsent);
    EXPECT_EQ(poses.keypoints[2 * last], 0.0F);
    EXPECT_EQ(poses.keypoints[2 * last + 1], 0.0F);
}

TEST(PeopleDecoder, AppliesLimitsToPeople) {
    DecodeOptions wanted;
    wanted.min_pose_score = 0.54;
    EXPECT_EQ(decode(people_decoder(), wanted).count, 2);
    wanted.max_poses = 1;
    EXPECT_EQ(decode(people_decoder(), wanted).count, 1);
    wanted = {};
    wanted.min_keypoint_score = 0.6;
    EXPECT_EQ(decode(people_decoder(), wanted).count, 2);
}

TEST(PeopleDecoder, KeepsWhatTheReferenceFinds) {
    const PeopleDecoder decoder{ReferenceDecoder(painting::reference_options_for(kKeypoints))};
    EXPECT_EQ(decode(decoder).count, 3);
}

TEST(PeopleDecoder, NamesTheOptionThatDoesNotFit) {
    auto options = duplicates();
    options.max_candidates = 0;
    EXPECT_THROW(people_decoder(options), std::invalid_argument);
    options = duplicates();
    options.oks_sigmas.pop_back();
    EXPECT_THROW(people_decoder(options), std::invalid_argument);
    DecodeOptions wanted;
    wanted.max_poses = 0;
    EXPECT_THROW(decode(people_decoder(), wanted), std::invalid_argument);
}

std::string message_of(const Poses& poses) {
    return posewire::serialize_poses(posewire::view_of(poses, kKeypoints), poses.scores.data());
}

TEST(PeopleDecoder, IsSharedByThreads) {
    const PeopleDecoder decoder = people_decoder();
    const std::string wanted = message_of(decode(decoder));
    std::vector<std::string> messages(8);
    std::vector<std::thread> threads;
    for (std::string& message : messages) {
        threads.emplace_back([&decoder, &message] { message = message_of(decode(decoder)); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& message : messages) EXPECT_EQ(message, wanted);
}

TEST(PoseMessage, LeavesOutZerosAndAddsIds) {
    const float keypoint[] = {0.0F, 1.0F};
    const float score = 0.0F;
    const Origin origin = Origin::kInferred;
    const std::uint32_t track_id = 300;
    const posewire::PosesView pose{keypoint, &score, &origin, 1, 1};
    const std::string one{"\x00\x00\x80\x3F", 4};  // 1.0
    const std::string box = "\x15" + one + "\x25" + one;
    const std::string body = "\x12\x0A" + box + "\x1A\x07\x15" + one + "\x20\x02" + "\x20\xAC\x02";
    EXPECT_EQ(posewire::serialize_poses(pose, &score, &track_id),
              "\x0A" + std::string(1, static_cast<char>(body.size())) + body);
}

TEST(PoseMessage, OfNobodyIsEmpty) { EXPECT_EQ(posewire::serialize_poses({}, nullptr), ""); }

}  // namespace
