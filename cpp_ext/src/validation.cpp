#include "validation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>

namespace posewire {
namespace {

template <class Value>
void require(bool holds, const std::string& name, const Value& got, const std::string& wanted) {
    if (holds) return;
    std::ostringstream message;
    message << std::setprecision(12) << name << ": got " << got << ", want " << wanted;
    throw std::invalid_argument(message.str());
}

constexpr int kMaxCells = 1 << 30;                  // leaves room to round up to whole tiles
constexpr std::size_t kMaxTrackedKeypoints = 1024;  // fit the bytes of a saved tracker
constexpr std::size_t kMaxRegions = 255;
constexpr int kMaxTracks = 1000;
constexpr double kMaxTagThreshold = 1e6;  // keeps costs finite

bool is_score(double value) { return value >= 0.0 && value <= 1.0; }

bool is_permutation_of_indices(std::vector<int> order) {
    std::sort(order.begin(), order.end());
    std::vector<int> indices(order.size());
    std::iota(indices.begin(), indices.end(), 0);
    return order == indices;
}

std::string text(const std::vector<int>& values) {
    std::ostringstream out;
    out << '(';
    for (std::size_t i = 0; i < values.size(); ++i) out << (i == 0 ? "" : ", ") << values[i];
    out << ')';
    return out.str();
}

std::string shape_of(const HeatmapView& maps) {
    return text({maps.keypoints, maps.height, maps.width});
}

std::string shape_of(const TagView& tags) {
    return text({tags.keypoints, tags.height, tags.width, tags.length});
}

void require_maps(const HeatmapView& heatmaps, const TagView& tags) {
    const std::string got = shape_of(heatmaps);
    require(heatmaps.height >= 1 && heatmaps.width >= 1, "heatmaps", got, "at least one cell");
    require(heatmaps.height <= kMaxCells / heatmaps.width, "heatmaps", got,
            "at most 2^30 cells in a plane");
    require(heatmaps.data != nullptr, "heatmaps", "null", "memory");
    require(tags.keypoints == heatmaps.keypoints && tags.height == heatmaps.height &&
                tags.width == heatmaps.width,
            "tags", shape_of(tags), "the shape of heatmaps, " + got + ", and components");
    require(tags.length >= 1, "tags", std::to_string(tags.length) + " components",
            "at least one component");
    require(tags.data != nullptr, "tags", "null", "memory");
}

void require_threshold(const std::string& name, double value) {
    require(std::isfinite(value) && value >= 0.0, name, value, "a finite number of at least 0");
}

void validate(const ModelOptions& options, int max_peaks) {
    require_threshold("detection_threshold", options.detection_threshold);
    require(options.tag_threshold > 0.0 && options.tag_threshold <= kMaxTagThreshold,
            "tag_threshold", options.tag_threshold, "a number above 0 and at most 1e6");
    require(max_peaks >= 1, "max_peaks", max_peaks, "at least 1");
    require(std::isfinite(options.delta_x), "delta x", options.delta_x, "a finite number");
    require(std::isfinite(options.delta_y), "delta y", options.delta_y, "a finite number");
    require(!options.grouping_order.empty() && is_permutation_of_indices(options.grouping_order),
            "grouping_order", text(options.grouping_order),
            "every keypoint index from 0 exactly once");
}

void validate(const PosesView& poses) {
    require(poses.keypoint_count >= 1, "keypoints", poses.keypoint_count, "at least 1 per pose");
    const bool has_memory = poses.keypoints && poses.keypoint_scores && poses.origins;
    require(poses.count == 0 || has_memory, "poses", "null", "memory");
}

void validate(const std::vector<double>& oks_sigmas, std::size_t keypoints) {
    require(oks_sigmas.size() == keypoints, "oks_sigmas", oks_sigmas.size(),
            std::to_string(keypoints) + ", one per keypoint");
    for (const double sigma : oks_sigmas) {
        require(std::isfinite(sigma) && sigma > 0.0, "oks_sigmas", sigma, "finite numbers above 0");
    }
}

}  // namespace

void validate(const DecoderOptions& options) {
    validate(options, options.max_peaks);
    require_threshold("refine_threshold", options.refine_threshold);
}

void validate(const ReferenceOptions& options) { validate(options, options.max_peaks); }

void validate(const DecodeOptions& options) {
    if (options.max_poses) {
        require(*options.max_poses >= 1, "max_poses", *options.max_poses, "at least 1, or none");
    }
    require(is_score(options.min_pose_score), "min_pose_score", options.min_pose_score,
            "a score in [0, 1]");
    require(is_score(options.min_keypoint_score), "min_keypoint_score", options.min_keypoint_score,
            "a score in [0, 1]");
}

void validate(const HeatmapView& heatmaps, const TagView& tags, const ModelOptions& options) {
    const std::size_t keypoints = options.grouping_order.size();
    require(heatmaps.keypoints >= 0 && static_cast<std::size_t>(heatmaps.keypoints) == keypoints,
            "heatmaps", shape_of(heatmaps),
            std::to_string(keypoints) + " keypoints, as many as grouping_order names");
    require_maps(heatmaps, tags);
}

void validate(const OutputView& output, const OutputView& mirrored,
              const std::vector<int>& mirrored_keypoints) {
    const std::size_t keypoints = mirrored_keypoints.size();
    require(keypoints >= 1 && is_permutation_of_indices(mirrored_keypoints), "mirrored_keypoints",
            text(mirrored_keypoints), "every keypoint index from 0 exactly once");
    require(output.heatmaps.keypoints >= 0 &&
                static_cast<std::size_t>(output.heatmaps.keypoints) == keypoints,
            "heatmaps", shape_of(output.heatmaps),
            std::to_string(keypoints) + " keypoints, as many as mirrored_keypoints has");
    require_maps(output.heatmaps, output.tags);
    require(shape_of(mirrored.heatmaps) == shape_of(output.heatmaps), "mirrored_heatmaps",
            shape_of(mirrored.heatmaps), "the shape of heatmaps, " + shape_of(output.heatmaps));
    require(mirrored.heatmaps.data != nullptr, "mirrored_heatmaps", "null", "memory");
    require(shape_of(mirrored.tags) == shape_of(output.tags), "mirrored_tags",
            shape_of(mirrored.tags), "the shape of tags, " + shape_of(output.tags));
    require(mirrored.tags.data != nullptr, "mirrored_tags", "null", "memory");
}

void validate(const PosesView& poses, const std::vector<double>& oks_sigmas, double oks_threshold) {
    validate(poses);
    validate(oks_sigmas, poses.keypoint_count);
    require(oks_threshold > 0.0 && oks_threshold <= 1.0, "oks_threshold", oks_threshold,
            "a number above 0 and at most 1");
}

void validate(const DuplicateOptions& options, const ModelOptions& model) {
    PosesView none;
    none.keypoint_count = model.grouping_order.size();
    validate(none, options.oks_sigmas, options.oks_threshold);
    require(options.max_candidates >= 1, "max_candidates", options.max_candidates, "at least 1");
}

void validate(const TrackerOptions& options) {
    require(!options.oks_sigmas.empty(), "oks_sigmas", 0, "at least 1");
    require(options.oks_sigmas.size() <= kMaxTrackedKeypoints, "oks_sigmas",
            options.oks_sigmas.size(), "at most 1024");
    validate(options.oks_sigmas, options.oks_sigmas.size());
    require(is_score(options.high_score), "high_score", options.high_score, "a score in [0, 1]");
    require(options.low_score >= 0.0 && options.low_score <= options.high_score, "low_score",
            options.low_score, "a score of at most high_score");
    require(options.new_score >= options.high_score && options.new_score <= 1.0, "new_score",
            options.new_score, "a score of at least high_score");
    require(options.sure_score >= 0.0, "sure_score", options.sure_score, "at least 0");
    require(options.confirm_hits >= 1, "confirm_hits", options.confirm_hits, "at least 1");
    require(options.max_lost_secs >= 0.0 && std::isfinite(options.max_lost_secs), "max_lost_secs",
            options.max_lost_secs, "a finite number of at least 0");
    require(options.max_tracks >= 1 && options.max_tracks <= kMaxTracks, "max_tracks",
            options.max_tracks, "from 1 to 1000");
    require(is_score(options.colour_weight), "colour_weight", options.colour_weight,
            "a number in [0, 1]");
}

void validate(const SmootherOptions& options) {
    const auto require_positive = [](const std::string& name, double value) {
        require(std::isfinite(value) && value > 0.0, name, value, "a finite number above 0");
    };
    require_positive("min_cutoff_hz", options.min_cutoff_hz);
    require_threshold("cutoff_per_speed", options.cutoff_per_speed);
    require_positive("speed_cutoff_hz", options.speed_cutoff_hz);
    require_threshold("max_gap_secs", options.max_gap_secs);
}

void validate(double secs, const TrackerPoses& frame, const TrackerOptions& options,
              std::size_t regions) {
    require(std::isfinite(secs), "secs", secs, "a finite number");
    validate(frame.poses);
    require(frame.poses.keypoint_count == options.oks_sigmas.size(), "keypoints",
            frame.poses.keypoint_count,
            std::to_string(options.oks_sigmas.size()) + ", one per OKS sigma");
    require(frame.poses.count == 0 || frame.scores != nullptr, "scores", "null", "memory");
    if (frame.colours == nullptr) return;
    require(frame.region_count >= 1 && frame.region_count <= kMaxRegions, "colours",
            frame.region_count, "from 1 to 255 regions");
    require(regions == 0 || frame.region_count == regions, "colours", frame.region_count,
            std::to_string(regions) + " regions as before");
}

void validate(double secs, const PosesView& poses, const std::uint32_t* ids) {
    require(std::isfinite(secs), "secs", secs, "a finite number");
    validate(poses);
    require(poses.count == 0 || ids != nullptr, "ids", "null", "memory");
}

}  // namespace posewire
