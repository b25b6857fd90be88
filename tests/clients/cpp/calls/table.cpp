#include "table.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

namespace posewire::client::calls {

namespace {

const std::set<std::string> kCallKeys = {"name",
                                         "expect",
                                         "call",
                                         "server",
                                         "model",
                                         "image",
                                         "frames",
                                         "options",
                                         "delivery",
                                         "window",
                                         "track",
                                         "max_frame_age_secs",
                                         "smoothing",
                                         "smoothing_options",
                                         "paced",
                                         "ask",
                                         "cancel_after_outcomes",
                                         "tls",
                                         "without",
                                         "refused_by",
                                         "close_after_outcomes",
                                         "timeout_secs",
                                         "retry_for_secs",
                                         "close_when_called",
                                         "token"};
const std::set<std::string> kAskKeys = {"what", "after_outcomes", "after_frames"};
const std::set<std::string> kTlsKeys = {"roots", "key", "certificate"};
const std::set<std::string> kImageKeys = {"file",   "as_stored",       "raw", "width", "height",
                                          "format", "row_stride_bytes"};
const std::set<std::string> kOptionKeys = {
    "max_poses",          "min_pose_score", "min_keypoint_score",
    "region_of_interest", "refine",         "flip_test"};

const std::set<std::string> kSmoothingKeys = {"min_cutoff_hz", "cutoff_per_speed",
                                              "speed_cutoff_hz", "max_gap_secs"};

void check_keys(const YAML::Node& map, const std::set<std::string>& known) {
    for (const auto& entry : map) {
        if (const auto key = entry.first.as<std::string>(); known.count(key) == 0) {
            refuse("unknown key: " + key);
        }
    }
}

v1::SmoothingOptions smoothing_options(const YAML::Node& options) {
    check_keys(options, kSmoothingKeys);
    v1::SmoothingOptions message;
    if (options["min_cutoff_hz"]) {
        message.set_min_cutoff_hz(options["min_cutoff_hz"].as<float>());
    }
    if (options["cutoff_per_speed"]) {
        message.set_cutoff_per_speed(options["cutoff_per_speed"].as<float>());
    }
    if (options["speed_cutoff_hz"]) {
        message.set_speed_cutoff_hz(options["speed_cutoff_hz"].as<float>());
    }
    if (options["max_gap_secs"]) {
        const auto nanos = std::llround(options["max_gap_secs"].as<double>() * 1e9);
        message.mutable_max_gap()->set_seconds(nanos / 1'000'000'000);
        message.mutable_max_gap()->set_nanos(static_cast<int>(nanos % 1'000'000'000));
    }
    return message;
}

}  // namespace

void refuse(const std::string& message) {
    std::cerr << "calls: " << message << "\n";
    std::exit(1);
}

std::vector<YAML::Node> read_calls(const std::string& path) {
    std::vector<YAML::Node> calls;
    for (const auto& call : YAML::LoadFile(path)) {
        check_keys(call, kCallKeys);
        check_keys(call["ask"], kAskKeys);
        check_keys(call["tls"], kTlsKeys);
        check_keys(call["options"], kOptionKeys);
        calls.push_back(call);
    }
    return calls;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(file), {});
    if (!file) {
        refuse("cannot read " + path);
    }
    return content;
}

bool contains(const YAML::Node& names, const std::string& name) {
    for (const auto& each : names) {
        if (each.as<std::string>() == name) {
            return true;
        }
    }
    return false;
}

Options client_options(const YAML::Node& call, const std::string& folder) {
    Options options;
    options.timeout = Secs(call["timeout_secs"].as<double>(120));
    options.retry_for = Secs(call["retry_for_secs"].as<double>(120));
    options.token = call["token"].as<std::string>("");
    if (const YAML::Node tls = call["tls"]) {
        const auto content = [&](const char* key) {
            return tls[key] ? read_file(folder + "/" + tls[key].as<std::string>()) : std::string();
        };
        options.tls = Tls{content("roots"), content("key"), content("certificate")};
    }
    return options;
}

v1::StreamConfig stream_config(const YAML::Node& call) {
    v1::StreamConfig config;
    config.set_model(call["model"].as<std::string>(""));
    if (call["options"]) {
        *config.mutable_options() = estimate_options(call["options"]);
    }
    const auto delivery = call["delivery"].as<std::string>("lossless");
    config.set_delivery_policy(delivery == "latest" ? v1::DELIVERY_POLICY_LATEST
                                                    : v1::DELIVERY_POLICY_IN_ORDER_LOSSLESS);
    if (call["window"]) {
        config.set_max_frames_in_flight(call["window"].as<std::uint32_t>());
    }
    if (call["max_frame_age_secs"]) {
        config.mutable_max_frame_age()->set_seconds(call["max_frame_age_secs"].as<int>());
    }
    config.set_track(call["track"].as<bool>(false));
    config.set_smoothing(call["smoothing"].as<bool>(false));
    if (call["smoothing_options"]) {
        *config.mutable_smoothing_options() = smoothing_options(call["smoothing_options"]);
    }
    return config;
}

v1::EstimateOptions estimate_options(const YAML::Node& options) {
    v1::EstimateOptions message;
    if (options["max_poses"]) {
        message.set_max_poses(options["max_poses"].as<std::uint32_t>());
    }
    if (options["min_pose_score"]) {
        message.set_min_pose_score(options["min_pose_score"].as<float>());
    }
    if (options["min_keypoint_score"]) {
        message.set_min_keypoint_score(options["min_keypoint_score"].as<float>());
    }
    if (const YAML::Node region = options["region_of_interest"]) {
        v1::Box& box = *message.mutable_region_of_interest();
        box.set_x_min(region[0].as<float>());
        box.set_y_min(region[1].as<float>());
        box.set_x_max(region[2].as<float>());
        box.set_y_max(region[3].as<float>());
    }
    if (options["refine"]) {
        message.set_refine(options["refine"].as<bool>());
    }
    if (options["flip_test"]) {
        message.set_flip_test(options["flip_test"].as<bool>());
    }
    return message;
}

StatusOr<v1::Image> image_of(const YAML::Node& spec, const std::string& folder) {
    if (spec.IsScalar()) {
        return image_from_file(folder + "/" + spec.as<std::string>());
    }
    check_keys(spec, kImageKeys);
    if (spec["file"]) {
        const bool is_stored = spec["as_stored"].as<bool>();
        return image_from_file(
            folder + "/" + spec["file"].as<std::string>(),
            is_stored ? v1::ORIENTATION_POLICY_IGNORE : v1::ORIENTATION_POLICY_APPLY);
    }
    const std::string data = read_file(folder + "/" + spec["raw"].as<std::string>());
    Pixels pixels;
    pixels.data = data.data();
    pixels.width = spec["width"].as<int>();
    pixels.height = spec["height"].as<int>();
    if (!v1::PixelFormat_Parse("PIXEL_FORMAT_" + spec["format"].as<std::string>(),
                               &pixels.format)) {
        refuse("unknown format: " + spec["format"].as<std::string>());
    }
    pixels.row_stride_bytes = spec["row_stride_bytes"].as<std::size_t>(0);
    return raw_image(pixels);
}

}  // namespace posewire::client::calls
