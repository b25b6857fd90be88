#include "posewire/result_message.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace {

using posewire::serialize_outcome;
using posewire::serialize_result;
using posewire::StageSecs;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ResultMessage, LeavesOutTimesThatAreNotKnown) {
    EXPECT_EQ(serialize_result({"a", "b", StageSecs{}}), std::string("ab\x2a\x00", 4));
    const std::string one_ns = serialize_result({"", "", {1e-9}});
    EXPECT_EQ(one_ns, std::string("\x2a\x04\x0a\x02\x10\x01", 6));
}

TEST(ResultMessage, BoundsTimes) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::string none = serialize_result({"", "", {0.0}});
    EXPECT_EQ(serialize_result({"", "", {-1.0}}), none);
    EXPECT_EQ(serialize_result({"", "", {-kInfinity}}), none);
    EXPECT_EQ(serialize_result({"", "", {nan}}), none);
    EXPECT_EQ(serialize_result({"", "", {kInfinity}}), serialize_result({"", "", {9e9}}));
}

TEST(ResultMessage, WrapsTheResultInAnOutcome) {
    const std::string outcome = serialize_outcome({300, 0, "t"}, {"p", "", StageSecs{}});
    EXPECT_EQ(outcome, std::string("\x12\x0b\x08\xac\x02\x1a\x03p\x2a\x00\x32\x01t", 13));
}

}  // namespace
