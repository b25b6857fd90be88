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
[[noreturn]] void fail(const std::string& name, const Value& got, const std::string& wanted) {
    std::ostringstream message;
    message << std::setprecision(12) << name << ": got " << got << ", want " << wanted;
    throw std::invalid_argument(message.str());
}

template <class Value>
void require(bool holds, const std::string& name, const Value& got, const std::string& wanted) {
    if (!holds) fail(name, got, wanted);
}

constexpr int kMaxCells = 1 << 30;        // leaves room to round up to whole tiles
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

std::string shape(int keypoints, int height, int width) { return text({keypoints, height, width}); }

}  // namespace

void validate(const DecoderOptions& options) {
    require(std::isfinite(options.detection_threshold) && options.detection_threshold >= 0.0,
            "detection_threshold", options.detection_threshold, "a finite number of at least 0");
    require(std::isfinite(options.refine_threshold) && options.refine_threshold >= 0.0,
            "refine_threshold", options.refine_threshold, "a finite number of at least 0");
    require(options.tag_threshold > 0.0 && options.tag_threshold <= kMaxTagThreshold,
            "tag_threshold", options.tag_threshold, "a number above 0 and at most 1e6");
    require(options.max_peaks >= 1, "max_peaks", options.max_peaks, "at least 1");
    require(std::isfinite(options.delta_x), "delta x", options.delta_x, "a finite number");
    require(std::isfinite(options.delta_y), "delta y", options.delta_y, "a finite number");
    require(!options.grouping_order.empty() && is_permutation_of_indices(options.grouping_order),
            "grouping_order", text(options.grouping_order),
            "every keypoint index from 0 exactly once");
}

void validate(const DecodeOptions& options) {
    if (options.max_poses) {
        require(*options.max_poses >= 1, "max_poses", *options.max_poses, "at least 1, or none");
    }
    require(is_score(options.min_pose_score), "min_pose_score", options.min_pose_score,
            "a score in [0, 1]");
    require(is_score(options.min_keypoint_score), "min_keypoint_score", options.min_keypoint_score,
            "a score in [0, 1]");
}

void validate(const HeatmapView& heatmaps, std::size_t keypoints) {
    const std::string got = shape(heatmaps.keypoints, heatmaps.height, heatmaps.width);
    require(heatmaps.keypoints >= 0 && static_cast<std::size_t>(heatmaps.keypoints) == keypoints,
            "heatmaps", got,
            std::to_string(keypoints) + " keypoints, as many as grouping_order names");
    require(heatmaps.height >= 1 && heatmaps.width >= 1, "heatmaps", got, "at least one cell");
    require(heatmaps.height <= kMaxCells / heatmaps.width, "heatmaps", got,
            "at most 2^30 cells in a plane");
    require(heatmaps.data != nullptr, "heatmaps", "null", "memory");
}

void validate(const TagView& tags, const HeatmapView& heatmaps) {
    const std::string wanted = shape(heatmaps.keypoints, heatmaps.height, heatmaps.width);
    const std::string got = shape(tags.keypoints, tags.height, tags.width);
    require(got == wanted, "tags", got, "the shape of heatmaps, " + wanted);
    require(tags.length >= 1, "tags", std::to_string(tags.length) + " components",
            "at least one component");
    require(tags.data != nullptr, "tags", "null", "memory");
}

void validate(const PosesView& poses, const std::vector<double>& oks_sigmas, double oks_threshold) {
    require(poses.count >= 0, "poses", poses.count, "at least 0");
    require(poses.keypoint_count >= 1, "keypoints", poses.keypoint_count, "at least 1 per pose");
    const bool has_memory = poses.keypoints && poses.keypoint_scores && poses.origins;
    require(poses.count == 0 || has_memory, "poses", "null", "memory");
    require(oks_sigmas.size() == static_cast<std::size_t>(poses.keypoint_count), "oks_sigmas",
            oks_sigmas.size(), std::to_string(poses.keypoint_count) + ", one per keypoint");
    for (const double sigma : oks_sigmas) {
        require(std::isfinite(sigma) && sigma > 0.0, "oks_sigmas", sigma, "finite numbers above 0");
    }
    require(oks_threshold > 0.0 && oks_threshold <= 1.0, "oks_threshold", oks_threshold,
            "a number above 0 and at most 1");
}

}  // namespace posewire
