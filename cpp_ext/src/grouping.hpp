#pragma once

#include <cstddef>
#include <vector>

#include "peaks.hpp"
#include "posewire/options.hpp"
#include "window.hpp"

namespace posewire {

constexpr int kNewPose = -1;  ///< instead of a pose's number: the peak opens one

/// The mean of n + 1 values from the mean of the first n and the last.
using RunningMean = float (*)(float mean, float n, float value);

/// Peaks grouped into poses, which are numbered from 0 in the order in which they were opened.
class Grouping {
public:
    /// @param mean makes the tag of a pose from those of its peaks
    Grouping(std::size_t keypoints, std::size_t tag_length, RunningMean mean)
        : keypoints_(keypoints), tag_length_(tag_length), mean_(mean) {}

    std::size_t count() const { return boxes_.size(); }
    std::size_t keypoints() const { return keypoints_; }
    std::size_t tag_length() const { return tag_length_; }

    /// The pose's peak of this keypoint type; null if it has none.
    const Peak* member(std::size_t pose, std::size_t keypoint) const {
        return members_[pose * keypoints_ + keypoint];
    }
    /// The smallest box around the pose's peaks.
    const Window& box(std::size_t pose) const { return boxes_[pose]; }
    float mean_score(std::size_t pose) const { return mean_scores_[pose]; }
    const float* mean_tag(std::size_t pose) const { return tags_.data() + pose * tag_length_; }

    /// Squared distance in cells of a peak from the mean place of the pose's peaks.
    double squared_cells(const Peak& peak, std::size_t pose) const {
        const double x = peak.x - centres_x_[pose];
        const double y = peak.y - centres_y_[pose];
        return x * x + y * y;
    }
    /// The distance in cells of each pose from the nearest of these peaks.
    std::vector<double> nearest_cells(const std::vector<Peak>& peaks) const;

    /// @param peaks of this keypoint type; they must outlive this
    /// @param pose_of the pose that each peak joins, none twice, or kNewPose
    void add(std::size_t keypoint, const std::vector<Peak>& peaks, const std::vector<int>& pose_of);

private:
    void open(std::size_t keypoint, const Peak& peak);
    void join(std::size_t pose, std::size_t keypoint, const Peak& peak);

    std::size_t keypoints_;
    std::size_t tag_length_;
    RunningMean mean_;
    std::vector<double> centres_x_;
    std::vector<double> centres_y_;
    std::vector<Window> boxes_;
    std::vector<int> peak_counts_;
    std::vector<float> mean_scores_;
    std::vector<float> tags_;           // [pose, component]
    std::vector<const Peak*> members_;  // [pose, keypoint]
};

/// Returns the pose that each peak of one keypoint type joins, or kNewPose.
using Match = std::vector<int> (*)(const Grouping& poses, const std::vector<Peak>& peaks,
                                   double tag_threshold);

/// Matches the peaks of one keypoint type after the other to the poses of those before.
///
/// @param planes of every keypoint type; they must outlive the grouping, which points to their
/// peaks
Grouping group(const std::vector<Plane>& planes, const ModelOptions& options, Match match,
               RunningMean mean);

}  // namespace posewire
