#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "posewire/decoder.hpp"
#include "posewire/duplicates.hpp"

namespace py = pybind11;

namespace {

using posewire::DecodeOptions;
using posewire::Decoder;
using posewire::DecoderOptions;
using posewire::HeatmapView;
using posewire::Poses;
using posewire::PosesView;
using posewire::TagView;

std::string type_name(const py::handle& value) {
    return py::cast<std::string>(py::type::of(value).attr("__qualname__"));
}

template <class Value>
std::string dtype_name() {
    return py::cast<std::string>(py::str(py::dtype::of<Value>()));
}

/// The array itself, never a copy: a silent copy of a heatmap costs more than its decoding.
template <class Value>
py::array array_of(const py::object& value, const std::string& name) {
    if (!py::isinstance<py::array>(value)) {
        throw py::type_error(name + ": got " + type_name(value) + ", want a numpy.ndarray of " +
                             dtype_name<Value>());
    }
    const auto array = py::reinterpret_borrow<py::array>(value);
    if (!py::isinstance<py::array_t<Value>>(array)) {
        throw py::type_error(name + ": got dtype " + py::cast<std::string>(py::str(array.dtype())) +
                             ", want " + dtype_name<Value>() + " in native byte order");
    }
    if (!py::detail::check_flags(array.ptr(), py::detail::npy_api::NPY_ARRAY_ALIGNED_)) {
        throw py::value_error(
            name +
            ": got memory that is not aligned to 4 bytes, want aligned memory; numpy.array makes "
            "such a copy");
    }
    if ((array.flags() & py::array::c_style) == 0) {
        throw py::value_error(name + ": got strides " +
                              py::cast<std::string>(py::str(array.attr("strides"))) +
                              ", want C-contiguous memory; numpy.ascontiguousarray makes such a "
                              "copy");
    }
    return array;
}

[[noreturn]] void wrong_shape(const py::array& array, const std::string& name,
                              const std::string& wanted) {
    throw py::value_error(name + ": got shape " +
                          py::cast<std::string>(py::str(array.attr("shape"))) + ", want " + wanted);
}

std::vector<int> shape_of(const py::array& array, const std::string& name,
                          const std::string& wanted) {
    std::vector<int> shape;
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
        if (array.shape(axis) > std::numeric_limits<int>::max()) wrong_shape(array, name, wanted);
        shape.push_back(static_cast<int>(array.shape(axis)));
    }
    return shape;
}

HeatmapView heatmap_view(const py::array& array) {
    const std::string wanted = "(K, H, W) or (1, K, H, W)";
    std::vector<int> shape = shape_of(array, "heatmaps", wanted);
    if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
    if (shape.size() != 3) wrong_shape(array, "heatmaps", wanted);
    return {static_cast<const float*>(array.data()), shape[0], shape[1], shape[2]};
}

/// Tags may have a batch axis, a component axis, both or neither; the heatmaps tell which.
TagView tag_view(const py::array& array, const HeatmapView& heatmaps) {
    const std::vector<int> plain = {heatmaps.keypoints, heatmaps.height, heatmaps.width};
    const std::string khw = std::to_string(plain[0]) + ", " + std::to_string(plain[1]) + ", " +
                            std::to_string(plain[2]);
    const std::string wanted =
        "(" + khw + ") or (" + khw + ", L) as heatmaps has it, with or without a leading axis of 1";
    std::vector<int> shape = shape_of(array, "tags", wanted);
    const bool batched = shape.size() > 3 && shape[0] == 1 &&
                         std::equal(plain.begin(), plain.end(), shape.begin() + 1);
    if (batched) shape.erase(shape.begin());
    const bool fits = (shape.size() == 3 || shape.size() == 4) &&
                      std::equal(plain.begin(), plain.end(), shape.begin());
    if (!fits) wrong_shape(array, "tags", wanted);
    const int length = shape.size() == 4 ? shape[3] : 1;
    return {static_cast<const float*>(array.data()), plain[0], plain[1], plain[2], length};
}

PosesView poses_view(const py::array& keypoints, const py::array& keypoint_scores,
                     const py::array& origins) {
    const std::string wanted = "(N, K, 2)";
    const std::vector<int> shape = shape_of(keypoints, "keypoints", wanted);
    if (shape.size() != 3 || shape[2] != 2) wrong_shape(keypoints, "keypoints", wanted);
    const std::vector<int> plain = {shape[0], shape[1]};
    const std::string nk =
        "(" + std::to_string(plain[0]) + ", " + std::to_string(plain[1]) + ") as keypoints has it";
    if (shape_of(keypoint_scores, "keypoint_scores", nk) != plain) {
        wrong_shape(keypoint_scores, "keypoint_scores", nk);
    }
    if (shape_of(origins, "origins", nk) != plain) wrong_shape(origins, "origins", nk);
    return {static_cast<const float*>(keypoints.data()),
            static_cast<const float*>(keypoint_scores.data()),
            static_cast<const posewire::Origin*>(origins.data()), plain[0], plain[1]};
}

