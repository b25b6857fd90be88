#include "tracking.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "assignment.hpp"
#include "posewire/colours.hpp"
#include "posewire/smoother.hpp"
#include "posewire/tracker.hpp"

namespace posewire::bindings {
namespace {

using Region = std::vector<std::tuple<std::size_t, std::size_t, double>>;

PosesView view_of(const py::object& keypoints, const py::object& keypoint_scores,
                  const py::object& origins) {
    return poses_view(array_of<float>(keypoints, "keypoints"),
                      array_of<float>(keypoint_scores, "keypoint_scores"),
                      array_of<std::uint8_t>(origins, "origins"));
}

/// The memory of an array (N,).
template <class Value>
const Value* one_per_pose(const py::object& value, const std::string& name, std::size_t poses) {
    const py::array array = array_of<Value>(value, name);
    const bool fits = array.ndim() == 1 && array.shape(0) == static_cast<py::ssize_t>(poses);
    require_shape(fits, array, name, "(" + std::to_string(poses) + ",) as keypoints has it");
    return static_cast<const Value*>(array.data());
}

py::array_t<std::uint32_t> update_tracker(Tracker& tracker, double secs,
                                          const py::object& keypoints,
                                          const py::object& keypoint_scores,
                                          const py::object& origins, const py::object& scores,
                                          const py::object& colours) {
    TrackerPoses frame;
    frame.poses = view_of(keypoints, keypoint_scores, origins);
    frame.scores = one_per_pose<float>(scores, "scores", frame.poses.count);
    if (!colours.is_none()) {
        const py::array array = array_of<float>(colours, "colours");
        const bool fits = array.ndim() == 3 && array.shape(2) == 4 &&
                          array.shape(0) == static_cast<py::ssize_t>(frame.poses.count);
        require_shape(fits, array, "colours",
                      "(" + std::to_string(frame.poses.count) + ", R, 4) as keypoints has it");
        frame.colours = static_cast<const float*>(array.data());
        frame.region_count = static_cast<std::size_t>(array.shape(1));
    }
    std::vector<std::uint32_t> ids;
    {
        const py::gil_scoped_release released;
        ids = tracker.update(secs, frame);
    }
    return to_numpy(ids, {static_cast<py::ssize_t>(ids.size())});
}

py::array_t<float> update_smoother(Smoother& smoother, double secs, const py::object& keypoints,
                                   const py::object& keypoint_scores, const py::object& origins,
                                   const py::object& track_ids) {
    const PosesView poses = view_of(keypoints, keypoint_scores, origins);
    const auto* ids = one_per_pose<std::uint32_t>(track_ids, "track_ids", poses.count);
    std::vector<float> smoothed;
    {
        const py::gil_scoped_release released;
        smoothed = smoother.update(secs, poses, ids);
    }
    return to_numpy(smoothed, {static_cast<py::ssize_t>(poses.count),
                               static_cast<py::ssize_t>(poses.keypoint_count), 2});
}

/// Rows may be apart, as they are in a part of a larger image.
ImageView image_view(const py::object& value) {
    const std::string wanted = "a numpy.ndarray (H, W, 3) of uint8 whose rows are contiguous";
    if (!py::isinstance<py::array_t<std::uint8_t>>(value)) {
        throw py::type_error("image: got " + text(py::type::of(value).attr("__qualname__")) +
                             ", want " + wanted);
    }
    const auto array = py::reinterpret_borrow<py::array>(value);
    const bool fits = array.ndim() == 3 && array.shape(2) == 3;
    require_shape(fits, array, "image", "(H, W, 3)");
    if (array.size() > 0 && (array.strides(2) != 1 || array.strides(1) != 3)) {
        throw py::value_error("image: got strides " + text(array.attr("strides")) + ", want " +
                              wanted);
    }
    require_shape(array.shape(0) <= 1 << 30 && array.shape(1) <= 1 << 30, array, "image",
                  "sides of at most 2^30");
    return {static_cast<const std::uint8_t*>(array.data()), array.strides(0),
            static_cast<int>(array.shape(0)), static_cast<int>(array.shape(1))};
}

py::array_t<float> sample(const py::object& image, const py::object& keypoints,
                          const py::object& keypoint_scores, const py::object& origins,
                          const std::vector<Region>& regions) {
    const ImageView pixels = image_view(image);
    const PosesView poses = view_of(keypoints, keypoint_scores, origins);
    std::vector<BodyRegion> body;
    for (const Region& region : regions) {
        body.emplace_back();
        for (const auto& [first, second, share] : region) {
            body.back().push_back({first, second, share});
        }
    }
    std::vector<float> colours;
    {
        const py::gil_scoped_release released;
        colours = sample_colours(pixels, poses, body);
    }
    return to_numpy(colours, {static_cast<py::ssize_t>(poses.count),
                              static_cast<py::ssize_t>(regions.size()), 4});
}

std::vector<int> assign(const py::object& cost) {
    const py::array array = array_of<double>(cost, "cost");
    const bool fits =
        array.ndim() == 2 && array.shape(0) <= array.shape(1) && array.size() <= 1 << 26;
    require_shape(fits, array, "cost", "(R, C) with R <= C, of at most 2^26 numbers");
    const auto* first = static_cast<const double*>(array.data());
    const std::vector<double> values(first, first + array.size());
    for (const double value : values) {
        if (!std::isfinite(value)) throw py::value_error("cost: got a value that is not finite");
    }
    const py::gil_scoped_release released;
    return minimum_cost_assignment(values, static_cast<std::size_t>(array.shape(0)),
                                   static_cast<std::size_t>(array.shape(1)));
}

}  // namespace

void bind_tracking(py::module_& module) {
    py::class_<TrackerOptions>(module, "TrackerOptions")
        .def(py::init())
        .def_readwrite("oks_sigmas", &TrackerOptions::oks_sigmas)
        .def_readwrite("high_score", &TrackerOptions::high_score)
        .def_readwrite("low_score", &TrackerOptions::low_score)
        .def_readwrite("new_score", &TrackerOptions::new_score)
        .def_readwrite("sure_score", &TrackerOptions::sure_score)
        .def_readwrite("confirm_hits", &TrackerOptions::confirm_hits)
        .def_readwrite("max_lost_secs", &TrackerOptions::max_lost_secs)
        .def_readwrite("max_tracks", &TrackerOptions::max_tracks)
        .def_readwrite("colour_weight", &TrackerOptions::colour_weight);
    py::class_<Tracker>(module, "Tracker")
        .def(py::init<TrackerOptions>(), py::arg("options"))
        .def("update", &update_tracker, py::arg("secs"), py::arg("keypoints"),
             py::arg("keypoint_scores"), py::arg("origins"), py::arg("scores"), py::arg("colours"))
        .def(
            "save",
            [](const Tracker& self, std::size_t max_tracks) {
                return py::bytes(self.save(max_tracks));
            },
            py::arg("max_tracks"))
        .def(
            "restore",
            [](Tracker& self, const py::bytes& state) { self.restore(std::string(state)); },
            py::arg("state"));
    py::class_<SmootherOptions>(module, "SmootherOptions")
        .def(py::init())
        .def_readwrite("min_cutoff_hz", &SmootherOptions::min_cutoff_hz)
        .def_readwrite("cutoff_per_speed", &SmootherOptions::cutoff_per_speed)
        .def_readwrite("speed_cutoff_hz", &SmootherOptions::speed_cutoff_hz)
        .def_readwrite("max_gap_secs", &SmootherOptions::max_gap_secs);
    py::class_<Smoother>(module, "Smoother")
        .def(py::init<SmootherOptions>(), py::arg("options"))
        .def("update", &update_smoother, py::arg("secs"), py::arg("keypoints"),
             py::arg("keypoint_scores"), py::arg("origins"), py::arg("track_ids"));
    module.def("sample_colours", &sample, py::arg("image"), py::arg("keypoints"),
               py::arg("keypoint_scores"), py::arg("origins"), py::arg("regions"));
    module.def("minimum_cost_assignment", &assign, py::arg("cost"));
}

}  // namespace posewire::bindings
