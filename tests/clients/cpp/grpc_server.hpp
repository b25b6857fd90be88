#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "posewire/client/options.hpp"
#include "posewire/v1/pose_service.grpc.pb.h"
#include "scripted_server.hpp"

namespace posewire::client::testing {

/// A gRPC server on a port of 127.0.0.1.
class GrpcServer final : public ScriptedServer, private v1::PoseService::Service {
public:
    GrpcServer();
    ~GrpcServer() override;

    void add(StreamScript script) override;
    void add(EstimateScript script) override;
    std::shared_ptr<Connection> connect() override;

    const std::string& address() const { return address_; }

    /// Ends all calls and closes the port.
    void kill();

    /// Opens the same port again.
    void restart();

    /// Returns the values of "authorization" that calls brought.
    std::vector<std::string> tokens();

private:
    grpc::Status StreamPoses(
        grpc::ServerContext* context,
        grpc::ServerReaderWriter<v1::StreamPosesResponse, v1::StreamPosesRequest>* stream) override;
    grpc::Status EstimatePoses(grpc::ServerContext* context,
                               const v1::EstimatePosesRequest* request,
                               v1::EstimatePosesResponse* response) override;
    grpc::Status ListModels(grpc::ServerContext* context, const v1::ListModelsRequest* request,
                            v1::ListModelsResponse* response) override;
    grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest* request,
                          v1::GetModelResponse* response) override;

    void listen(const std::string& address);
    void record(const grpc::ServerContext& context);

    template <typename Script>
    Script take(std::deque<Script>& scripts);

    std::mutex mutex_;
    std::deque<StreamScript> streams_;
    std::deque<EstimateScript> estimates_;
    std::vector<std::string> tokens_;
    std::string address_;
    std::unique_ptr<grpc::Server> server_;
};

}  // namespace posewire::client::testing
