#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "posewire/poses.hpp"

namespace posewire::bindings {

namespace py = pybind11;

inline std::string text(const py::handle& value) { return py::cast<std::string>(py::str(value)); }

/// The array itself, never a copy: copying a heatmap takes longer than decoding it.
template <class Value>
py::array array_of(const py::object& value, const std::string& name) {
    const auto wanted = [] { return text(py::dtype::of<Value>()); };  // takes 5 us
    if (!py::isinstance<py::array>(value)) {
        throw py::type_error(name + ": got " + text(py::type::of(value).attr("__qualname__")) +
                             ", want a numpy.ndarray of " + wanted());
    }
    const auto array = py::reinterpret_borrow<py::array>(value);
    if (!py::isinstance<py::array_t<Value>>(array)) {
        throw py::type_error(name + ": got dtype " + text(array.dtype()) + ", want " + wanted() +
                             " in native byte order");
    }
    if (!py::detail::check_flags(array.ptr(), py::detail::npy_api::NPY_ARRAY_ALIGNED_)) {
        throw py::value_error(name +
                              ": got memory that is not aligned to 4 bytes, want aligned memory; "
                              "numpy.array makes such a copy");
    }
    if ((array.flags() & py::array::c_style) == 0) {
        throw py::value_error(name + ": got strides " + text(array.attr("strides")) +
                              ", want C-contiguous memory; numpy.ascontiguousarray makes such a "
                              "copy");
    }
    return array;
}

inline void require_shape(bool fits, const py::array& array, const std::string& name,
                          const std::string& wanted) {
    if (fits) return;
    throw py::value_error(name + ": got shape " + text(array.attr("shape")) + ", want " + wanted);
}

inline PosesView poses_view(const py::array& keypoints, const py::array& keypoint_scores,
                            const py::array& origins) {
    const bool fits = keypoints.ndim() == 3 && keypoints.shape(2) == 2;
    require_shape(fits, keypoints, "keypoints", "(N, K, 2)");
    const py::ssize_t n = keypoints.shape(0);
    const py::ssize_t k = keypoints.shape(1);
    const auto require_nk = [&](const py::array& array, const std::string& name) {
        require_shape(array.ndim() == 2 && array.shape(0) == n && array.shape(1) == k, array, name,
                      "(" + std::to_string(n) + ", " + std::to_string(k) + ") as keypoints has it");
    };
    require_nk(keypoint_scores, "keypoint_scores");
    require_nk(origins, "origins");
    return {static_cast<const float*>(keypoints.data()),
            static_cast<const float*>(keypoint_scores.data()),
            static_cast<const Origin*>(origins.data()), static_cast<std::size_t>(n),
            static_cast<std::size_t>(k)};
}

template <class Value>
py::array_t<Value> to_numpy(const std::vector<Value>& values, std::vector<py::ssize_t> shape) {
    return py::array_t<Value>(std::move(shape), values.data());
}

}  // namespace posewire::bindings
