// Runs tests/clients/session_cases.yaml, which describes the steps.

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cctype>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backoff.hpp"
#include "posewire/client/image.hpp"
#include "posewire/client/options.hpp"
#include "scripted_server.hpp"
#include "session.hpp"

namespace posewire::client::testing {

namespace {

using internal::Backoff;
using internal::StreamSession;

constexpr char kSourceReason[] = "SOURCE";

Status source_error(const std::string& message) {
    ErrorDetails details;
    details.reason = kSourceReason;
    return Status(StatusCode::kAborted, message, details);
}

StatusCode code_named(const std::string& name) {
    for (int number = 0; number <= 16; ++number) {
        const auto code = static_cast<StatusCode>(number);
        if (name == name_of(code)) {
            return code;
        }
    }
    ADD_FAILURE() << "unknown code: " << name;
    return StatusCode::kUnknown;
}

std::string skip_name(v1::SkipReason reason) {
    return v1::SkipReason_Name(reason).substr(sizeof("SKIP_REASON_") - 1);
}

v1::SkipReason skip_named(const std::string& name) {
    v1::SkipReason reason = v1::SKIP_REASON_UNSPECIFIED;
    EXPECT_TRUE(v1::SkipReason_Parse("SKIP_REASON_" + name, &reason)) << name;
    return reason;
}

/// Reports keys that a driver does not know, so that no part of a case is skipped.
void expect_keys(const YAML::Node& map, const std::set<std::string>& known) {
    for (const auto& entry : map) {
        EXPECT_TRUE(known.count(entry.first.as<std::string>()) == 1)
            << "unknown key: " << entry.first;
    }
}

v1::StreamPosesResponse response_without_token(const YAML::Node& node) {
    if (node["started"]) {
        const YAML::Node settings = node["started"];
        expect_keys(settings, {"window", "max_image_bytes"});
        return started(settings["window"].as<int>(), settings["max_image_bytes"].as<int>(1 << 20));
    }
    if (node["result"]) {
        return result_for(node["result"].as<std::uint64_t>());
    }
    if (node["error"]) {
        return error_for(node["error"].as<std::uint64_t>(),
                         status_with(code_named(node["code"].as<std::string>())));
    }
    if (node["skipped"]) {
        return skip_for(node["skipped"].as<std::uint64_t>(),
                        skip_named(node["reason"].as<std::string>()));
    }
    return node["draining"].IsDefined() ? draining() : v1::StreamPosesResponse();
}

v1::StreamPosesResponse response_of(const YAML::Node& node) {
    expect_keys(node, {"started", "result", "error", "code", "skipped", "reason", "draining",
                       "unknown", "resume_token"});
    v1::StreamPosesResponse response = response_without_token(node);
    if (node["resume_token"]) {
        const auto token = node["resume_token"].as<std::string>();
        if (response.has_draining()) {
            response.mutable_draining()->set_resume_token(token);
        } else {
            response.mutable_outcome()->set_resume_token(token);
        }
    }
    return response;
}

v1::StreamPosesRequest frame_of(std::size_t image_bytes) {
    v1::StreamPosesRequest request;
    *request.mutable_frame()->mutable_image() = encoded_image(std::string(image_bytes, 'x'));
    return request;
}

std::optional<double> secs_or_none(const YAML::Node& node) {
    return node.IsNull() ? std::nullopt : std::optional(node.as<double>());
}

}  // namespace

class SessionCase : public ::testing::TestWithParam<std::shared_ptr<YAML::Node>> {
protected:
    void run(const YAML::Node& node) {
        expect_keys(node,
                    {"name", "delivery", "window", "retry_for_secs", "timeout_secs", "steps"});
        open_session(node);
        for (const auto& step : node["steps"]) {
            ASSERT_EQ(step.size(), 1U) << step;
            const auto entry = *step.begin();
            SCOPED_TRACE(YAML::Dump(step));
            take_step(entry.first.as<std::string>(), entry.second);
        }
    }

private:
    void open_session(const YAML::Node& node) {
        v1::StreamConfig config;
        if (node["delivery"].as<std::string>("lossless") == "latest") {
            config.set_delivery_policy(v1::DELIVERY_POLICY_LATEST);
        }
        if (node["window"]) {
            config.set_max_frames_in_flight(node["window"].as<std::uint32_t>());
        }
        const YAML::Node retry = node["retry_for_secs"];
        const Secs retry_for =
            retry && retry.IsNull() ? kForever : Secs(retry ? retry.as<double>() : 30);
        const auto clock = [this] { return now_; };
        session_ =
            std::make_unique<StreamSession>(config,
                                            Backoff(
                                                retry_for, [] { return 1.0; }, clock),
                                            Secs(node["timeout_secs"].as<double>(30)), clock);
    }

    void take_step(const std::string& kind, const YAML::Node& value) {
        if (kind == "advance") {
            now_ += Secs(value.as<double>());
        } else if (kind == "put") {
            put(value);
        } else if (kind == "finish_source") {
            session_->finish_source(value.IsNull() ? Status()
                                                   : source_error(value.as<std::string>()));
        } else if (kind == "open_call") {
            call_ = session_->open_call();
        } else if (kind == "receive") {
            const Status status = session_->receive(response_of(value));
            EXPECT_TRUE(status.ok()) << status.to_string();
        } else if (kind == "reject") {
            EXPECT_EQ(session_->receive(response_of(value)).reason(), reason::kProtocol);
        } else if (kind == "end_call") {
            end_call(value);
        } else if (kind == "time_out") {
            session_->time_out();
        } else if (kind == "fail") {
            session_->fail(Status(code_named(value.as<std::string>()), "scripted"));
        } else if (kind == "close") {
            session_->close();
        } else {
            check(kind, value);
        }
    }

