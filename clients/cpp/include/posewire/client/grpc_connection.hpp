#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "posewire/client/connection.hpp"
#include "posewire/client/options.hpp"

namespace posewire::client {

/// Returns a connection to a target as described at Client. It connects with the first call. A bad
/// target, or options that do not fit together, fail every call with INVALID_ARGUMENT.
std::shared_ptr<Connection> make_connection(const std::string& target, const Options& options = {});

/// Returns a connection over a channel of the caller's, with its credentials and arguments. Images
/// and the rules of retries want arguments that differ from gRPC's defaults; see the table in
/// docs/cpp_client.md.
std::shared_ptr<Connection> make_connection(std::shared_ptr<grpc::Channel> channel);

}  // namespace posewire::client
