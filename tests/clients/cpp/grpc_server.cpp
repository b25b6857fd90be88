#include "grpc_server.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "posewire/client/grpc_connection.hpp"

namespace posewire::client::testing {

namespace {

grpc::Status grpc_status(const google::rpc::Status& status) {
    return grpc::Status(static_cast<grpc::StatusCode>(status.code()), status.message(),
                        status.details().empty() ? "" : status.SerializeAsString());
}

class GrpcServerCall final : public ServerCall {
public:
    using Stream = grpc::ServerReaderWriter<v1::StreamPosesResponse, v1::StreamPosesRequest>;

    GrpcServerCall(grpc::ServerContext& context, Stream& stream)
        : context_(context), stream_(stream) {}

    std::optional<v1::StreamPosesRequest> receive() override {
        v1::StreamPosesRequest request;
        return stream_.Read(&request) ? std::optional(std::move(request)) : std::nullopt;
    }

    void send(const v1::StreamPosesResponse& response) override { stream_.Write(response); }

    void wait_until_cancelled() override {
        while (!context_.IsCancelled()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

private:
    grpc::ServerContext& context_;
    Stream& stream_;
};

}  // namespace

GrpcServer::GrpcServer() { listen("127.0.0.1:0"); }

GrpcServer::~GrpcServer() { kill(); }

void GrpcServer::listen(const std::string& address) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
}

void GrpcServer::kill() {
    if (server_) {
        server_->Shutdown(std::chrono::system_clock::now());
        server_.reset();
    }
}

void GrpcServer::restart() { listen(address_); }

void GrpcServer::add(StreamScript script) {
    const std::lock_guard lock(mutex_);
    streams_.push_back(std::move(script));
}

void GrpcServer::add(EstimateScript script) {
    const std::lock_guard lock(mutex_);
    estimates_.push_back(std::move(script));
}

std::shared_ptr<Connection> GrpcServer::connect() { return make_connection(address_); }

std::vector<std::string> GrpcServer::tokens() {
    const std::lock_guard lock(mutex_);
    return tokens_;
}

template <typename Script>
Script GrpcServer::take(std::deque<Script>& scripts) {
    const std::lock_guard lock(mutex_);
    if (scripts.empty()) {
        return {};
    }
    Script script = std::move(scripts.front());
    scripts.pop_front();
    return script;
}

void GrpcServer::record(const grpc::ServerContext& context) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, value] : context.client_metadata()) {
        if (key == "authorization") {
            tokens_.emplace_back(value.begin(), value.end());
        }
    }
}

grpc::Status GrpcServer::StreamPoses(grpc::ServerContext* context, GrpcServerCall::Stream* stream) {
    record(*context);
    const StreamScript script = take(streams_);
    GrpcServerCall call(*context, *stream);
    return grpc_status(script ? script(call) : status_with(StatusCode::kUnimplemented));
}

grpc::Status GrpcServer::EstimatePoses(grpc::ServerContext* context,
                                       const v1::EstimatePosesRequest* request,
                                       v1::EstimatePosesResponse* response) {
    record(*context);
    const EstimateScript script = take(estimates_);
    return grpc_status(script ? script(*request, *response)
                              : status_with(StatusCode::kUnimplemented));
}

grpc::Status GrpcServer::ListModels(grpc::ServerContext*, const v1::ListModelsRequest*,
                                    v1::ListModelsResponse* response) {
    response->set_default_model("demo");
    response->add_models()->set_name("demo");
    return grpc::Status::OK;
}

grpc::Status GrpcServer::GetModel(grpc::ServerContext*, const v1::GetModelRequest* request,
                                  v1::GetModelResponse* response) {
    if (!request->model().empty() && request->model() != "demo") {
        return grpc_status(with_reason(status_with(StatusCode::kNotFound), "MODEL_NOT_FOUND"));
    }
    response->mutable_model()->set_name("demo");
    return grpc::Status::OK;
}

std::unique_ptr<ScriptedServer> make_grpc_server() { return std::make_unique<GrpcServer>(); }

}  // namespace posewire::client::testing
