// Frames and outcomes of streams, with and without gRPC.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "server_test.hpp"

namespace posewire::client::testing {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

v1::StreamConfig latest() {
    v1::StreamConfig config;
    config.set_delivery_policy(v1::DELIVERY_POLICY_LATEST);
    return config;
}

}  // namespace

class StreamTest : public ServerTest {};

TEST_P(StreamTest, YieldsOneOutcomePerFrameInOrder) {
    server_->add([](ServerCall& call) {
        start(call, 3);
        answer_all(call);
        return ok();
    });
    Stream stream = client_->stream();
    std::thread sender([&] { send_all(stream, 50); });
    Texts expected;
    for (int number = 1; number <= 50; ++number) {
        expected.push_back(std::to_string(number));
    }
    EXPECT_EQ(drain(stream), expected);
    sender.join();
}

TEST_P(StreamTest, SendsConfigImageAndCaptureTime) {
    Once<std::vector<v1::StreamPosesRequest>> seen;
    server_->add([=](ServerCall& call) {
        const auto config = call.receive();
        call.send(started(1));
        const auto first = call.receive();
        call.send(result_for(1));
        seen.set({*config, *first});
        return ok();
    });
    v1::StreamConfig config;
    config.set_model("demo");
    Stream stream = client_->stream(config);
    ASSERT_TRUE(stream.send({encoded_image("jpeg"), 1s + 5ms}).ok());
    stream.close_send();
    const auto outcome = stream.receive();
    ASSERT_TRUE(outcome.ok() && outcome->has_value());
    EXPECT_EQ((*outcome)->model, "demo");
    EXPECT_EQ((*outcome)->result()->image_width(), 64U);
    const auto requests = seen.get();
    EXPECT_EQ(requests[0].config().model(), "demo");
    EXPECT_EQ(requests[1].frame().image().encoded().data(), "jpeg");
    EXPECT_EQ(requests[1].frame().capture_time().seconds(), 1);
    EXPECT_EQ(requests[1].frame().capture_time().nanos(), 5'000'000);
}

TEST_P(StreamTest, KeepsTheWindow) {
    Event release;
    Once<std::uint64_t> third;
    server_->add([=](ServerCall& call) {
        start(call, 2);
        receive_frame(call);
        receive_frame(call);
        release.wait();
        call.send(result_for(1));
        third.set(receive_frame(call));
        call.send(result_for(2));
        call.send(result_for(3));
        return ok();
    });
    Stream stream = client_->stream();
    for (int number = 1; number <= 3; ++number) {
        ASSERT_TRUE(stream.send(frame()).ok());
    }
    Frame fourth = frame();
    EXPECT_EQ(stream.send(std::move(fourth), 50ms).reason(), reason::kWaitExpired);
    EXPECT_EQ(fourth.image.encoded().data(), "xxxxx") << "a frame without room stays as it was";
    EXPECT_EQ(stream.receive(20ms).status().reason(), reason::kWaitExpired);
    stream.close_send();
    release.set();
    EXPECT_EQ(drain(stream), (Texts{"1", "2", "3"}));
    EXPECT_EQ(third.get(), 3U);
}

TEST_P(StreamTest, AnErrorOfAFrameLeavesTheStreamAlive) {
    server_->add([](ServerCall& call) {
        start(call, 4);
        receive_frame(call);
        call.send(error_for(
            1, with_reason(status_with(StatusCode::kInvalidArgument), "IMAGE_UNDECODABLE")));
        answer_all(call);
        return ok();
    });
    Stream stream = client_->stream();
    send_all(stream, 2);
    const auto first = stream.receive();
    ASSERT_TRUE(first.ok() && (*first)->error() != nullptr);
    EXPECT_EQ((*first)->error()->reason(), "IMAGE_UNDECODABLE");
    EXPECT_TRUE((*first)->error()->is_from_server());
    EXPECT_EQ(drain(stream), Texts{"2"});
}

TEST_P(StreamTest, ReopensADrainingStreamAndResends) {
    Once<std::vector<std::uint64_t>> resent;
    server_->add([](ServerCall& call) {
        start(call, 3);
        for (int count = 0; count < 3; ++count) {
            receive_frame(call);
        }
        call.send(draining());
        call.send(result_for(1));
        call.send(skip_for(2, v1::SKIP_REASON_DRAINING));
        call.send(skip_for(3, v1::SKIP_REASON_DRAINING));
        EXPECT_EQ(receive_frame(call), 0U) << "the client half-closes at once";
        return ok();
    });
    server_->add([=](ServerCall& call) {
        start(call, 3);
        resent.set(answer_all(call));
        return ok();
    });
    Stream stream = client_->stream();
    std::thread sender([&] { send_all(stream, 5); });
    EXPECT_EQ(drain(stream), (Texts{"1", "2", "3", "4", "5"}));
    sender.join();
    EXPECT_EQ(resent.get(), (std::vector<std::uint64_t>{2, 3, 4, 5}));
}

TEST_P(StreamTest, ReopensALostStreamAndResends) {
    Once<std::vector<std::uint64_t>> resent;
    server_->add([](ServerCall&) { return status_with(StatusCode::kUnavailable); });
    server_->add([](ServerCall& call) {
        start(call, 2);
        receive_frame(call);
        call.send(result_for(1));
        receive_frame(call);
        return status_with(StatusCode::kInternal);  // a reset stream
    });
    server_->add([=](ServerCall& call) {
        start(call, 2);
        resent.set(answer_all(call));
        return ok();
    });
    Stream stream = client_->stream();
    std::thread sender([&] { send_all(stream, 3); });
    EXPECT_EQ(drain(stream), (Texts{"1", "2", "3"}));
    sender.join();
    EXPECT_EQ(resent.get(), (std::vector<std::uint64_t>{2, 3}));
}

TEST_P(StreamTest, SkipsReplacedFramesWithLatest) {
    Event is_in_flight;
    Event release;
    server_->add([=](ServerCall& call) {
        start(call, 1);
        receive_frame(call);
        is_in_flight.set();
        release.wait();
        call.send(result_for(1));
        answer_all(call);
        return ok();
    });
    Stream stream = client_->stream(latest());
    ASSERT_TRUE(stream.send(frame()).ok());
    is_in_flight.wait();  // until then a newer frame would replace it
    EXPECT_EQ(stream.receive(0ms).status().reason(), reason::kWaitExpired);
    release.set();
    ASSERT_TRUE(stream.receive().ok());
    send_all(stream, 1000);
    const Texts texts = drain(stream);
    ASSERT_EQ(texts.size(), 1000U);
    EXPECT_EQ(texts.back(), "1001");
}

TEST_P(StreamTest, FailsALargeImageWithoutSendingIt) {
    server_->add([](ServerCall& call) {
        call.receive();
        call.send(started(4, 100));
        EXPECT_EQ(answer_all(call), std::vector<std::uint64_t>{2});
        return ok();
    });
    Stream stream = client_->stream();
    ASSERT_TRUE(stream.send(frame(101)).ok());
    ASSERT_TRUE(stream.send(frame(100)).ok());
    stream.close_send();
    EXPECT_EQ(drain(stream), (Texts{"1!", "2"}));
}

INSTANTIATE_TEST_SUITE_P(Server, StreamTest,
                         ::testing::Values(ServerKind::kFake, ServerKind::kGrpc), name_of_kind);

}  // namespace posewire::client::testing
