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

// Chosen on painted scenes and the bundled network's maps: see docs/accuracy.md.
constexpr float kTagSpread = 0.4F;      // of one person's tags; below it nearness decides
constexpr float kSpatialSlack = 60.0F;  // cells that one peak may lie farther off than another
constexpr float kOwnReach = 20.0F;      // cells beyond its length where a pose may have peaks
constexpr float kScoreWeight = 0.6F;    // of the score that peak and pose share, against distance
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
    /// The least box around the peaks of a pose.
    struct Box {
        int left, top, right, bottom;

        void include(const Peak& peak) {
            left = std::min(left, peak.x);
            top = std::min(top, peak.y);
            right = std::max(right, peak.x);
            bottom = std::max(bottom, peak.y);
        }
        int longer_side() const { return std::max(right - left, bottom - top); }
    };

    std::size_t pose_count() const { return centre_x_.size(); }

    /// Heat can exceed 1 a little; a score cannot.
    static float score_of(const Peak& peak) { return std::min(peak.heat, 1.0F); }

    void open_pose(std::size_t keypoint, const Peak& peak) {
        centre_x_.push_back(peak.x);
        centre_y_.push_back(peak.y);
        boxes_.push_back({peak.x, peak.y, peak.x, peak.y});
        peak_counts_.push_back(1);
        mean_scores_.push_back(score_of(peak));
        tags_.insert(tags_.end(), peak.tag, peak.tag + tag_length_);
        members_.resize(members_.size() + keypoints_, nullptr);
        members_[members_.size() - keypoints_ + keypoint] = &peak;
    }

    void join_pose(std::size_t pose, std::size_t keypoint, const Peak& peak) {
        const int n = peak_counts_[pose]++;
        centre_x_[pose] = (centre_x_[pose] * n + peak.x) / (n + 1);
        centre_y_[pose] = (centre_y_[pose] * n + peak.y) / (n + 1);
        boxes_[pose].include(peak);
        const auto count = static_cast<float>(n);
        mean_scores_[pose] += (score_of(peak) - mean_scores_[pose]) / (count + 1.0F);
        float* tag = tags_.data() + pose * tag_length_;
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
    /// A peak gets its cheapest pose where that is not contested; what is left to solve is small,
    /// however many people there are.
    std::vector<int> assignment(const std::vector<Peak>& peaks) {
        measure_cost(peaks);
        find_contest();
        std::vector<int> pose_of(peaks.size(), kNone);
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            if (cheapest_[i] != pose_count()) pose_of[i] = static_cast<int>(cheapest_[i]);
        }
        if (!rivals_.empty()) assign_rivals(pose_of);
        return pose_of;
    }

    /// Fills join_cost_ [peak, pose]: tag distance, more so the farther the peak is from the pose
    /// than the pose's nearest peak, and less so the warmer both are; infinite where a new pose
    /// costs no more. Fills cheapest_ [peak], past the poses where the peak can join none.
    ///
    /// The nearest peak of a pose that has none of this type is somebody else's. So it counts as no
    /// farther away than the pose may reach.
    ///
    /// An echo of a person has the person's tag. The warmth that peak and pose share is greatest
    /// where warm peaks go to the warm pose, and so keeps the two apart.
    void measure_cost(const std::vector<Peak>& peaks) {
        const std::size_t poses = pose_count();
        join_cost_.assign(peaks.size() * poses, std::numeric_limits<float>::infinity());
        cheapest_.assign(peaks.size(), poses);
        nearest_own_.resize(poses);
        for (std::size_t j = 0; j < poses; ++j) {
            const float reach = static_cast<float>(boxes_[j].longer_side()) + kOwnReach;
            nearest_own_[j] = std::min(static_cast<float>(nearest_[j]), reach);
        }
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            const float* tags_apart = tags_apart_.data() + i * poses;
            const double* squared = squared_cells_apart_.data() + i * poses;
            float* row = join_cost_.data() + i * poses;
            float least = new_pose_cost_;
            for (std::size_t j = 0; j < poses; ++j) {
                const float apart = tags_apart[j];
                if (!(apart < near_)) continue;
                const float spread = std::sqrt(apart * apart + kTagSpread * kTagSpread);
                const float cells = std::sqrt(static_cast<float>(squared[j]));
                const float nearness = (cells + kSpatialSlack) / (nearest_own_[j] + kSpatialSlack);
                const float shared_score = std::min(peaks[i].heat, mean_scores_[j]);
                const float cost = spread * nearness - kScoreWeight * shared_score;
                if (!(cost < new_pose_cost_)) continue;
                row[j] = cost;
                if (cost < least) {
                    least = cost;
                    cheapest_[i] = j;
                }
            }
        }
    }

    /// Fills contested_ with the poses that are the cheapest of several peaks, or that such a peak
    /// can join instead, and so on; and rivals_ with the peaks whose cheapest pose is one of them.
    void find_contest() {
        const std::size_t poses = pose_count();
        rivals_.clear();
        contested_.clear();
        std::vector<bool> is_contested(poses, false);
        const auto contest = [&](std::size_t pose) {
            if (!is_contested[pose]) contested_.push_back(pose);
            is_contested[pose] = true;
        };
        std::vector<bool> is_taken(poses + 1, false);
        for (const std::size_t pose : cheapest_) {
            if (is_taken[pose] && pose != poses) contest(pose);
            is_taken[pose] = true;
        }
        for (std::size_t c = 0; c < contested_.size(); ++c) {  // it grows meanwhile
            for (std::size_t i = 0; i < cheapest_.size(); ++i) {
                if (cheapest_[i] != contested_[c]) continue;
                rivals_.push_back(i);
                for (std::size_t j = 0; j < poses; ++j) {
                    if (can_join(i, j)) contest(j);
                }
            }
        }
        // In the order in which the assignment breaks ties.
        std::sort(rivals_.begin(), rivals_.end());
        std::sort(contested_.begin(), contested_.end());
    }

    bool can_join(std::size_t peak, std::size_t pose) const {
        return std::isfinite(join_cost_[peak * pose_count() + pose]);
    }

    void assign_rivals(std::vector<int>& pose_of) {
        const std::size_t columns = contested_.size() + rivals_.size();  // each may open a pose
        cost_.assign(rivals_.size() * columns, static_cast<double>(new_pose_cost_));
        for (std::size_t r = 0; r < rivals_.size(); ++r) {
            for (std::size_t c = 0; c < contested_.size(); ++c) {
                if (!can_join(rivals_[r], contested_[c])) continue;
                cost_[r * columns + c] =
                    static_cast<double>(join_cost_[rivals_[r] * pose_count() + contested_[c]]);
            }
        }
        const std::vector<int> column_of = minimum_cost_assignment(
            cost_, static_cast<int>(rivals_.size()), static_cast<int>(columns));
        for (std::size_t r = 0; r < rivals_.size(); ++r) {
            const auto column = static_cast<std::size_t>(column_of[r]);
            const bool joins =
                column < contested_.size() && can_join(rivals_[r], contested_[column]);
            pose_of[rivals_[r]] = joins ? static_cast<int>(contested_[column]) : kNone;
        }
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
    std::vector<Box> boxes_;
    std::vector<int> peak_counts_;
    std::vector<float> mean_scores_;
    std::vector<float> tags_;
    std::vector<const Peak*> members_;
    std::vector<float> tags_apart_;            // [peak, pose]
    std::vector<float> join_cost_;             // [peak, pose]
    std::vector<std::size_t> cheapest_;        // [peak]
    std::vector<std::size_t> rivals_;          // peaks, in order
    std::vector<std::size_t> contested_;       // poses, in order
    std::vector<double> cost_;                 // [peak, column]
    std::vector<double> squared_cells_apart_;  // [peak, pose]
    std::vector<double> nearest_;              // [pose]
    std::vector<float> nearest_own_;           // [pose]
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
