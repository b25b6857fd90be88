// Runs tests/clients/targets.yaml: the targets that the clients of all languages accept and refuse.

#include "target.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <string>

namespace posewire::client::testing {

namespace {

using internal::check_target;

YAML::Node targets() { return YAML::LoadFile(TARGETS); }

}  // namespace

TEST(TargetTest, AcceptsWhatGrpcConnectsTo) {
    for (const char* const key : {"accepted", "accepted_by_core"}) {
        const YAML::Node accepted = targets()[key];
        ASSERT_GE(accepted.size(), 4U);
        for (const auto& target : accepted) {
            EXPECT_EQ(check_target(target.as<std::string>()).to_string(), Status().to_string());
        }
    }
}

TEST(TargetTest, RefusesWhatGrpcWouldMishear) {
    for (const char* const key : {"refused", "refused_by_core"}) {
        const YAML::Node refused = targets()[key];
        ASSERT_GE(refused.size(), 4U);
        for (const auto& entry : refused) {
            const auto target = entry.first.as<std::string>();
            const Status status = check_target(target);
            EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << target;
            EXPECT_EQ(status.reason(), reason::kOptionInvalid) << target;
            const auto fault = entry.second.as<std::string>();
            EXPECT_NE(status.message().find(fault), std::string::npos)
                << status.message() << "\nwant in it: " << fault;
        }
    }
}

TEST(TargetTest, SaysWhatCameAndWhatIsWanted) {
    const std::string wanted =
        ", want HOST:PORT, [IPV6]:PORT or unix:PATH, or a gRPC target such as dns:///HOST:PORT or "
        "xds:///NAME";
    EXPECT_EQ(check_target("").message(), "target: got ''" + wanted);
    EXPECT_EQ(check_target("localhost:99999").message(),
              "target: got 'localhost:99999' with the bad port '99999', which is not from 0 to "
              "65535" +
                  wanted);
    EXPECT_EQ(check_target("a\n:1").message(),
              "target: got 'a\\x0a:1' with a blank or a control character" + wanted);
}

}  // namespace posewire::client::testing
