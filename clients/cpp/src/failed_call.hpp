#pragma once

#include <utility>

#include "posewire/client/connection.hpp"

namespace posewire::client::internal {

/// A call that was refused before anything was sent.
class FailedCall final : public StreamCall {
public:
    explicit FailedCall(Status error) : error_(std::move(error)) {}

    bool write(const v1::StreamPosesRequest&) override { return false; }
    void half_close() override {}
    bool read(v1::StreamPosesResponse&) override { return false; }
    Status finish() override { return error_; }
    void cancel() override {}

private:
    const Status error_;
};

}  // namespace posewire::client::internal
