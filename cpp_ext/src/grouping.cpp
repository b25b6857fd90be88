#include "grouping.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "assignment.hpp"
#include "tags.hpp"
#include "threshold.hpp"

namespace posewire {
namespace {

// Chosen on painted scenes: see docs/accuracy.md.
constexpr float kTagSpread = 0.3F;      // of one person's tags; below it nearness decides
constexpr float kSpatialSlack = 20.0F;  // cells that one peak may lie farther off than another
constexpr float kScoreWeight = 0.4F;    // of a peak's score against distance
constexpr float kNewPose = 0.5F;        // cost of opening a pose, in tag thresholds

constexpr int kNone = -1;  // no pose yet

// Of reference mode: a column that stands for a new pose, and distances that float32 cannot hold.
constexpr double kReferencePadding = 1e10;
constexpr double kOverflow = 1e30;

class Grouper {
public:
    Grouper(std::size_t keypoints, std::size_t tag_length, const DecoderOptions& options)
        : keypoints_(keypoints),
          tag_length_(tag_length),
          near_(ceil_to_float(options.tag_threshold)),
          new_pose_cost_(kNewPose * static_cast<float>(options.tag_threshold)),
          options_(options) {}

    void add(std::size_t keypoint, const std::vector<Peak>& peaks) {
        const std::size_t poses = pose_count();
        if (poses == 0) {
            for (const Peak& peak : peaks) open_pose(keypoint, peak);
            return;
        }
        measure(peaks);
        const std::vector<int> pose_of =
            options_.reference ? reference_assignment(peaks) : assignment(peaks);
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            if (pose_of[i] == kNone) {
                open_pose(keypoint, peaks[i]);
            } else {
                join_pose(static_cast<std::size_t>(pose_of[i]), keypoint, peaks[i]);
            }
        }
    }

    Grouping take() && {
        return {static_cast<int>(pose_count()), std::move(members_), std::move(tags_)};
    }

private:
    std::size_t pose_count() const { return centre_x_.size(); }

    void open_pose(std::size_t keypoint, const Peak& peak) {
        centre_x_.push_back(peak.x);
        centre_y_.push_back(peak.y);
        peak_counts_.push_back(1);
        tags_.insert(tags_.end(), peak.tag, peak.tag + tag_length_);
        members_.resize(members_.size() + keypoints_, nullptr);
        members_[members_.size() - keypoints_ + keypoint] = &peak;
    }

    void join_pose(std::size_t pose, std::size_t keypoint, const Peak& peak) {
        const int n = peak_counts_[pose]++;
        centre_x_[pose] = (centre_x_[pose] * n + peak.x) / (n + 1);
        centre_y_[pose] = (centre_y_[pose] * n + peak.y) / (n + 1);
        float* tag = tags_.data() + pose * tag_length_;
        const auto count = static_cast<float>(n);
        for (std::size_t i = 0; i < tag_length_; ++i) {
            // The reference's sum overflows for huge tags, the default's difference does not.
            tag[i] = options_.reference ? (tag[i] * count + peak.tag[i]) / (count + 1.0F)
                                        : tag[i] + (peak.tag[i] - tag[i]) / (count + 1.0F);
        }
        members_[pose * keypoints_ + keypoint] = &peak;
    }

    /// Fills tags_apart_ and squared_cells_apart_ [peak, pose], and per pose the distance of its
    /// nearest peak.
    void measure(const std::vector<Peak>& peaks) {
        const std::size_t poses = pose_count();
        tags_apart_.resize(peaks.size() * poses);
        squared_cells_apart_.resize(peaks.size() * poses);
        nearest_.assign(poses, std::numeric_limits<double>::infinity());
        const double* centre_x = centre_x_.data();
        const double* centre_y = centre_y_.data();
        double* nearest = nearest_.data();
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            float* tags_apart = tags_apart_.data() + i * poses;
            for (std::size_t j = 0; j < poses; ++j) {
                tags_apart[j] =
                    tag_distance(peaks[i].tag, tags_.data() + j * tag_length_, tag_length_);
            }
            double* squared = squared_cells_apart_.data() + i * poses;
            const double x = peaks[i].x;
            const double y = peaks[i].y;
            for (std::size_t j = 0; j < poses; ++j) {
                const double dx = x - centre_x[j];
                const double dy = y - centre_y[j];
                squared[j] = dx * dx + dy * dy;
                nearest[j] = squared[j] < nearest[j] ? squared[j] : nearest[j];
            }
        }
        for (double& each : nearest_) each = std::sqrt(each);
    }

