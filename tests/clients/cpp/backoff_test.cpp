#include "backoff.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "posewire/client/options.hpp"

namespace posewire::client::testing {

using internal::Attempts;
using internal::Backoff;

class BackoffTest : public ::testing::Test {
protected:
    Backoff backoff(double retry_for, double drawn = 1.0) {
        return Backoff(Secs(retry_for), [drawn] { return drawn; }, [this] { return now_; });
    }

    Secs now_{0};
};

TEST_F(BackoffTest, DelaysDoubleUpToTenSeconds) {
    Backoff delays = backoff(60);
    for (const double secs : {0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0}) {
        EXPECT_DOUBLE_EQ(delays.next_delay()->count(), secs);
    }
}

TEST_F(BackoffTest, DelaysHaveJitter) {
    EXPECT_DOUBLE_EQ(backoff(60, 0.25).next_delay()->count(), 0.05);
    for (int count = 0; count < 100; ++count) {
        const double drawn = internal::draw_uniformly();
        EXPECT_TRUE(drawn >= 0 && drawn < 1);
    }
}

TEST_F(BackoffTest, TheLastAttemptIsAtTheEndOfTheTime) {
    Backoff delays = backoff(1);
    now_ += Secs(1000);  // before the first failure
    std::vector<double> secs;
    while (const auto delay = delays.next_delay()) {
        secs.push_back(delay->count());
        now_ += *delay;
    }
    ASSERT_EQ(secs.size(), 3U);
    EXPECT_NEAR(secs.back(), 0.4, 1e-9);
}

TEST_F(BackoffTest, TheTimeIncludesThatOfTheAttempts) {
    Backoff delays = backoff(1);
    EXPECT_TRUE(delays.next_delay());
    now_ += Secs(20);
    EXPECT_FALSE(delays.next_delay());
}

TEST_F(BackoffTest, ASuccessResetsDelaysAndTime) {
    Backoff delays = backoff(1);
    EXPECT_TRUE(delays.is_fresh());
    delays.next_delay();
    EXPECT_FALSE(delays.is_fresh());
    delays.reset();
    EXPECT_TRUE(delays.is_fresh());
    now_ += Secs(1000);
    EXPECT_DOUBLE_EQ(delays.next_delay()->count(), 0.2);
}

TEST_F(BackoffTest, TheDelayIsAtLeastWhatTheServerAsksFor) {
    Backoff delays = backoff(60);
    EXPECT_EQ(delays.next_delay(Secs(5)), Secs(5));
    EXPECT_EQ(delays.next_delay(Secs(0.1)), Secs(0.4));
    EXPECT_FALSE(backoff(4).next_delay(Secs(5)));
    EXPECT_FALSE(backoff(0).next_delay());
}

TEST_F(BackoffTest, AttemptsShareOneDeadline) {
    Attempts attempts(backoff(60), Secs(1), [this] { return now_; });
    const Status gone(StatusCode::kUnavailable, "gone");
    now_ += Secs(0.5);
    EXPECT_EQ(attempts.remaining(), Secs(0.5));
    EXPECT_TRUE(attempts.delay_after(gone));
    EXPECT_TRUE(attempts.delay_after(gone));
    EXPECT_FALSE(attempts.delay_after(gone)) << "0.8 s are more than remain";
    now_ += Secs(5);
    EXPECT_EQ(attempts.remaining(), Secs(0));
}

TEST_F(BackoffTest, KnowsTransientErrors) {
    ErrorDetails retry;
    retry.retry_after = Secs(0);
    ErrorDetails server;
    server.is_from_server = true;
    EXPECT_TRUE(internal::is_transient(Status(StatusCode::kUnavailable, "")));
    EXPECT_TRUE(internal::is_transient(Status(StatusCode::kCancelled, "")));
    EXPECT_TRUE(internal::is_transient(Status(StatusCode::kResourceExhausted, "", retry)));
    EXPECT_FALSE(internal::is_transient(Status(StatusCode::kResourceExhausted, "")));
    EXPECT_FALSE(internal::is_transient(Status(StatusCode::kInternal, "")));
    EXPECT_TRUE(internal::may_reopen(Status(StatusCode::kInternal, "")));
    EXPECT_FALSE(internal::may_reopen(Status(StatusCode::kInternal, "", server)));
    EXPECT_FALSE(internal::may_reopen(Status(StatusCode::kDeadlineExceeded, "")));
}

TEST_F(BackoffTest, ChecksTimes) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(internal::check_times(Secs(1), kForever).ok());
    EXPECT_TRUE(internal::check_times(Secs(1), Secs(0)).ok());
    EXPECT_FALSE(internal::check_times(Secs(nan), Secs(0)).ok());
    EXPECT_FALSE(internal::check_times(kForever, Secs(0)).ok());
    EXPECT_FALSE(internal::check_times(Secs(1), Secs(nan)).ok());
    EXPECT_NE(internal::check_times(Secs(-1), Secs(0)).message().find("-1 s"), std::string::npos);
}

}  // namespace posewire::client::testing
