#pragma once

#include "google/rpc/status.pb.h"
#include "posewire/client/status.hpp"

namespace posewire::client::internal {

inline constexpr char kDomain[] = "posewire";

/// Converts a status with its details. Details that cannot be parsed are ignored.
Status status_from_rpc(const google::rpc::Status& message);

}  // namespace posewire::client::internal
