/// The call table, tests/clients/calls.yaml, as the client's own types.

#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "posewire/client.hpp"

namespace posewire::client::calls {

/// Reports an error of the table and ends the program.
[[noreturn]] void refuse(const std::string& message);

/// Reads a table and refuses keys that this program does not know.
std::vector<YAML::Node> read_calls(const std::string& path);

std::string read_file(const std::string& path);

bool contains(const YAML::Node& names, const std::string& name);

Options client_options(const YAML::Node& call, const std::string& folder);

v1::StreamConfig stream_config(const YAML::Node& call);

v1::EstimateOptions estimate_options(const YAML::Node& options);

StatusOr<v1::Image> image_of(const YAML::Node& spec, const std::string& folder);

}  // namespace posewire::client::calls
