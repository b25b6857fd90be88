#include "outcome.hpp"

#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <string>

namespace posewire::client::calls {

namespace {

using google::protobuf::Value;

std::string hex(const google::protobuf::MessageLite& message) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char each : message.SerializeAsString()) {
        const auto byte = static_cast<unsigned char>(each);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

Value& field(Document& document, const char* name) { return (*document.mutable_fields())[name]; }

Document marked(const char* name) {
    Document document;
    field(document, name).set_bool_value(true);
    return document;
}

std::string skip_name(v1::SkipReason reason) {
    constexpr char kPrefix[] = "SKIP_REASON_";
    const std::string name = v1::SkipReason_Name(reason);
    const bool is_known = !name.empty() && reason != v1::SKIP_REASON_UNSPECIFIED;
    return is_known ? name.substr(sizeof(kPrefix) - 1) : "UNKNOWN";
}

v1::EstimatePosesResponse response_of(const Outcome& outcome) {
    const v1::FrameResult& result = *outcome.result();
    v1::EstimatePosesResponse response;
    *response.mutable_poses() = result.poses();
    response.set_model(outcome.model);
    response.set_model_version(result.model_version());
    response.set_image_width(result.image_width());
    response.set_image_height(result.image_height());
    return response;
}

}  // namespace

Document document_of(const Status& error) {
    const std::string& reason = error.reason();
    if (reason == reason::kClientClosed || reason == reason::kStreamClosed) {
        return marked("closed");
    }
    if (reason == reason::kProtocol) {
        return marked("protocol");
    }
    if (reason == reason::kImageUnsuitable || reason == reason::kOptionInvalid) {
        return marked("refused");
    }
    Document document;
    field(document, "code").set_string_value(name_of(error.code()));
    field(document, "reason").set_string_value(reason);
    auto& violations = *field(document, "violations").mutable_list_value();
    for (const FieldViolation& each : error.violations()) {
        auto& pair = *violations.add_values()->mutable_list_value();
        pair.add_values()->set_string_value(each.field);
        pair.add_values()->set_string_value(each.description);
    }
    Document& metadata = *field(document, "metadata").mutable_struct_value();
    for (const auto& [key, value] : error.details().metadata) {
        field(metadata, key.c_str()).set_string_value(value);
    }
    field(document, "retry_after_secs")
        .set_number_value(error.retry_after().value_or(Secs::zero()).count());
    field(document, "from_server").set_bool_value(error.is_from_server());
    // Errors of gRPC libraries read differently.
    field(document, "message").set_string_value(error.is_from_server() ? error.message() : "");
    return document;
}

Document document_of(v1::EstimatePosesResponse response) {
    response.clear_stage_times();
    Document document;
    field(document, "result").set_string_value(hex(response));
    return document;
}

Document document_of(const std::vector<v1::Model>& models) {
    Document document;
    auto& packed = *field(document, "models").mutable_list_value();
    for (const v1::Model& each : models) {
        packed.add_values()->set_string_value(hex(each));
    }
    return document;
}

Document document_of(const Outcome& outcome) {
    Document document;
    if (outcome.result() != nullptr) {
        document = document_of(response_of(outcome));
    } else if (const Status* error = outcome.error()) {
        *field(document, "error").mutable_struct_value() = document_of(*error);
    } else {
        field(document, "skipped").set_string_value(skip_name(*outcome.skipped()));
    }
    field(document, "frame").set_number_value(static_cast<double>(outcome.frame_id));
    field(document, "before").set_number_value(static_cast<double>(outcome.frames_skipped_before));
    return document;
}

Document document_with(const char* key, const Document* value) {
    Document document;
    if (value == nullptr) {
        field(document, key).set_null_value(google::protobuf::NULL_VALUE);
    } else {
        *field(document, key).mutable_struct_value() = *value;
    }
    return document;
}

void print(const Document& line) {
    std::string text;
    if (!google::protobuf::util::MessageToJsonString(line, &text).ok()) {
        std::abort();
    }
    std::puts(text.c_str());
    std::fflush(stdout);
}

}  // namespace posewire::client::calls
