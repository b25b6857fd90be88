#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "posewire/client/status.hpp"

namespace grpc {
class ChannelCredentials;
}

namespace posewire::client {

/// A time to retry without end.
inline constexpr Secs kForever{std::numeric_limits<double>::infinity()};

/// Certificates and key, each as the content of a PEM file.
struct Tls {
    /// Empty: gRPC's default roots.
    std::string root_certificates;
    /// The client's identity, for servers that require one (mTLS). Set both or none.
    std::string private_key;
    std::string certificate_chain;
};

/// A pause before the next attempt of a call or a stream.
struct Waiting {
    /// Why the call or stream waits.
    Status error;
    /// The time since the first failure after which no call got through.
    Secs waited{0};
    /// The length of the pause.
    Secs delay{0};
};

/// Called with a Waiting at each pause, and with nothing once no call of the client waits any more.
using OnWait = std::function<void(const std::optional<Waiting>&)>;

/// Options of one call. What is absent is the client's.
struct CallOptions {
    std::optional<Secs> timeout;
    std::optional<Secs> retry_for;
    std::optional<std::string> token;
};

/// Options of a client.
struct Options {
    /// The deadline of a call, including connecting and all retries. Positive and finite.
    ///
    /// For a stream it bounds each wait for the server, and not the whole: for the stream to start,
    /// each time it is opened; for the next outcome while frames are in flight, counted from the
    /// previous message of the server, or from sending a frame if none was in flight; for the end
    /// of the stream after the last outcome. The time during which the caller holds frames back
    /// does not count. A wait that is too long ends the stream with DEADLINE_EXCEEDED, except that
    /// a stream which is reopened after a loss is opened again until `retry_for` is over.
    Secs timeout{30};

    /// How long transient errors are retried: an unavailable, busy or draining server, or a lost
    /// connection. It counts from the first of several consecutive failures; a result or an outcome
    /// ends the count. 0: no retries. kForever: no limit. Delays grow from 0.2 to 10 seconds, with
    /// jitter, and are at least what the server asks for.
    Secs retry_for{30};

    /// Called while calls wait for a server that is gone or busy: at each pause, and once the
    /// server answers or the last of the calls has given up. Several calls that wait are reported
    /// as one.
    ///
    /// Its calls do not overlap. It runs in a thread that makes a call, so it should return at
    /// once; if it is slow, only the newest report follows. It may close the client, but not
    /// destroy a stream, and must not throw.
    OnWait on_wait;

    /// Sent with every call as "authorization: Bearer TOKEN". Empty: none. It needs an encrypted
    /// connection, unless `allow_token_without_tls` is set.
    std::string token;

    /// For a connection that something else protects, such as a proxy on the same machine.
    bool allow_token_without_tls = false;

    /// Absent: the connection is not encrypted.
    std::optional<Tls> tls;

    /// Any credentials of gRPC, instead of `tls`.
    std::shared_ptr<grpc::ChannelCredentials> credentials;

    /// Channel arguments of gRPC, which override the client's defaults.
    std::vector<std::pair<std::string, std::variant<int, std::string>>> channel_arguments;
};

}  // namespace posewire::client
