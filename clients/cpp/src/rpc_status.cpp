#include "rpc_status.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "google/rpc/error_details.pb.h"

namespace posewire::client::internal {

namespace {

template <typename Detail>
std::optional<Detail> detail_of(const google::rpc::Status& message) {
    Detail detail;
    for (const auto& packed : message.details()) {
        if (packed.Is<Detail>() && packed.UnpackTo(&detail)) {
            return detail;
        }
    }
    return std::nullopt;
}

Secs secs_of(const google::protobuf::Duration& duration) {
    return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
}

}  // namespace

Status status_from_rpc(const google::rpc::Status& message) {
    const StatusCode code = code_from_number(message.code());
    if (code == StatusCode::kOk) {
        return Status();
    }
    ErrorDetails details;
    if (const auto info = detail_of<google::rpc::ErrorInfo>(message)) {
        details.reason = info->reason();
        details.metadata = {info->metadata().begin(), info->metadata().end()};
        details.is_from_server = info->domain() == kDomain;
    }
    if (const auto request = detail_of<google::rpc::BadRequest>(message)) {
        for (const auto& each : request->field_violations()) {
            details.violations.push_back({each.field(), each.description()});
        }
    }
    if (const auto retry = detail_of<google::rpc::RetryInfo>(message)) {
        details.retry_after = secs_of(retry->retry_delay());
    }
    return Status(code, message.message().empty() ? "no message" : message.message(),
                  std::move(details));
}

}  // namespace posewire::client::internal
