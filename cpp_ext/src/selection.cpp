#include "selection.hpp"

#include <algorithm>
#include <utility>

namespace posewire {
namespace {

using Indices = std::vector<std::size_t>;

/// The best max_poses, best first; equal ones in ascending order.
Indices keep_best(Indices poses, const std::vector<float>& scores, const DecodeOptions& call) {
    std::sort(poses.begin(), poses.end(), [&](std::size_t a, std::size_t b) {
        return std::make_pair(-scores[a], a) < std::make_pair(-scores[b], b);
    });
    const auto most = static_cast<std::size_t>(call.max_poses.value_or(0));
    if (call.max_poses && most < poses.size()) poses.resize(most);
    return poses;
}

/// The rows of [N, ...] values at these indices, which ascend.
template <class Value>
void keep_rows(std::vector<Value>& values, const Indices& rows, std::size_t count) {
    const auto length = static_cast<std::ptrdiff_t>(values.size() / count);
    auto end = values.begin();
    for (const std::size_t row : rows) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row) * length;
        end = begin == end ? end + length : std::copy(begin, begin + length, end);
    }
    values.erase(end, values.end());
}

/// The poses at these indices, which ascend.
Poses keep_poses(Poses poses, const Indices& rows) {
    const std::size_t count = poses.scores.size();
    if (rows.size() == count) return poses;
    keep_rows(poses.keypoints, rows, count);
    keep_rows(poses.keypoint_scores, rows, count);
    keep_rows(poses.origins, rows, count);
    keep_rows(poses.scores, rows, count);
    keep_rows(poses.tags, rows, count);
    poses.count = static_cast<int>(rows.size());
    return poses;
}

Indices rows_with_keypoints(const Poses& poses) {
    const std::size_t count = poses.scores.size();
    Indices rows;
    for (std::size_t n = 0; n < count; ++n) {
        const auto keypoints = static_cast<std::ptrdiff_t>(poses.origins.size() / count);
        const auto begin = poses.origins.begin() + static_cast<std::ptrdiff_t>(n) * keypoints;
        const auto is_absent = [](Origin origin) { return origin == Origin::kAbsent; };
        if (!std::all_of(begin, begin + keypoints, is_absent)) rows.push_back(n);
    }
    return rows;
}

}  // namespace

std::vector<float> pose_scores(const Grouping& grouping) {
    std::vector<float> scores(grouping.count());
    for (std::size_t pose = 0; pose < scores.size(); ++pose) {
        double sum = 0.0;
        for (std::size_t k = 0; k < grouping.keypoints(); ++k) {
            if (const Peak* peak = grouping.member(pose, k)) sum += peak->score;
        }
        scores[pose] = static_cast<float>(sum / static_cast<double>(grouping.keypoints()));
    }
    return scores;
}

Indices best_poses(const std::vector<float>& scores, DecodeOptions call) {
    if (call.min_keypoint_score > 0.0) call.max_poses.reset();
    Indices poses;
    for (std::size_t pose = 0; pose < scores.size(); ++pose) {
        if (!(scores[pose] < call.min_pose_score)) poses.push_back(pose);
    }
    return keep_best(std::move(poses), scores, call);
}

Poses detected_poses(const Grouping& grouping, const std::vector<float>& scores,
                     const Indices& chosen) {
    const std::size_t keypoints = grouping.keypoints();
    Poses poses;
    poses.count = static_cast<int>(chosen.size());
    poses.keypoints.resize(chosen.size() * keypoints * 2);
    poses.keypoint_scores.resize(chosen.size() * keypoints);
    poses.origins.resize(chosen.size() * keypoints, Origin::kAbsent);
    for (std::size_t n = 0; n < chosen.size(); ++n) {
        poses.scores.push_back(scores[chosen[n]]);
        const float* tag = grouping.mean_tag(chosen[n]);
        poses.tags.insert(poses.tags.end(), tag, tag + grouping.tag_length());
        for (std::size_t k = 0; k < keypoints; ++k) {
            const Peak* peak = grouping.member(chosen[n], k);
            if (!peak) continue;
            place(poses, n * keypoints + k, {peak->x, peak->y, peak->score}, peak->offset,
                  Origin::kDetected);
        }
    }
    return poses;
}

void place(Poses& poses, std::size_t i, const Cell& cell, const Offset& offset, Origin origin) {
    poses.keypoints[2 * i] = static_cast<float>(cell.x) + offset.x;
    poses.keypoints[2 * i + 1] = static_cast<float>(cell.y) + offset.y;
    poses.keypoint_scores[i] = cell.heat;
    poses.origins[i] = origin;
}

Poses add_delta(Poses poses, const ModelOptions& options, Origin except) {
    for (std::size_t i = 0; i < poses.origins.size(); ++i) {
        if (poses.origins[i] == except) continue;
        poses.keypoints[2 * i] += options.delta_x;
        poses.keypoints[2 * i + 1] += options.delta_y;
    }
    return poses;
}

Poses apply_limits(Poses poses, const DecodeOptions& call) {
    for (std::size_t i = 0; i < poses.origins.size(); ++i) {
        const bool is_weak = poses.keypoint_scores[i] < call.min_keypoint_score;
        if (is_weak) place(poses, i, {0, 0, 0.0F}, {}, Origin::kAbsent);
    }
    Indices rows = keep_best(rows_with_keypoints(poses), poses.scores, call);
    std::sort(rows.begin(), rows.end());
    return keep_poses(std::move(poses), rows);
}

Poses drop_poses_below(Poses poses, double score) {
    Indices rows;
    for (std::size_t n = 0; n < poses.scores.size(); ++n) {
        if (poses.scores[n] >= score) rows.push_back(n);
    }
    return keep_poses(std::move(poses), rows);
}

}  // namespace posewire
