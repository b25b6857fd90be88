#pragma once

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace posewire::client {

/// Seconds. Every std::chrono duration converts to it, such as 30s or 200ms.
using Secs = std::chrono::duration<double>;

/// The codes of gRPC, by their numbers.
enum class StatusCode {
    kOk = 0,
    kCancelled = 1,
    kUnknown = 2,
    kInvalidArgument = 3,
    kDeadlineExceeded = 4,
    kNotFound = 5,
    kAlreadyExists = 6,
    kPermissionDenied = 7,
    kResourceExhausted = 8,
    kFailedPrecondition = 9,
    kAborted = 10,
    kOutOfRange = 11,
    kUnimplemented = 12,
    kInternal = 13,
    kUnavailable = 14,
    kDataLoss = 15,
    kUnauthenticated = 16,
};

/// Returns the code as the contract writes it, such as "INVALID_ARGUMENT".
const char* name_of(StatusCode code);

/// Returns the code with that number, or kUnknown if there is none.
StatusCode code_from_number(int number);

/// Reasons that this library itself gives. A status with one of them is not from the server.
namespace reason {
/// The client is closed, or was closed during the call.
inline constexpr char kClientClosed[] = "CLIENT_CLOSED";
/// The server broke the contract posewire.v1, so outcomes cannot be matched to frames.
inline constexpr char kProtocol[] = "PROTOCOL_ERROR";
/// The stream takes no more frames: it has ended, or the caller has closed or cancelled it.
inline constexpr char kStreamClosed[] = "STREAM_CLOSED";
/// The caller's own wait has expired. The stream goes on.
inline constexpr char kWaitExpired[] = "WAIT_EXPIRED";
/// An image that cannot be sent.
inline constexpr char kImageUnsuitable[] = "IMAGE_UNSUITABLE";
/// An option has a value that the client cannot use.
inline constexpr char kOptionInvalid[] = "OPTION_INVALID";
}  // namespace reason

/// A field of the request that breaks a rule, by its path, such as "options.max_poses".
struct FieldViolation {
    std::string field;
    std::string description;
};

/// What the details of a status say.
struct ErrorDetails {
    /// From the ErrorInfo of the status, such as "IMAGE_TOO_LARGE", or one of namespace reason.
    std::string reason;
    /// The variable parts of the message, from the ErrorInfo.
    std::map<std::string, std::string> metadata;
    /// The fields that break a rule, from a BadRequest.
    std::vector<FieldViolation> violations;
    /// The delay that a busy server asks for, from a RetryInfo.
    std::optional<Secs> retry_after;
    /// Whether the posewire server sent the status, rather than a proxy or a gRPC library.
    bool is_from_server = false;
};

/// The status of a call or of one frame. Handle errors by code and reason: messages are for people
/// and may change.
class Status {
public:
    /// OK.
    Status() = default;
    Status(StatusCode code, std::string message, ErrorDetails details = {});

    bool ok() const { return code_ == StatusCode::kOk; }
    StatusCode code() const { return code_; }
    const std::string& message() const { return message_; }
    const ErrorDetails& details() const { return details_; }
    const std::string& reason() const { return details_.reason; }
    const std::vector<FieldViolation>& violations() const { return details_.violations; }
    std::optional<Secs> retry_after() const { return details_.retry_after; }
    bool is_from_server() const { return details_.is_from_server; }

    /// Returns the code, the reason and the message, for a log.
    std::string to_string() const;

private:
    StatusCode code_ = StatusCode::kOk;
    std::string message_;
    ErrorDetails details_;
};

/// A value, or the status that explains why there is none. Access to a value that is not there
/// aborts the program.
template <typename T>
class StatusOr {
public:
    using value_type = T;

    StatusOr(T value) : content_(std::in_place_index<1>, std::move(value)) {}
    /// The status must not be OK.
    StatusOr(Status status) : content_(std::in_place_index<0>, std::move(status)) {
        if (std::get<0>(content_).ok()) {
            std::abort();
        }
    }

    bool ok() const { return content_.index() == 1; }
    explicit operator bool() const { return ok(); }

    /// Returns OK if there is a value.
    Status status() const { return ok() ? Status() : std::get<0>(content_); }

    T& value() & { return *checked(); }
    const T& value() const& { return *checked(); }
    T&& value() && { return std::move(*checked()); }
    T& operator*() & { return *checked(); }
    const T& operator*() const& { return *checked(); }
    T&& operator*() && { return std::move(*checked()); }
    T* operator->() { return checked(); }
    const T* operator->() const { return checked(); }

private:
    T* checked() {
        T* value = std::get_if<1>(&content_);
        return value != nullptr ? value : (std::abort(), value);
    }
    const T* checked() const {
        const T* value = std::get_if<1>(&content_);
        return value != nullptr ? value : (std::abort(), value);
    }

    std::variant<Status, T> content_;
};

}  // namespace posewire::client