    void put(const YAML::Node& value) {
        if (value.IsMap()) {
            expect_keys(value, {"image_bytes"});
            session_->put(frame_of(value["image_bytes"].as<std::size_t>()));
            return;
        }
        for (int count = value.as<int>(); count > 0; --count) {
            session_->put(frame_of(5));
        }
    }

    void end_call(const YAML::Node& value) {
        expect_keys(value, {"code", "reopen_after_secs", "retry_after_secs", "from_server"});
        ErrorDetails details;
        details.is_from_server = value["from_server"].as<bool>(false);
        if (value["retry_after_secs"]) {
            details.retry_after = Secs(value["retry_after_secs"].as<double>());
        }
        const StatusCode code = code_named(value["code"].as<std::string>());
        const auto delay = session_->end_call(
            code == StatusCode::kOk ? Status() : Status(code, "scripted", details));
        const auto expected = secs_or_none(value["reopen_after_secs"]);
        ASSERT_EQ(delay.has_value(), expected.has_value());
        if (delay) {
            EXPECT_NEAR(delay->count(), *expected, 1e-6);
        }
    }

    void check(const std::string& kind, const YAML::Node& value) {
        if (kind == "send") {
            std::vector<std::uint64_t> sent;
            while (const auto request = session_->next_request()) {
                sent.push_back(request->frame().frame_id());
            }
            EXPECT_EQ(sent, value.as<std::vector<std::uint64_t>>());
        } else if (kind == "take") {
            check_take(value);
        } else if (kind == "resume_token") {
            EXPECT_EQ(session_->config().resume_token(), value.as<std::string>());
        } else if (kind == "secs_to_timeout") {
            EXPECT_NEAR(session_->secs_to_timeout().count(), value.as<double>(), 1e-6);
        } else {
            const std::map<std::string, bool> answers = {
                {"half_close", session_->should_half_close(call_)},
                {"put_ready", session_->is_put_ready()},
                {"take_ready", session_->is_take_ready()},
                {"started", session_->is_started()},
                {"finished", session_->is_finished()},
                {"timed_out", session_->has_timed_out()},
            };
            ASSERT_EQ(answers.count(kind), 1U) << "unknown step: " << kind;
            EXPECT_EQ(answers.at(kind), value.as<bool>());
        }
    }

    void check_take(const YAML::Node& items) {
        for (const auto& item : items) {
            SCOPED_TRACE(YAML::Dump(item));
            auto taken = session_->take();
            if (item["end"].IsDefined()) {
                expect_keys(item, {"end"});
                EXPECT_TRUE(session_->is_finished() && taken.ok() && !taken->has_value());
            } else if (item["raises"]) {
                check_error(taken.status(), item);
            } else {
                ASSERT_TRUE(taken.ok() && taken->has_value());
                check_outcome(**taken, item);
            }
        }
        const bool says_end = items.size() > 0 && (items[items.size() - 1]["end"].IsDefined() ||
                                                   items[items.size() - 1]["raises"].IsDefined());
        EXPECT_EQ(session_->is_take_ready(), says_end);
    }

    static void check_error(const Status& status, const YAML::Node& item) {
        expect_keys(item, {"raises", "says"});
        const std::string kind = status.reason() == reason::kProtocol ? "PROTOCOL"
                                 : status.reason() == kSourceReason   ? "SOURCE"
                                                                      : name_of(status.code());
        EXPECT_EQ(kind, item["raises"].as<std::string>());
        EXPECT_NE(status.message().find(item["says"].as<std::string>("")), std::string::npos)
            << status.message();
    }

    static void check_outcome(const Outcome& outcome, const YAML::Node& item) {
        expect_keys(item, {"result", "error", "skipped", "before", "code", "reason"});
        if (item["before"]) {
            EXPECT_EQ(outcome.frames_skipped_before, item["before"].as<std::uint64_t>());
        }
        if (item["result"]) {
            EXPECT_NE(outcome.result(), nullptr);
            EXPECT_EQ(outcome.frame_id, item["result"].as<std::uint64_t>());
        } else if (item["error"]) {
            ASSERT_NE(outcome.error(), nullptr);
            EXPECT_EQ(outcome.frame_id, item["error"].as<std::uint64_t>());
            EXPECT_EQ(item["code"].as<std::string>(name_of(outcome.error()->code())),
                      name_of(outcome.error()->code()));
            EXPECT_EQ(item["reason"].as<std::string>(outcome.error()->reason()),
                      outcome.error()->reason());
        } else {
            ASSERT_TRUE(outcome.skipped());
            EXPECT_EQ(outcome.frame_id, item["skipped"].as<std::uint64_t>());
            EXPECT_EQ(item["reason"].as<std::string>(skip_name(*outcome.skipped())),
                      skip_name(*outcome.skipped()));
        }
    }

    Secs now_{0};
    std::uint64_t call_ = 0;
    std::unique_ptr<StreamSession> session_;
};

TEST_P(SessionCase, Runs) { run(*GetParam()); }

namespace {

std::vector<std::shared_ptr<YAML::Node>> cases() {
    std::vector<std::shared_ptr<YAML::Node>> nodes;
    for (const auto& node : YAML::LoadFile(SESSION_CASES)) {
        nodes.push_back(std::make_shared<YAML::Node>(node));
    }
    return nodes;
}

std::string name_of_case(const ::testing::TestParamInfo<SessionCase::ParamType>& info) {
    std::string name = (*info.param)["name"].as<std::string>();
    for (char& letter : name) {
        letter = std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
    }
    return name;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Yaml, SessionCase, ::testing::ValuesIn(cases()), name_of_case);

}  // namespace posewire::client::testing
