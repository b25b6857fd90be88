// Unary calls over a server in this process, with and without gRPC.

#include "posewire/client.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "once.hpp"
#include "scripted_server.hpp"

namespace posewire::client::testing {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

EstimateScript failing(const google::rpc::Status& status) {
    return [status](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) { return status; };
}

google::rpc::Status answer(const v1::EstimatePosesRequest& request,
                           v1::EstimatePosesResponse& response) {
    response.set_model(request.image().encoded().data());
    return ok();
}

}  // namespace

class ClientTest : public ServerTest {
protected:
    StatusOr<v1::EstimatePosesResponse> estimate(const CallOptions& options = {}) {
        return client_->estimate(encoded_image("image"), options);
    }
};

TEST_P(ClientTest, EstimatesOneImage) {
    server_->add(answer);
    const auto response = estimate();
    ASSERT_TRUE(response.ok()) << response.status().to_string();
    EXPECT_EQ(response->model(), "image");
}

TEST_P(ClientTest, RetriesTransientErrors) {
    server_->add(failing(status_with(StatusCode::kUnavailable)));
    server_->add(failing(with_retry(status_with(StatusCode::kResourceExhausted), 0.01)));
    server_->add(failing(status_with(StatusCode::kCancelled)));
    server_->add(answer);
    EXPECT_TRUE(estimate().ok());
}

TEST_P(ClientTest, ReturnsOtherErrorsAtOnceWithTheirDetails) {
    server_->add(failing(
        with_reason(status_with(StatusCode::kInvalidArgument, "too large"), "IMAGE_TOO_LARGE")));
    const Status status = estimate().status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.reason(), "IMAGE_TOO_LARGE");
    EXPECT_EQ(status.message(), "too large");
    EXPECT_TRUE(status.is_from_server());
}

TEST_P(ClientTest, DoesNotWaitLongerThanItMayRetry) {
    server_->add(failing(with_retry(status_with(StatusCode::kResourceExhausted), 100)));
    const Status status = estimate().status();
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(status.retry_after(), Secs(100));
}

TEST_P(ClientTest, DoesNotRetryWithoutTime) {
    server_->add(failing(status_with(StatusCode::kUnavailable)));
    server_->add(answer);
    CallOptions options;
    options.retry_for = 0s;
    EXPECT_EQ(estimate(options).status().code(), StatusCode::kUnavailable);
}

TEST_P(ClientTest, RefusesTimesThatItCannotUse) {
    for (const Secs timeout : {Secs(0), Secs(-1), kForever}) {
        CallOptions options;
        options.timeout = timeout;
        EXPECT_EQ(estimate(options).status().reason(), reason::kOptionInvalid);
    }
    CallOptions options;
    options.retry_for = Secs(-1);
    EXPECT_EQ(estimate(options).status().reason(), reason::kOptionInvalid);
}

TEST_P(ClientTest, EndsAWaitForARetryWhenItIsClosed) {
    Event reached;
    server_->add([=](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
        reached.set();
        return with_retry(status_with(StatusCode::kResourceExhausted), 25);
    });
    std::thread closer([&] {
        reached.wait();
        client_->close();
    });
    EXPECT_EQ(estimate().status().reason(), reason::kClientClosed);
    closer.join();
    EXPECT_EQ(estimate().status().reason(), reason::kClientClosed);
}

INSTANTIATE_TEST_SUITE_P(Server, ClientTest,
                         ::testing::Values(ServerKind::kFake, ServerKind::kGrpc), name_of_kind);

}  // namespace posewire::client::testing