posewire::Nms nms_named(const std::string& name) {
    if (name == "graph") return posewire::Nms::kGraph;
    if (name == "decoder") return posewire::Nms::kDecoder;
    throw py::value_error("nms: got '" + name + "', want 'graph' or 'decoder'");
}

posewire::Adjust adjust_named(const std::string& name) {
    if (name == "parabola") return posewire::Adjust::kParabola;
    if (name == "quarter") return posewire::Adjust::kQuarter;
    throw py::value_error("adjust: got '" + name + "', want 'parabola' or 'quarter'");
}

Decoder make_decoder(double detection_threshold, double tag_threshold, double refine_threshold,
                     int max_peaks, std::pair<float, float> delta, const std::string& nms,
                     const std::string& adjust, bool reference, std::vector<int> grouping_order) {
    DecoderOptions options;
    options.detection_threshold = detection_threshold;
    options.tag_threshold = tag_threshold;
    options.refine_threshold = refine_threshold;
    options.max_peaks = max_peaks;
    options.delta_x = delta.first;
    options.delta_y = delta.second;
    options.nms = nms_named(nms);
    options.adjust = adjust_named(adjust);
    options.reference = reference;
    options.grouping_order = std::move(grouping_order);
    return Decoder(std::move(options));
}

template <class Value>
py::array_t<Value> to_numpy(const std::vector<Value>& values, std::vector<py::ssize_t> shape) {
    return py::array_t<Value>(std::move(shape), values.data());
}

py::array_t<std::uint8_t> to_numpy(const std::vector<posewire::Origin>& origins,
                                   std::vector<py::ssize_t> shape) {
    return py::array_t<std::uint8_t>(std::move(shape),
                                     reinterpret_cast<const std::uint8_t*>(origins.data()));
}

py::tuple decode(const Decoder& decoder, const py::object& heatmaps, const py::object& tags,
                 std::optional<int> max_poses, double min_pose_score, double min_keypoint_score,
                 bool refine) {
    const py::array heatmap_array = array_of<float>(heatmaps, "heatmaps");
    const py::array tag_array = array_of<float>(tags, "tags");
    const HeatmapView heatmap = heatmap_view(heatmap_array);
    decoder.check(heatmap);  // before the tags are held against them
    const TagView tag = tag_view(tag_array, heatmap);
    Poses poses;
    {
        const py::gil_scoped_release released;
        poses =
            decoder.decode(heatmap, tag, {max_poses, min_pose_score, min_keypoint_score, refine});
    }
    const py::ssize_t n = poses.count;
    const py::ssize_t k = heatmap.keypoints;
    return py::make_tuple(to_numpy(poses.keypoints, {n, k, 2}),
                          to_numpy(poses.keypoint_scores, {n, k}), to_numpy(poses.origins, {n, k}),
                          to_numpy(poses.scores, {n}), to_numpy(poses.tags, {n, tag.length}));
}

py::tuple join_duplicates(const py::object& keypoints, const py::object& keypoint_scores,
                          const py::object& origins, const std::vector<double>& oks_sigmas,
                          double oks_threshold) {
    const PosesView candidates = poses_view(array_of<float>(keypoints, "keypoints"),
                                            array_of<float>(keypoint_scores, "keypoint_scores"),
                                            array_of<std::uint8_t>(origins, "origins"));
    Poses poses;
    {
        const py::gil_scoped_release released;
        poses = posewire::join_duplicates(candidates, oks_sigmas, oks_threshold);
    }
    const py::ssize_t n = poses.count;
    const py::ssize_t k = candidates.keypoint_count;
    return py::make_tuple(to_numpy(poses.keypoints, {n, k, 2}),
                          to_numpy(poses.keypoint_scores, {n, k}), to_numpy(poses.origins, {n, k}),
                          to_numpy(poses.scores, {n}));
}

}  // namespace

PYBIND11_MODULE(_core, module) {
    module.doc() = "The compiled decoder; posewire_decoder is its typed face.";
    py::class_<Decoder>(module, "Decoder")
        .def(py::init(&make_decoder), py::kw_only(), py::arg("detection_threshold"),
             py::arg("tag_threshold"), py::arg("refine_threshold"), py::arg("max_peaks"),
             py::arg("delta"), py::arg("nms"), py::arg("adjust"), py::arg("reference"),
             py::arg("grouping_order"))
        .def("decode", &decode, py::arg("heatmaps"), py::arg("tags"), py::kw_only(),
             py::arg("max_poses"), py::arg("min_pose_score"), py::arg("min_keypoint_score"),
             py::arg("refine"));
    module.def("join_duplicates", &join_duplicates, py::arg("keypoints"),
               py::arg("keypoint_scores"), py::arg("origins"), py::kw_only(), py::arg("oks_sigmas"),
               py::arg("oks_threshold"));
}
