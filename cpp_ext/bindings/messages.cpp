#include "messages.hpp"

#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "posewire/message_fields.hpp"
#include "posewire/result_message.hpp"

namespace posewire::bindings {
namespace {

namespace py = pybind11;

/// From a dictionary of such dictionaries, by field number.
MessageKind message_kind(const py::dict& submessages, std::uint64_t field) {
    MessageKind kind{field, {}};
    for (const auto& [number, inner] : submessages) {
        kind.submessages.push_back(
            message_kind(py::cast<py::dict>(inner), py::cast<std::uint64_t>(number)));
    }
    return kind;
}

// The calls below take about a microsecond, so they keep the GIL. They hold the bytes and copy
// none.

bool fits(const MessageKind& kind, std::size_t count, const py::bytes& message) {
    return has_at_most(count, std::string_view(message), kind);
}

ResultParts parts_of(const py::bytes& poses, const py::bytes& fields, const StageSecs& stage_secs) {
    return {std::string_view(poses), std::string_view(fields), stage_secs};
}

py::bytes result_of(const py::bytes& poses, const py::bytes& fields, const StageSecs& stage_secs) {
    return serialize_result(parts_of(poses, fields, stage_secs));
}

py::bytes outcome_of(const py::bytes& poses, const py::bytes& fields, const StageSecs& stage_secs,
                     std::uint64_t frame_id, std::uint64_t frames_skipped_before,
                     const py::bytes& resume_token) {
    return serialize_outcome({frame_id, frames_skipped_before, std::string_view(resume_token)},
                             parts_of(poses, fields, stage_secs));
}

}  // namespace

void bind_messages(py::module_& module) {
    py::class_<MessageKind>(module, "MessageKind")
        .def(py::init([](const py::dict& submessages) { return message_kind(submessages, 0); }),
             py::arg("submessages"))
        .def("has_at_most", &fits, py::arg("count"), py::arg("message"));
    module.def("serialize_result", &result_of, py::arg("poses"), py::arg("fields"),
               py::arg("stage_secs"));
    module.def("serialize_outcome", &outcome_of, py::arg("poses"), py::arg("fields"),
               py::arg("stage_secs"), py::kw_only(), py::arg("frame_id"),
               py::arg("frames_skipped_before"), py::arg("resume_token"));
}

}  // namespace posewire::bindings
