#pragma once

#include <pybind11/pybind11.h>

namespace posewire::bindings {

/// Adds the tracker, the smoother and what they need.
void bind_tracking(pybind11::module_& module);

}  // namespace posewire::bindings
