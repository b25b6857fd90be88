#pragma once

#include <string>

#include "posewire/client/status.hpp"

namespace posewire::client::internal {

/// Returns what is wrong with a target, or OK if gRPC would connect to what is written.
///
/// gRPC reads targets leniently: 127.0.0.1 without a port is port 443 to it, and port 70000 is
/// 4464. A port is required, also in the targets dns:, ipv4: and ipv6:.
Status check_target(const std::string& target);

}  // namespace posewire::client::internal
