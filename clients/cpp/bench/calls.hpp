#pragma once

#include <string>

#include "measurement.hpp"

namespace posewire::bench {

/// Measures a stream of the client. `image` is the content of a file.
client::StatusOr<Measurement> measure_posewire(const std::string& address, const std::string& image,
                                               const Plan& plan);

/// Measures a stream of gRPC alone, which carries the same bytes to a bare echo server.
client::StatusOr<Measurement> measure_echo(const std::string& address, const std::string& image,
                                           const Plan& plan);

}  // namespace posewire::bench
