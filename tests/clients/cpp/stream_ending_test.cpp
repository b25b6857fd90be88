// How streams end, with and without gRPC.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "server_test.hpp"

namespace posewire::client::testing {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

CallOptions within(Secs timeout) {
    CallOptions options;
    options.timeout = timeout;
    return options;
}

}  // namespace

class StreamEndingTest : public ServerTest {};

TEST_P(StreamEndingTest, YieldsAFinalErrorAfterTheOutcomes) {
    server_->add([](ServerCall& call) {
        start(call, 4);
        receive_frame(call);
        call.send(result_for(1));
        receive_frame(call);
        return with_reason(status_with(StatusCode::kFailedPrecondition), "MESSAGE_EMPTY");
    });
    Stream stream = client_->stream();
    ASSERT_TRUE(stream.send(frame()).ok());
    ASSERT_TRUE(stream.send(frame()).ok());
    EXPECT_EQ(drain(stream), (Texts{"1", "MESSAGE_EMPTY"}));
    EXPECT_EQ(stream.send(frame()).reason(), "MESSAGE_EMPTY");
}

TEST_P(StreamEndingTest, GivesUpWhenTheTimeForRetriesIsOver) {
    CallOptions options;
    options.retry_for = 50ms;
    for (int count = 0; count < 100; ++count) {
        server_->add([](ServerCall&) { return status_with(StatusCode::kUnavailable); });
    }
    Stream stream = client_->stream({}, options);
    send_all(stream, 1);
    EXPECT_EQ(drain(stream), Texts{"UNAVAILABLE"});
}

TEST_P(StreamEndingTest, EndsWhenItIsCancelled) {
    Event is_started;
    Event cancelled;
    server_->add([=](ServerCall& call) {
        start(call, 1);
        receive_frame(call);
        is_started.set();
        call.wait_until_cancelled();
        cancelled.set();
        return ok();
    });
    Stream stream = client_->stream();
    ASSERT_TRUE(stream.send(frame()).ok());
    std::thread canceller([&] {
        is_started.wait();
        stream.cancel();
    });
    EXPECT_EQ(drain(stream), Texts{reason::kStreamClosed});
    canceller.join();
    EXPECT_EQ(stream.send(frame()).reason(), reason::kStreamClosed);
    cancelled.wait();
}

TEST_P(StreamEndingTest, EndsWhenItIsDestroyed) {
    Event is_started;
    Event cancelled;
    server_->add([=](ServerCall& call) {
        start(call, 1);
        receive_frame(call);
        is_started.set();
        call.wait_until_cancelled();
        cancelled.set();
        return ok();
    });
    {
        Stream stream = client_->stream();
        ASSERT_TRUE(stream.send(frame()).ok());
        is_started.wait();
    }
    cancelled.wait();
}

TEST_P(StreamEndingTest, EndsWhenTheClientIsClosed) {
    Event is_started;
    server_->add([=](ServerCall& call) {
        start(call, 1);
        receive_frame(call);
        is_started.set();
        call.wait_until_cancelled();
        return ok();
    });
    Stream stream = client_->stream();
    ASSERT_TRUE(stream.send(frame()).ok());
    is_started.wait();
    const Client copy = *client_;
    copy.close();
    EXPECT_EQ(drain(stream), Texts{reason::kClientClosed});
    Stream late = client_->stream();
    EXPECT_EQ(late.send(frame()).reason(), reason::kClientClosed);
    EXPECT_EQ(drain(late), Texts{reason::kClientClosed});
}

TEST_P(StreamEndingTest, TimesOutOnAServerThatDoesNotStart) {
    server_->add([](ServerCall& call) {
        call.wait_until_cancelled();
        return ok();
    });
    Stream stream = client_->stream({}, within(100ms));
    ASSERT_TRUE(stream.send(frame()).ok());
    EXPECT_EQ(drain(stream), Texts{"DEADLINE_EXCEEDED"});
}

TEST_P(StreamEndingTest, TimesOutOnAServerThatFallsSilent) {
    server_->add([](ServerCall& call) {
        start(call, 1);
        receive_frame(call);
        call.send(result_for(1));
        call.wait_until_cancelled();
        return ok();
    });
    Stream stream = client_->stream({}, within(2s));
    std::thread sender([&] { send_all(stream, 10); });
    EXPECT_EQ(drain(stream), (Texts{"1", "DEADLINE_EXCEEDED"}));
    sender.join();
}

TEST_P(StreamEndingTest, TimesOutWhileAWriteBlocks) {
    server_->add([](ServerCall& call) {
        start(call, 64);
        call.wait_until_cancelled();
        return ok();
    });
    Stream stream = client_->stream({}, within(500ms));
    Status status;
    for (int count = 0; count < 1000 && status.ok(); ++count) {
        status = stream.send(frame(1 << 20));  // more than the buffers of a connection
    }
    EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
    EXPECT_EQ(drain(stream), Texts{"DEADLINE_EXCEEDED"});
}

TEST_P(StreamEndingTest, EndsOnAServerThatBreaksTheContract) {
    server_->add([](ServerCall& call) {
        start(call, 1);
        receive_frame(call);
        call.send(result_for(7));
        call.wait_until_cancelled();
        return ok();
    });
    Stream stream = client_->stream();
    send_all(stream, 1);
    EXPECT_EQ(drain(stream), Texts{reason::kProtocol});
}

TEST_P(StreamEndingTest, RefusesATimeThatItCannotUse) {
    Stream stream = client_->stream({}, within(0s));
    EXPECT_EQ(drain(stream), Texts{reason::kOptionInvalid});
}

INSTANTIATE_TEST_SUITE_P(Server, StreamEndingTest,
                         ::testing::Values(ServerKind::kFake, ServerKind::kGrpc), name_of_kind);

}  // namespace posewire::client::testing
