#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "once.hpp"
#include "posewire/client.hpp"
#include "scripted_server.hpp"

namespace posewire::client::testing {

using Texts = std::vector<std::string>;

inline Frame frame(std::size_t bytes = 5) { return {encoded_image(std::string(bytes, 'x')), {}}; }

/// Sends frames and the end of the source; stops when the stream takes no more.
inline void send_all(Stream& stream, int count) {
    for (int sent = 0; sent < count && stream.send(frame()).ok(); ++sent) {
    }
    stream.close_send();
}

/// Returns what a stream yields: "1" for a result, "1!" for an error, "1-" for a skip; then how it
/// ends, unless that is OK.
inline Texts drain(Stream& stream) {
    Texts texts;
    for (const StatusOr<Outcome>& outcome : stream) {
        if (!outcome.ok()) {
            const Status status = outcome.status();
            texts.push_back(status.reason().empty() ? name_of(status.code()) : status.reason());
        } else {
            texts.push_back(std::to_string(outcome->frame_id) + (outcome->error() != nullptr ? "!"
                                                                 : outcome->skipped()        ? "-"
                                                                                             : ""));
        }
    }
    return texts;
}

/// A client of a server in this process.
class ServerTest : public ::testing::TestWithParam<ServerKind> {
protected:
    void SetUp() override { client_.emplace(server_->connect()); }

    std::unique_ptr<ScriptedServer> server_ = make_server(GetParam());
    std::optional<Client> client_;
};

inline std::string name_of_kind(const ::testing::TestParamInfo<ServerKind>& info) {
    return info.param == ServerKind::kFake ? "Fake" : "Grpc";
}

}  // namespace posewire::client::testing
