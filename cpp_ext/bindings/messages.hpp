#pragma once

#include <pybind11/pybind11.h>

namespace posewire::bindings {

/// Adds what reads and writes messages of the contract, besides `serialize_poses`.
void bind_messages(pybind11::module_& module);

}  // namespace posewire::bindings
