#include "calls.hpp"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>

#include "posewire/client.hpp"

namespace posewire::bench {

namespace {

using client::Secs;
using client::Status;
using client::StatusCode;
using client::StatusOr;

/// The method of the bare echo server. Its messages are plain bytes.
constexpr char kEchoMethod[] = "/posewire.bench.Echo/Echo";

/// Bounds a measurement of the bare echo, which has no other deadline.
constexpr std::chrono::minutes kEchoTimeout{10};

class PosewireCall final : public Call {
public:
    PosewireCall(client::Stream stream, const std::string& image)
        : stream_(std::move(stream)), image_(image) {}

    Status send() override { return stream_.send({client::encoded_image(image_), {}}); }
    void close_send() override { stream_.close_send(); }

    StatusOr<std::optional<Secs>> receive() override {
        const auto outcome = stream_.receive();
        if (!outcome) {
            return outcome.status();
        }
        if (!*outcome) {
            return std::optional<Secs>();
        }
        if (const Status* error = (*outcome)->error()) {
            return *error;
        }
        if ((*outcome)->skipped()) {
            return Status(StatusCode::kUnknown, "a frame was skipped");
        }
        const auto& total = (*outcome)->result()->stage_times().total_duration();
        const auto nanos = google::protobuf::util::TimeUtil::DurationToNanoseconds(total);
        return std::optional<Secs>(std::chrono::nanoseconds(nanos));
    }

private:
    client::Stream stream_;
    const std::string& image_;
};

class EchoCall final : public Call {
public:
    EchoCall(const std::string& address, const std::string& image)
        : image_(grpc::Slice(image.data(), image.size(), grpc::Slice::STATIC_SLICE)),
          channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
        context_.set_deadline(std::chrono::system_clock::now() + kEchoTimeout);
        // What the code of a generated stub calls: gRPC's generic stub has no blocking streams.
        const grpc::internal::RpcMethod method(kEchoMethod,
                                               grpc::internal::RpcMethod::BIDI_STREAMING);
        stream_.reset(Factory::Create(channel_.get(), method, &context_));
    }

    Status send() override {
        grpc::ByteBuffer message(&image_, 1);
        if (!stream_->Write(message)) {
            return Status(StatusCode::kUnavailable, "the echo server takes no more bytes");
        }
        return Status();
    }
    void close_send() override { stream_->WritesDone(); }

    StatusOr<std::optional<Secs>> receive() override {
        grpc::ByteBuffer answer;
        return stream_->Read(&answer) ? std::optional(Secs(0)) : std::optional<Secs>();
    }

    /// Returns the status of a call that was read to its end.
    Status finish() {
        const grpc::Status status = stream_->Finish();
        return Status(client::code_from_number(status.error_code()), status.error_message());
    }

private:
    using Factory = grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>;

    const grpc::Slice image_;
    const std::shared_ptr<grpc::Channel> channel_;
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

}  // namespace

StatusOr<Measurement> measure_posewire(const std::string& address, const std::string& image,
                                       const Plan& plan) {
    v1::StreamConfig config;
    config.set_max_frames_in_flight(static_cast<std::uint32_t>(plan.window));
    const client::Client client(address);
    PosewireCall call(client.stream(config), image);
    return measure(plan, call);
}

StatusOr<Measurement> measure_echo(const std::string& address, const std::string& image,
                                   const Plan& plan) {
    EchoCall call(address, image);
    StatusOr<Measurement> found = measure(plan, call);
    const Status ended = call.finish();
    if (!ended.ok()) {
        return ended;
    }
    if (found) {
        found->beyond_server_p50_millis.reset();  // the server reports no time of its own
    }
    return found;
}

}  // namespace posewire::bench