    /// The cheapest assignment of peaks to poses, or to new ones.
    ///
    /// A peak whose cheapest pose no other peak could join gets that pose; what is left to solve is
    /// small, however many people there are.
    std::vector<int> assignment(const std::vector<Peak>& peaks) {
        const std::size_t poses = pose_count();
        measure_cost(peaks);
        std::vector<int> pose_of(peaks.size(), kNone);
        std::vector<std::size_t> rivals;
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            const std::size_t cheapest = cheapest_[i];
            if (cheapest == poses) continue;
            if (suitors_[cheapest] > 1) {
                rivals.push_back(i);
            } else {
                pose_of[i] = static_cast<int>(cheapest);
            }
        }
        if (!rivals.empty()) assign_rivals(rivals, pose_of);
        return pose_of;
    }

    /// Fills join_cost_ [peak, pose]: tag distance, more so the farther the peak is from the pose
    /// than the pose's nearest peak, and less so the warmer the peak; infinite where a new pose
    /// costs no more. Fills cheapest_ [peak], past the poses where the peak can join none, and
    /// suitors_ [pose], how many peaks can join it.
    void measure_cost(const std::vector<Peak>& peaks) {
        const std::size_t poses = pose_count();
        join_cost_.assign(peaks.size() * poses, std::numeric_limits<float>::infinity());
        cheapest_.assign(peaks.size(), poses);
        suitors_.assign(poses, 0);
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            const float* tags_apart = tags_apart_.data() + i * poses;
            const double* squared = squared_cells_apart_.data() + i * poses;
            float* row = join_cost_.data() + i * poses;
            const float bonus = kScoreWeight * std::min(peaks[i].heat, 1.0F);
            float least = new_pose_cost_;
            for (std::size_t j = 0; j < poses; ++j) {
                const float apart = tags_apart[j];
                if (!(apart < near_)) continue;
                const float spread = std::sqrt(apart * apart + kTagSpread * kTagSpread);
                const float cells = std::sqrt(static_cast<float>(squared[j]));
                const float nearness =
                    (cells + kSpatialSlack) / (static_cast<float>(nearest_[j]) + kSpatialSlack);
                const float cost = spread * nearness - bonus;
                if (!(cost < new_pose_cost_)) continue;
                row[j] = cost;
                ++suitors_[j];
                if (cost < least) {
                    least = cost;
                    cheapest_[i] = j;
                }
            }
        }
    }

    bool can_join(std::size_t peak, std::size_t pose) const {
        return std::isfinite(join_cost_[peak * pose_count() + pose]);
    }

    void assign_rivals(const std::vector<std::size_t>& rivals, std::vector<int>& pose_of) {
        const std::vector<std::size_t> wanted = wanted_poses(rivals);
        const std::size_t columns = wanted.size() + rivals.size();  // each may open a pose instead
        cost_.assign(rivals.size() * columns, static_cast<double>(new_pose_cost_));
        for (std::size_t r = 0; r < rivals.size(); ++r) {
            for (std::size_t w = 0; w < wanted.size(); ++w) {
                if (!can_join(rivals[r], wanted[w])) continue;
                cost_[r * columns + w] =
                    static_cast<double>(join_cost_[rivals[r] * pose_count() + wanted[w]]);
            }
        }
        const std::vector<int> column_of = minimum_cost_assignment(
            cost_, static_cast<int>(rivals.size()), static_cast<int>(columns));
        for (std::size_t r = 0; r < rivals.size(); ++r) {
            const auto column = static_cast<std::size_t>(column_of[r]);
            if (column < wanted.size() && can_join(rivals[r], wanted[column])) {
                pose_of[rivals[r]] = static_cast<int>(wanted[column]);
            }
        }
    }

    std::vector<std::size_t> wanted_poses(const std::vector<std::size_t>& rivals) const {
        std::vector<std::size_t> wanted;
        for (std::size_t j = 0; j < pose_count(); ++j) {
            const auto wants = [&](std::size_t peak) { return can_join(peak, j); };
            if (std::any_of(rivals.begin(), rivals.end(), wants)) wanted.push_back(j);
        }
        return wanted;
    }

    /// The accuracy-checker decoder's assignment, with its cost in its precisions and rounding.
    std::vector<int> reference_assignment(const std::vector<Peak>& peaks) {
        const std::size_t poses = pose_count();
        const std::size_t columns = std::max(poses, peaks.size());
        cost_.assign(peaks.size() * columns, kReferencePadding);
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            for (std::size_t j = 0; j < poses; ++j) {
                float distance = tags_apart_[i * poses + j];
                if (distance < near_) {
                    const double cells = std::sqrt(squared_cells_apart_[i * poses + j]);
                    const double nearness = cells / (nearest_[j] + 1e-10);
                    distance = static_cast<float>(static_cast<double>(distance) * nearness);
                }
                const float rounded = std::nearbyint(distance) * 100.0F;
                cost_[i * columns + j] =
                    std::isfinite(rounded)
                        ? static_cast<double>(rounded) - static_cast<double>(peaks[i].heat)
                        : kOverflow;
            }
        }
        std::vector<int> pose_of = minimum_cost_assignment(cost_, static_cast<int>(peaks.size()),
                                                           static_cast<int>(columns));
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            const auto j = static_cast<std::size_t>(pose_of[i]);
            if (j >= poses || !(tags_apart_[i * poses + j] < near_)) pose_of[i] = kNone;
        }
        return pose_of;
    }

    std::size_t keypoints_;
    std::size_t tag_length_;
    float near_;  // a float below it is below the tag threshold
    float new_pose_cost_;
    const DecoderOptions& options_;
    std::vector<double> centre_x_;
    std::vector<double> centre_y_;
    std::vector<int> peak_counts_;
    std::vector<float> tags_;
    std::vector<const Peak*> members_;
    std::vector<float> tags_apart_;            // [peak, pose]
    std::vector<float> join_cost_;             // [peak, pose]
    std::vector<std::size_t> cheapest_;        // [peak]
    std::vector<int> suitors_;                 // [pose]
    std::vector<double> cost_;                 // [peak, column]
    std::vector<double> squared_cells_apart_;  // [peak, pose]
    std::vector<double> nearest_;              // [pose]
};

}  // namespace

Grouping group(const std::vector<const std::vector<Peak>*>& peaks, std::size_t tag_length,
               const DecoderOptions& options) {
    Grouper grouper(peaks.size(), tag_length, options);
    for (const int keypoint : options.grouping_order) {
        const auto k = static_cast<std::size_t>(keypoint);
        grouper.add(k, *peaks[k]);
    }
    return std::move(grouper).take();
}

}  // namespace posewire
