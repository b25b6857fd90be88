#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "posewire/client/status.hpp"
#include "posewire/v1/pose_service.pb.h"

namespace posewire::client {

/// Settings of one attempt of a call.
struct CallContext {
    /// The deadline; std::chrono::steady_clock::time_point::max() for a stream.
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    /// Sent as "authorization: Bearer TOKEN" unless it is empty.
    std::string token;
};

/// One call of StreamPoses. One thread may write while another one reads.
class StreamCall {
public:
    StreamCall() = default;
    StreamCall(const StreamCall&) = delete;
    StreamCall& operator=(const StreamCall&) = delete;
    virtual ~StreamCall() = default;

    /// Sends a message. Blocks until there is room for it; false once the call has ended.
    virtual bool write(const v1::StreamPosesRequest& request) = 0;

    /// Reports that no more messages follow.
    virtual void half_close() = 0;

    /// Waits for the next message; false once the call has ended.
    virtual bool read(v1::StreamPosesResponse& response) = 0;

    /// Returns the status of the call, after `read` has returned false and the last write has
    /// ended.
    virtual Status finish() = 0;

    /// Ends the call, at any time and from any thread. Blocked reads and writes return false soon.
    virtual void cancel() = 0;
};

/// Makes single attempts of calls; Client adds retries and the rules of streams. Thread-safe.
///
/// Derive from it to test code that uses a Client without a server.
class Connection {
public:
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    virtual StatusOr<v1::EstimatePosesResponse> estimate_poses(
        const CallContext& context, const v1::EstimatePosesRequest& request) = 0;
    virtual StatusOr<v1::ListModelsResponse> list_models(const CallContext& context,
                                                         const v1::ListModelsRequest& request) = 0;
    virtual StatusOr<v1::GetModelResponse> get_model(const CallContext& context,
                                                     const v1::GetModelRequest& request) = 0;

    /// Begins a call without waiting for the server.
    virtual std::unique_ptr<StreamCall> stream_poses(const CallContext& context) = 0;

    /// Cancels the calls in progress. Later ones fail at once.
    virtual void close() = 0;
};

}  // namespace posewire::client
