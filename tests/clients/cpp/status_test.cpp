#include "posewire/client/status.hpp"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "rpc_status.hpp"
#include "scripted_server.hpp"

namespace posewire::client::testing {

using internal::status_from_rpc;

TEST(StatusTest, ReadsAllDetails) {
    google::rpc::Status message = with_retry(
        with_reason(status_with(StatusCode::kInvalidArgument, "bad"), "FIELD_INVALID"), 1.5);
    google::rpc::BadRequest request;
    auto& violation = *request.add_field_violations();
    violation.set_field("options.max_poses");
    violation.set_description("must be at least 1");
    message.add_details()->PackFrom(request);
    const Status status = status_from_rpc(message);
    EXPECT_EQ(status.reason(), "FIELD_INVALID");
    EXPECT_TRUE(status.is_from_server());
    EXPECT_EQ(status.retry_after(), Secs(1.5));
    ASSERT_EQ(status.violations().size(), 1U);
    EXPECT_EQ(status.violations()[0].field, "options.max_poses");
    EXPECT_EQ(status.to_string(), "INVALID_ARGUMENT (FIELD_INVALID): bad");
}

TEST(StatusTest, IgnoresDetailsThatItCannotParse) {
    google::rpc::Status message = status_with(StatusCode::kInternal, "");
    google::protobuf::Any& packed = *message.add_details();
    packed.PackFrom(google::rpc::ErrorInfo());
    packed.set_value("\xff\xff");
    const Status status = status_from_rpc(message);
    EXPECT_FALSE(status.is_from_server());
    EXPECT_EQ(status.to_string(), "INTERNAL: no message");
}

TEST(StatusTest, AnotherDomainIsNotTheServer) {
    google::rpc::ErrorInfo info;
    info.set_domain("proxy.example");
    google::rpc::Status message = status_with(StatusCode::kInternal);
    message.add_details()->PackFrom(info);
    EXPECT_FALSE(status_from_rpc(message).is_from_server());
}

TEST(StatusTest, CodesThatAreNewerAreUnknown) {
    google::rpc::Status message;
    message.set_code(99);
    EXPECT_EQ(status_from_rpc(message).code(), StatusCode::kUnknown);
    EXPECT_EQ(code_from_number(-1), StatusCode::kUnknown);
    EXPECT_STREQ(name_of(StatusCode::kUnauthenticated), "UNAUTHENTICATED");
    EXPECT_EQ(Status().to_string(), "OK");
}

TEST(StatusTest, AStatusOrHasOneOfTheTwo) {
    StatusOr<std::string> value(std::string("poses"));
    EXPECT_TRUE(value.ok() && value.status().ok());
    EXPECT_EQ(*value, "poses");
    EXPECT_EQ(value->size(), 5U);
    const StatusOr<std::string> error(Status(StatusCode::kNotFound, "no model"));
    EXPECT_FALSE(error);
    EXPECT_EQ(error.status().code(), StatusCode::kNotFound);
}

}  // namespace posewire::client::testing
