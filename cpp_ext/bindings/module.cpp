#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "messages.hpp"
#include "posewire/decoder.hpp"
#include "posewire/duplicates.hpp"
#include "posewire/flip_test.hpp"
#include "posewire/people_decoder.hpp"
#include "posewire/pose_message.hpp"
#include "posewire/reference_decoder.hpp"
#include "tracking.hpp"

namespace py = pybind11;

namespace {

using namespace posewire;  // all that this file binds
using namespace posewire::bindings;
using posewire::bindings::to_numpy;

std::vector<int> shape_of(const py::array& array, const std::string& name,
                          const std::string& wanted) {
    std::vector<int> shape;
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
        const bool fits = array.shape(axis) <= std::numeric_limits<int>::max();
        require_shape(fits, array, name, wanted);
        shape.push_back(static_cast<int>(array.shape(axis)));
    }
    return shape;
}

HeatmapView heatmap_view(const py::array& array, const std::string& name = "heatmaps") {
    const std::string wanted = "(K, H, W) or (1, K, H, W)";
    std::vector<int> shape = shape_of(array, name, wanted);
    if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
    require_shape(shape.size() == 3, array, name, wanted);
    return {static_cast<const float*>(array.data()), shape[0], shape[1], shape[2]};
}

/// Tags may have a batch axis, a component axis, both or neither.
TagView tag_view(const py::array& array, const HeatmapView& heatmaps,
                 const std::string& name = "tags") {
    const std::string wanted = "(K, H, W) or (K, H, W, L), with or without a leading axis of 1";
    std::vector<int> shape = shape_of(array, name, wanted);
    const std::vector<int> batched = {1, heatmaps.keypoints, heatmaps.height, heatmaps.width};
    if (shape == batched || (shape.size() == 5 && shape[0] == 1)) shape.erase(shape.begin());
    if (shape.size() == 3) shape.push_back(1);
    require_shape(shape.size() == 4, array, name, wanted);
    return {static_cast<const float*>(array.data()), shape[0], shape[1], shape[2], shape[3]};
}

py::array_t<std::uint8_t> to_numpy(const std::vector<Origin>& origins,
                                   std::vector<py::ssize_t> shape) {
    return py::array_t<std::uint8_t>(std::move(shape),
                                     reinterpret_cast<const std::uint8_t*>(origins.data()));
}

/// All arrays but the tags.
py::tuple to_numpy(const Poses& poses, py::ssize_t k) {
    const py::ssize_t n = poses.count;
    return py::make_tuple(to_numpy(poses.keypoints, {n, k, 2}),
                          to_numpy(poses.keypoint_scores, {n, k}), to_numpy(poses.origins, {n, k}),
                          to_numpy(poses.scores, {n}));
}

template <class AnyDecoder>
py::tuple decode(const AnyDecoder& decoder, const py::object& heatmaps, const py::object& tags,
                 std::optional<int> max_poses, double min_pose_score, double min_keypoint_score,
                 bool refine) {
    const HeatmapView heatmap = heatmap_view(array_of<float>(heatmaps, "heatmaps"));
    const TagView tag = tag_view(array_of<float>(tags, "tags"), heatmap);
    Poses poses;
    {
        const py::gil_scoped_release released;
        poses =
            decoder.decode(heatmap, tag, {max_poses, min_pose_score, min_keypoint_score, refine});
    }
    return to_numpy(poses, heatmap.keypoints) +
           py::make_tuple(
               to_numpy(poses.tags, {py::ssize_t{poses.count}, py::ssize_t{tag.length}}));
}

py::tuple join(const py::object& keypoints, const py::object& keypoint_scores,
               const py::object& origins, const std::vector<double>& oks_sigmas,
               double oks_threshold) {
    const PosesView candidates = poses_view(array_of<float>(keypoints, "keypoints"),
                                            array_of<float>(keypoint_scores, "keypoint_scores"),
                                            array_of<std::uint8_t>(origins, "origins"));
    Poses poses;
    {
        const py::gil_scoped_release released;
        poses = join_duplicates(candidates, oks_sigmas, oks_threshold);
    }
    return to_numpy(poses, static_cast<py::ssize_t>(candidates.keypoint_count));
}

