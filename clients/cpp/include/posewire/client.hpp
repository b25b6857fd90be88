/// The C++ client of posewire: everything but the connection over a gRPC channel of the caller's,
/// which is in posewire/client/grpc_connection.hpp.

#pragma once

#include "posewire/client/client.hpp"      // IWYU pragma: export
#include "posewire/client/connection.hpp"  // IWYU pragma: export
#include "posewire/client/image.hpp"       // IWYU pragma: export
#include "posewire/client/options.hpp"     // IWYU pragma: export
#include "posewire/client/outcome.hpp"     // IWYU pragma: export
#include "posewire/client/status.hpp"      // IWYU pragma: export
#include "posewire/client/stream.hpp"      // IWYU pragma: export
