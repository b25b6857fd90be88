#include "posewire/client/status.hpp"

#include <array>
#include <cstddef>

namespace posewire::client {

namespace {

constexpr std::array<const char*, 17> kNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

}  // namespace

const char* name_of(StatusCode code) {
    return kNames[static_cast<std::size_t>(code_from_number(static_cast<int>(code)))];
}

StatusCode code_from_number(int number) {
    const bool is_known = number >= 0 && number < static_cast<int>(kNames.size());
    return is_known ? static_cast<StatusCode>(number) : StatusCode::kUnknown;
}

Status::Status(StatusCode code, std::string message, ErrorDetails details)
    : code_(code), message_(std::move(message)), details_(std::move(details)) {}

std::string Status::to_string() const {
    const std::string code = name_of(code_);
    if (ok()) {
        return code;
    }
    const bool adds_reason = !reason().empty() && reason() != code;
    return code + (adds_reason ? " (" + reason() + ")" : "") + ": " + message_;
}

}  // namespace posewire::client
