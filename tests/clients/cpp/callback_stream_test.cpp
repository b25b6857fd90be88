// Streams that report to callbacks, with and without gRPC.

#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <vector>

#include "server_test.hpp"

namespace posewire::client::testing {

class CallbackStreamTest : public ServerTest {};

TEST_P(CallbackStreamTest, CallsBackInOrder) {
    server_->add([](ServerCall& call) {
        start(call, 3);
        answer_all(call);
        return ok();
    });
    std::vector<std::uint64_t> numbers;
    int ends = 0;
    StreamCallbacks callbacks;
    callbacks.on_outcome = [&](const Outcome& outcome) { numbers.push_back(outcome.frame_id); };
    callbacks.on_end = [&](const Status& status) { ends += status.ok() ? 1 : 100; };
    CallbackStream stream = client_->stream({}, callbacks);
    for (int count = 0; count < 20; ++count) {
        ASSERT_TRUE(stream.send(frame()).ok());
    }
    EXPECT_TRUE(stream.finish().ok());
    ASSERT_EQ(numbers.size(), 20U);
    EXPECT_EQ(numbers.front(), 1U);
    EXPECT_EQ(numbers.back(), 20U);
    EXPECT_EQ(ends, 1);
}

TEST_P(CallbackStreamTest, ReportsTheErrorToTheCallback) {
    server_->add([](ServerCall&) { return status_with(StatusCode::kNotFound); });
    StreamCallbacks callbacks;
    callbacks.on_outcome = [](const Outcome&) { ADD_FAILURE(); };
    CallbackStream stream = client_->stream({}, callbacks);
    EXPECT_EQ(stream.finish().code(), StatusCode::kNotFound);
}

TEST_P(CallbackStreamTest, MayBeDestroyedByItsCallback) {
    server_->add([](ServerCall& call) {
        start(call, 1);
        answer_all(call);
        return ok();
    });
    std::optional<CallbackStream> stream;
    std::mutex mutex;
    Once<StatusCode> ended;
    StreamCallbacks callbacks;
    callbacks.on_outcome = [&](const Outcome&) {
        const std::lock_guard lock(mutex);
        stream.reset();
    };
    callbacks.on_end = [&](const Status& status) { ended.set(status.code()); };
    {
        const std::lock_guard lock(mutex);
        stream.emplace(client_->stream({}, callbacks));
        ASSERT_TRUE(stream->send(frame()).ok());
    }
    EXPECT_EQ(ended.get(), StatusCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(Server, CallbackStreamTest,
                         ::testing::Values(ServerKind::kFake, ServerKind::kGrpc), name_of_kind);

}  // namespace posewire::client::testing
