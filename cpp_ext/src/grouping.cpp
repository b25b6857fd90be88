#include "grouping.hpp"

#include <cmath>
#include <limits>

namespace posewire {

void Grouping::add(std::size_t keypoint, const std::vector<Peak>& peaks,
                   const std::vector<int>& pose_of) {
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        if (pose_of[i] == kNewPose) {
            open(keypoint, peaks[i]);
        } else {
            join(static_cast<std::size_t>(pose_of[i]), keypoint, peaks[i]);
        }
    }
}

void Grouping::open(std::size_t keypoint, const Peak& peak) {
    centres_x_.push_back(peak.x);
    centres_y_.push_back(peak.y);
    boxes_.push_back({peak.x, peak.y, peak.x + 1, peak.y + 1});
    peak_counts_.push_back(1);
    mean_scores_.push_back(peak.score);
    tags_.insert(tags_.end(), peak.tag, peak.tag + tag_length_);
    members_.resize(members_.size() + keypoints_, nullptr);
    members_[members_.size() - keypoints_ + keypoint] = &peak;
}

void Grouping::join(std::size_t pose, std::size_t keypoint, const Peak& peak) {
    const int n = peak_counts_[pose]++;
    const auto count = static_cast<float>(n);
    centres_x_[pose] = (centres_x_[pose] * n + peak.x) / (n + 1);
    centres_y_[pose] = (centres_y_[pose] * n + peak.y) / (n + 1);
    boxes_[pose].include(peak.x, peak.y);
    mean_scores_[pose] += (peak.score - mean_scores_[pose]) / (count + 1.0F);
    float* tag = tags_.data() + pose * tag_length_;
    for (std::size_t i = 0; i < tag_length_; ++i) tag[i] = mean_(tag[i], count, peak.tag[i]);
    members_[pose * keypoints_ + keypoint] = &peak;
}

std::vector<double> Grouping::nearest_cells(const std::vector<Peak>& peaks) const {
    std::vector<double> nearest(count(), std::numeric_limits<double>::infinity());
    for (const Peak& peak : peaks) {
        for (std::size_t pose = 0; pose < nearest.size(); ++pose) {
            const double squared = squared_cells(peak, pose);
            nearest[pose] = squared < nearest[pose] ? squared : nearest[pose];
        }
    }
    for (double& each : nearest) each = std::sqrt(each);
    return nearest;
}

Grouping group(const std::vector<Plane>& planes, const ModelOptions& options, Match match,
               RunningMean mean) {
    Grouping poses(planes.size(), planes.front().tags.length(), mean);
    for (const int keypoint : options.grouping_order) {
        const auto k = static_cast<std::size_t>(keypoint);
        const std::vector<Peak>& peaks = planes[k].peaks;
        if (peaks.empty()) continue;
        poses.add(k, peaks, match(poses, peaks, options.tag_threshold));
    }
    return poses;
}

}  // namespace posewire