py::tuple merge(const py::object& heatmaps, const py::object& tags,
                const py::object& mirrored_heatmaps, const py::object& mirrored_tags,
                const std::vector<int>& mirrored_keypoints) {
    const auto view_of_output = [](const py::object& heat, const py::object& tag,
                                   const std::string& prefix) {
        OutputView view;
        const std::string name = prefix + "heatmaps";
        view.heatmaps = heatmap_view(array_of<float>(heat, name), name);
        view.tags = tag_view(array_of<float>(tag, prefix + "tags"), view.heatmaps, prefix + "tags");
        return view;
    };
    const OutputView output = view_of_output(heatmaps, tags, "");
    const OutputView mirrored = view_of_output(mirrored_heatmaps, mirrored_tags, "mirrored_");
    const TagView& shape = output.tags;
    const std::vector<py::ssize_t> cells = {shape.keypoints, shape.height, shape.width};
    py::array_t<float> heat(cells);
    py::array_t<float> tag({cells[0], cells[1], cells[2], 2 * py::ssize_t{shape.length}});
    float* const heat_data = heat.mutable_data();
    float* const tag_data = tag.mutable_data();
    {
        const py::gil_scoped_release released;
        merge_mirrored(output, mirrored, mirrored_keypoints, heat_data, tag_data);
    }
    return py::make_tuple(heat, tag);
}

using Map = std::array<double, 4>;  // scales, then shifts, along x and y

/// Decodes people and converts them by `finish`, all without the GIL. Thresholds are floats, as
/// scores are: a score of 0.7F reaches a threshold of 0.7.
template <class Finish>
auto decode_people(const PeopleDecoder& decoder, const py::object& heatmaps, const py::object& tags,
                   const Map& map, const DecodeOptions& wanted, const Finish& finish) {
    const HeatmapView heatmap = heatmap_view(array_of<float>(heatmaps, "heatmaps"));
    const TagView tag = tag_view(array_of<float>(tags, "tags"), heatmap);
    const auto keypoints = static_cast<std::size_t>(heatmap.keypoints);
    const py::gil_scoped_release released;
    return finish(decoder.decode(heatmap, tag, {map[0], map[1], map[2], map[3]}, wanted),
                  keypoints);
}

py::tuple people_of(const PeopleDecoder& decoder, const py::object& heatmaps,
                    const py::object& tags, const Map& map, std::optional<int> max_poses,
                    float min_pose_score, float min_keypoint_score, bool refine) {
    const auto [poses, keypoints] = decode_people(
        decoder, heatmaps, tags, map, {max_poses, min_pose_score, min_keypoint_score, refine},
        [](Poses found, std::size_t k) { return std::make_pair(std::move(found), k); });
    return to_numpy(poses, static_cast<py::ssize_t>(keypoints));
}

/// Bytes and the number of people.
py::tuple bytes_of(const PeopleDecoder& decoder, const py::object& heatmaps, const py::object& tags,
                   const Map& map, std::optional<int> max_poses, float min_pose_score,
                   float min_keypoint_score, bool refine) {
    const auto [message, count] = decode_people(
        decoder, heatmaps, tags, map, {max_poses, min_pose_score, min_keypoint_score, refine},
        [](const Poses& found, std::size_t k) {
            return std::make_pair(serialize_poses(view_of(found, k), found.scores.data()),
                                  found.count);
        });
    return py::make_tuple(py::bytes(message), count);
}

py::bytes serialize(const py::object& keypoints, const py::object& keypoint_scores,
                    const py::object& origins, const py::object& scores,
                    const py::object& track_ids) {
    const PosesView poses = poses_view(array_of<float>(keypoints, "keypoints"),
                                       array_of<float>(keypoint_scores, "keypoint_scores"),
                                       array_of<std::uint8_t>(origins, "origins"));
    const auto data_of = [&](const py::array& array, const std::string& name) {
        const bool fits =
            array.ndim() == 1 && static_cast<std::size_t>(array.shape(0)) == poses.count;
        require_shape(fits, array, name, "(" + std::to_string(poses.count) + ",)");
        return array.data();
    };
    const void* score = data_of(array_of<float>(scores, "scores"), "scores");
    const void* track_id =
        track_ids.is_none() ? nullptr
                            : data_of(array_of<std::uint32_t>(track_ids, "track_ids"), "track_ids");
    return serialize_poses(poses, static_cast<const float*>(score),
                           static_cast<const std::uint32_t*>(track_id));
}

/// An option of two values, which have names in Python.
template <class Class, class Value, class Options>
void def_choice(Class& options, const char* option, Value Options::* member, const char* first,
                const char* second) {
    const auto get = [=](const Options& self) {
        return self.*member == static_cast<Value>(0) ? first : second;
    };
    const auto set = [=](Options& self, const std::string& name) {
        if (name != first && name != second) {
            throw py::value_error(std::string(option) + ": got '" + name + "', want '" + first +
                                  "' or '" + second + "'");
        }
        self.*member = static_cast<Value>(name == first ? 0 : 1);
    };
    options.def_property(option, get, set);
}

