// What on_wait reports.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "server_test.hpp"
#include "wait_reporter.hpp"

namespace posewire::client::testing {

/// Collects reports: "gone 3+0.4" for a pause of 0.4 s after 3 s, and "-" for the end of a wait.
class WaitLog {
public:
    OnWait on_wait() {
        return [this](const std::optional<Waiting>& waiting) { add(waiting); };
    }

    void add(const std::optional<Waiting>& waiting) {
        std::string text = "-";
        if (waiting) {
            std::ostringstream stream;
            stream << waiting->error.message() << ' ' << waiting->waited.count() << '+'
                   << waiting->delay.count();
            text = stream.str();
        }
        const std::lock_guard lock(mutex_);
        texts_.push_back(text);
    }

    Texts texts() {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

private:
    std::mutex mutex_;
    Texts texts_;
};

namespace {

using std::chrono_literals::operator""ms;
using internal::CallWait;
using internal::WaitReporter;

const Status kGone(StatusCode::kUnavailable, "gone");

/// The error of each report, without times, and once only.
Texts errors_of(const Texts& texts) {
    Texts errors;
    for (const std::string& text : texts) {
        const std::string error = text.substr(0, text.find(' '));
        if (errors.empty() || errors.back() != error) {
            errors.push_back(error);
        }
    }
    return errors;
}

}  // namespace

TEST(WaitReporterTest, SeveralCallsWaitAsOne) {
    Secs now{10};
    WaitLog log;
    const auto reporter = std::make_shared<WaitReporter>(log.on_wait(), [&now] { return now; });
    CallWait first(reporter);
    first.end();  // it does not wait
    {
        CallWait second(reporter);
        first.begin(kGone, Secs(0.2));
        now += Secs(1);
        second.begin(kGone, Secs(0.3));
        now += Secs(2);
        first.begin(kGone, Secs(0.4));
        first.end();
        EXPECT_EQ(log.texts(), (Texts{"gone 0+0.2", "gone 1+0.3", "gone 3+0.4"}));
    }
    now += Secs(100);
    first.begin(kGone, Secs(1));
    EXPECT_EQ(log.texts(), (Texts{"gone 0+0.2", "gone 1+0.3", "gone 3+0.4", "-", "gone 0+1"}));
}

TEST(WaitReporterTest, AReportDuringAReportComesAfterIt) {
    WaitLog log;
    std::optional<CallWait> other;
    bool is_first = true;
    const auto reporter = std::make_shared<WaitReporter>(
        [&](const std::optional<Waiting>& waiting) {
            if (std::exchange(is_first, false)) {
                other->begin(kGone, Secs(2));
                other->begin(kGone, Secs(3));
                EXPECT_EQ(log.texts(), Texts{});
            }
            log.add(waiting);
        },
        [] { return Secs(0); });
    other.emplace(reporter);
    CallWait call(reporter);
    call.begin(kGone, Secs(1));
    EXPECT_EQ(log.texts(), (Texts{"gone 0+1", "gone 0+3"}));
}

TEST(WaitReporterTest, NothingHappensWithoutACallback) {
    CallWait call(std::make_shared<WaitReporter>(nullptr));
    call.begin(kGone, Secs(1));
    call.end();
}

class WaitTest : public ServerTest {
protected:
    void SetUp() override {
        options_.on_wait = log_.on_wait();
        client_.emplace(server_->connect(), options_);
    }

    WaitLog log_;
    Options options_;
};

TEST_P(WaitTest, ACallReportsThatItWaits) {
    server_->add([](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
        return status_with(StatusCode::kUnavailable, "warming");
    });
    for (int count = 0; count < 2; ++count) {
        server_->add(
            [](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) { return ok(); });
    }
    EXPECT_TRUE(client_->estimate(encoded_image("x")).ok());
    EXPECT_TRUE(client_->estimate(encoded_image("x")).ok());
    EXPECT_EQ(errors_of(log_.texts()), (Texts{"warming", "-"}));
}

TEST_P(WaitTest, AStreamReportsThatItWaits) {
    server_->add([](ServerCall&) { return status_with(StatusCode::kUnavailable, "warming"); });
    server_->add([](ServerCall& call) {
        start(call, 2);
        answer_all(call);
        return ok();
    });
    Stream stream = client_->stream();
    send_all(stream, 2);
    EXPECT_EQ(drain(stream), (Texts{"1", "2"}));
    EXPECT_EQ(errors_of(log_.texts()), (Texts{"warming", "-"}));
}

TEST_P(WaitTest, GivingUpEndsTheWait) {
    for (int count = 0; count < 100; ++count) {
        server_->add([](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
            return status_with(StatusCode::kUnavailable, "warming");
        });
    }
    CallOptions options;
    options.retry_for = 100ms;
    EXPECT_EQ(client_->estimate(encoded_image("x"), options).status().message(), "warming");
    EXPECT_EQ(errors_of(log_.texts()), (Texts{"warming", "-"}));
}

TEST_P(WaitTest, TheCallbackMayCloseTheClient) {
    server_->add([](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
        return with_retry(status_with(StatusCode::kResourceExhausted), 25);
    });
    options_.on_wait = [this](const std::optional<Waiting>&) { client_->close(); };
    client_.emplace(server_->connect(), options_);
    EXPECT_EQ(client_->estimate(encoded_image("x")).status().reason(), reason::kClientClosed);
}

INSTANTIATE_TEST_SUITE_P(Server, WaitTest, ::testing::Values(ServerKind::kFake, ServerKind::kGrpc),
                         name_of_kind);

}  // namespace posewire::client::testing
