// The only file that calls gRPC.

#include "posewire/client/grpc_connection.hpp"

#include <grpcpp/grpcpp.h>

#include <array>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "failed_call.hpp"
#include "posewire/v1/pose_service.grpc.pb.h"
#include "rpc_status.hpp"
#include "target.hpp"

namespace posewire::client {

namespace {

using v1::PoseService;

struct Argument {
    const char* name;
    int value;
};

constexpr std::array<Argument, 9> kDefaultArguments = {{
    // Requests carry images. The server announces its own limit.
    {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1},
    // Enough for 40 000 people at 0.4 kB each.
    {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, 16 << 20},
    // gRPC retries a call that the server never saw, for example because the connection was
    // closing,
    // but only up to this request size. The default of 256 KiB excludes most images.
    {GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, 32 << 20},
    // Notice a frozen server or a cut cable 10 to 21 seconds later. The timeout leaves time for the
    // image that is ahead of a ping on a slow link. Newer versions of gRPC send pings of their own
    // too, and no keepalive ping during such a one, which has a timeout of a minute.
    {GRPC_ARG_KEEPALIVE_TIME_MS, 11'000},
    {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000},
    {"grpc.http2.ping_timeout_ms", 10'000},
    // Go on while a stream is idle. By default gRPC stops after two pings.
    {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0},
    // The backoff of the contract. By default a channel waits up to two minutes before it
    // reconnects
    // and fails every call until then.
    {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200},
    {GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10'000},
}};

Status status_from_grpc(const grpc::Status& status) {
    google::rpc::Status message;
    if (status.error_details().empty() || !message.ParseFromString(status.error_details()) ||
        message.code() == 0) {
        message.Clear();
        message.set_code(static_cast<int>(status.error_code()));
        message.set_message(status.error_message());
    }
    return status.ok() ? Status() : internal::status_from_rpc(message);
}

/// The calls in progress, which closing the connection cancels.
class LiveCalls {
public:
    void add(grpc::ClientContext* context) {
        const std::lock_guard lock(mutex_);
        contexts_.insert(context);
        if (is_closed_) {
            context->TryCancel();
        }
    }

    void remove(grpc::ClientContext* context) {
        const std::lock_guard lock(mutex_);
        contexts_.erase(context);
    }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        for (grpc::ClientContext* context : contexts_) {
            context->TryCancel();
        }
    }

private:
    std::mutex mutex_;
    std::unordered_set<grpc::ClientContext*> contexts_;
    bool is_closed_ = false;
};

/// The context of one call, which is live as long as this exists.
class LiveContext {
public:
    LiveContext(std::shared_ptr<LiveCalls> calls, const CallContext& settings)
        : calls_(std::move(calls)) {
        constexpr auto kNoDeadline = std::chrono::steady_clock::time_point::max();
        if (settings.deadline != kNoDeadline) {
            const auto remaining = settings.deadline - std::chrono::steady_clock::now();
            context_.set_deadline(
                std::chrono::system_clock::now() +
                std::chrono::duration_cast<std::chrono::system_clock::duration>(remaining));
        }
        if (!settings.token.empty()) {
            context_.AddMetadata("authorization", "Bearer " + settings.token);
        }
        calls_->add(&context_);
    }
    LiveContext(const LiveContext&) = delete;
    LiveContext& operator=(const LiveContext&) = delete;
    ~LiveContext() { calls_->remove(&context_); }

    grpc::ClientContext& operator*() { return context_; }
    grpc::ClientContext* operator->() { return &context_; }

private:
    const std::shared_ptr<LiveCalls> calls_;
    grpc::ClientContext context_;
};

class GrpcStreamCall final : public StreamCall {
public:
    GrpcStreamCall(PoseService::Stub& stub, std::shared_ptr<LiveCalls> calls,
                   const CallContext& settings)
        : context_(std::move(calls), settings) {
        // The first message carries the metadata, so that this does not wait for a connection.
        context_->set_initial_metadata_corked(true);
        stream_ = stub.StreamPoses(&*context_);
    }

    bool write(const v1::StreamPosesRequest& request) override { return stream_->Write(request); }
    void half_close() override { stream_->WritesDone(); }
    bool read(v1::StreamPosesResponse& response) override { return stream_->Read(&response); }
    Status finish() override { return status_from_grpc(stream_->Finish()); }
    void cancel() override { context_->TryCancel(); }

private:
    LiveContext context_;
    std::unique_ptr<grpc::ClientReaderWriter<v1::StreamPosesRequest, v1::StreamPosesResponse>>
        stream_;
};

Status invalid_option(std::string message) {
    ErrorDetails details;
    details.reason = reason::kOptionInvalid;
    return Status(StatusCode::kInvalidArgument, std::move(message), std::move(details));
}

class GrpcConnection final : public Connection {
public:
    /// `fault` is what is wrong with the options; every call fails with it.
    GrpcConnection(std::shared_ptr<grpc::Channel> channel, Status fault, bool may_send_token)
        : stub_(PoseService::NewStub(std::move(channel))),
          fault_(std::move(fault)),
          may_send_token_(may_send_token) {}

    StatusOr<v1::EstimatePosesResponse> estimate_poses(
        const CallContext& context, const v1::EstimatePosesRequest& request) override {
        return call(&PoseService::Stub::EstimatePoses, context, request);
    }

    StatusOr<v1::ListModelsResponse> list_models(const CallContext& context,
                                                 const v1::ListModelsRequest& request) override {
        return call(&PoseService::Stub::ListModels, context, request);
    }

    StatusOr<v1::GetModelResponse> get_model(const CallContext& context,
                                             const v1::GetModelRequest& request) override {
        return call(&PoseService::Stub::GetModel, context, request);
    }

    std::unique_ptr<StreamCall> stream_poses(const CallContext& context) override {
        if (Status status = check(context); !status.ok()) {
            return std::make_unique<internal::FailedCall>(std::move(status));
        }
        return std::make_unique<GrpcStreamCall>(*stub_, calls_, context);
    }

    void close() override { calls_->close(); }

private:
    template <typename Request, typename Response>
    StatusOr<Response> call(grpc::Status (PoseService::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                            const CallContext& settings, const Request& request) {
        if (Status status = check(settings); !status.ok()) {
            return status;
        }
        LiveContext context(calls_, settings);
        Response response;
        const grpc::Status status = (stub_.get()->*method)(&*context, request, &response);
        if (!status.ok()) {
            return status_from_grpc(status);
        }
        return response;
    }

    Status check(const CallContext& context) const {
        if (!fault_.ok() || context.token.empty() || may_send_token_) {
            return fault_;
        }
        return invalid_option(
            "the token would be sent without encryption; set tls, or allow_token_without_tls");
    }

    const std::unique_ptr<PoseService::Stub> stub_;
    const Status fault_;
    const bool may_send_token_;
    const std::shared_ptr<LiveCalls> calls_ = std::make_shared<LiveCalls>();
};

grpc::ChannelArguments arguments_of(const Options& options) {
    grpc::ChannelArguments arguments;
    for (const auto& [name, value] : kDefaultArguments) {
        arguments.SetInt(name, value);
    }
    for (const auto& [name, value] : options.channel_arguments) {
        if (const int* number = std::get_if<int>(&value)) {
            arguments.SetInt(name, *number);
        } else {
            arguments.SetString(name, std::get<std::string>(value));
        }
    }
    return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Options& options) {
    if (options.credentials) {
        return options.credentials;
    }
    if (!options.tls) {
        return grpc::InsecureChannelCredentials();
    }
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = options.tls->root_certificates;
    tls.pem_private_key = options.tls->private_key;
    tls.pem_cert_chain = options.tls->certificate_chain;
    return grpc::SslCredentials(tls);
}

Status check(const std::string& target, const Options& options) {
    if (options.tls && options.credentials) {
        return invalid_option("tls and credentials are both set; set one of them");
    }
    if (options.tls && options.tls->private_key.empty() != options.tls->certificate_chain.empty()) {
        return invalid_option(
            "of tls.private_key and tls.certificate_chain one is empty; set both or none");
    }
    return internal::check_target(target);
}

}  // namespace

std::shared_ptr<Connection> make_connection(const std::string& target, const Options& options) {
    auto channel =
        grpc::CreateCustomChannel(target, credentials_of(options), arguments_of(options));
    const bool is_encrypted = options.tls || options.credentials;
    return std::make_shared<GrpcConnection>(std::move(channel), check(target, options),
                                            is_encrypted || options.allow_token_without_tls);
}

std::shared_ptr<Connection> make_connection(std::shared_ptr<grpc::Channel> channel) {
    return std::make_shared<GrpcConnection>(std::move(channel), Status(), true);
}

}  // namespace posewire::client