void bind_options(py::module_& module) {
    py::class_<ModelOptions> model(module, "ModelOptions");
    model.def(py::init())
        .def_readwrite("detection_threshold", &ModelOptions::detection_threshold)
        .def_readwrite("tag_threshold", &ModelOptions::tag_threshold)
        .def_property(
            "delta",
            [](const ModelOptions& self) { return std::make_pair(self.delta_x, self.delta_y); },
            [](ModelOptions& self, std::pair<float, float> delta) {
                std::tie(self.delta_x, self.delta_y) = delta;
            })
        .def_readwrite("grouping_order", &ModelOptions::grouping_order);
    def_choice(model, "nms", &ModelOptions::nms, "graph", "decoder");
    py::class_<DecoderOptions, ModelOptions> decoder(module, "DecoderOptions");
    decoder.def(py::init())
        .def_readwrite("max_peaks", &DecoderOptions::max_peaks)
        .def_readwrite("refine_threshold", &DecoderOptions::refine_threshold);
    def_choice(decoder, "adjust", &DecoderOptions::adjust, "parabola", "quarter");
    py::class_<ReferenceOptions, ModelOptions>(module, "ReferenceOptions")
        .def(py::init())
        .def_readwrite("max_peaks", &ReferenceOptions::max_peaks);
    py::class_<DecodeOptions>(module, "DecodeOptions")
        .def(py::init())
        .def_readwrite("max_poses", &DecodeOptions::max_poses)
        .def_readwrite("min_pose_score", &DecodeOptions::min_pose_score)
        .def_readwrite("min_keypoint_score", &DecodeOptions::min_keypoint_score)
        .def_readwrite("refine", &DecodeOptions::refine);
    py::class_<DuplicateOptions>(module, "DuplicateOptions")
        .def(py::init())
        .def_readwrite("oks_sigmas", &DuplicateOptions::oks_sigmas)
        .def_readwrite("oks_threshold", &DuplicateOptions::oks_threshold)
        .def_readwrite("max_candidates", &DuplicateOptions::max_candidates);
}

template <class AnyDecoder>
void bind_decoder(py::module_& module, const char* name) {
    py::class_<AnyDecoder>(module, name)
        .def(py::init<typename AnyDecoder::Options>(), py::arg("options"))
        .def("decode", &decode<AnyDecoder>, py::arg("heatmaps"), py::arg("tags"), py::kw_only(),
             py::arg("max_poses"), py::arg("min_pose_score"), py::arg("min_keypoint_score"),
             py::arg("refine"));
}

void bind_people_decoder(py::module_& module) {
    py::class_<PeopleDecoder> people(module, "PeopleDecoder");
    people.def(py::init<ReferenceDecoder>(), py::arg("decoder"))
        .def(py::init<Decoder, DuplicateOptions>(), py::arg("decoder"), py::arg("duplicates"));
    const auto def_decode = [&](const char* name, auto function) {
        people.def(name, function, py::arg("heatmaps"), py::arg("tags"), py::kw_only(),
                   py::arg("frame_from_heatmap"), py::arg("max_poses"), py::arg("min_pose_score"),
                   py::arg("min_keypoint_score"), py::arg("refine"));
    };
    def_decode("decode", &people_of);
    def_decode("decode_to_bytes", &bytes_of);
    module.def("serialize_poses", &serialize, py::arg("keypoints"), py::arg("keypoint_scores"),
               py::arg("origins"), py::arg("scores"), py::kw_only(), py::arg("track_ids"));
}

}  // namespace

PYBIND11_MODULE(_core, module) {
    module.doc() = "The compiled decoders; posewire_decoder is their typed interface.";
    bind_options(module);
    bindings::bind_tracking(module);
    bindings::bind_messages(module);
    bind_decoder<Decoder>(module, "Decoder");
    bind_decoder<ReferenceDecoder>(module, "ReferenceDecoder");
    bind_people_decoder(module);
    module.def("join_duplicates", &join, py::arg("keypoints"), py::arg("keypoint_scores"),
               py::arg("origins"), py::kw_only(), py::arg("oks_sigmas"), py::arg("oks_threshold"));
    module.def("merge_mirrored", &merge, py::arg("heatmaps"), py::arg("tags"),
               py::arg("mirrored_heatmaps"), py::arg("mirrored_tags"), py::kw_only(),
               py::arg("mirrored_keypoints"));
}
