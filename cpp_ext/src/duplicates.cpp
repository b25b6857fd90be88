#include "posewire/duplicates.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "validation.hpp"

namespace posewire {
namespace {

constexpr double kLeastArea = 1.0;  // also of keypoints in a line or in one point
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The box around the keypoints that a pose has; inverted if it has none.
struct Box {
    double left = kInfinity;
    double top = kInfinity;
    double right = -kInfinity;
    double bottom = -kInfinity;

    double area() const { return std::max(kLeastArea, (right - left) * (bottom - top)); }
};

double squared_gap(const Box& a, const Box& b) {
    const double x = std::max({0.0, a.left - b.right, b.left - a.right});
    const double y = std::max({0.0, a.top - b.bottom, b.top - a.bottom});
    return x * x + y * y;
}

Box box_of(const PosesView& poses, std::size_t n) {
    Box box;
    for (std::size_t k = 0; k < poses.keypoint_count; ++k) {
        if (!poses.has_keypoint(n, k)) continue;
        const double x = poses.x(n, k);
        const double y = poses.y(n, k);
        box.left = std::min(box.left, x);
        box.top = std::min(box.top, y);
        box.right = std::max(box.right, x);
        box.bottom = std::max(box.bottom, y);
    }
    return box;
}

/// Whether the OKS of two poses exceeds the threshold.
class Similarity {
public:
    Similarity(const PosesView& poses, const std::vector<double>& oks_sigmas, double oks_threshold)
        : poses_(poses), threshold_(oks_threshold) {
        for (const double sigma : oks_sigmas) spreads_.push_back(8.0 * sigma * sigma);
        const double widest = *std::max_element(spreads_.begin(), spreads_.end());
        squared_reach_ = widest * std::log(1.0 / oks_threshold);
        for (std::size_t n = 0; n < poses.count; ++n) boxes_.push_back(box_of(poses, n));
    }

    bool is_duplicate(std::size_t better, std::size_t weaker) const {
        const double area = (boxes_[better].area() + boxes_[weaker].area()) / 2.0;
        // An OKS above the threshold takes at least one pair of keypoints within reach.
        if (squared_gap(boxes_[better], boxes_[weaker]) > squared_reach_ * area) return false;
        return oks(better, weaker, area) > threshold_;
    }

private:
    double oks(std::size_t better, std::size_t weaker, double area) const {
        double sum = 0.0;
        int count = 0;
        for (std::size_t k = 0; k < spreads_.size(); ++k) {
            if (!poses_.has_keypoint(weaker, k)) continue;
            ++count;
            if (!poses_.has_keypoint(better, k)) continue;
            const double x = static_cast<double>(poses_.x(better, k)) - poses_.x(weaker, k);
            const double y = static_cast<double>(poses_.y(better, k)) - poses_.y(weaker, k);
            sum += std::exp(-(x * x + y * y) / (spreads_[k] * area));
        }
        return sum / count;  // NaN, which exceeds nothing, if the weaker has no keypoint
    }

    PosesView poses_;
    double threshold_;
    std::vector<double> spreads_;  // [K]: 2 (2 sigma)^2, as in COCO's OKS
    double squared_reach_;         // for a mean area of 1
    std::vector<Box> boxes_;
};

/// A person with one or more poses.
struct Person {
    std::size_t best;                  // the best of the poses
    std::vector<std::size_t> pose_of;  // [keypoint]: the pose that it is taken from
    float score = 0.0F;
};

void take_warmer_peaks(Person& person, std::size_t duplicate, const PosesView& poses) {
    for (std::size_t k = 0; k < person.pose_of.size(); ++k) {
        const bool is_warmer = poses.score(duplicate, k) > poses.score(person.pose_of[k], k);
        if (is_warmer && poses.has_peak(duplicate, k)) person.pose_of[k] = duplicate;
    }
}

/// The mean over all keypoints, those without a peak counting 0, as in the decoder.
float score_of(const Person& person, const PosesView& poses) {
    double sum = 0.0;
    for (std::size_t k = 0; k < person.pose_of.size(); ++k) {
        const std::size_t n = person.pose_of[k];
        // NaN counts 0 too, because people could not be sorted by it.
        if (poses.has_peak(n, k)) sum += std::max(0.0F, poses.score(n, k));
    }
    return static_cast<float>(sum / static_cast<double>(person.pose_of.size()));
}

/// Returns people in the order of their best poses. A duplicate has no duplicates of its own.
std::vector<Person> find_people(const PosesView& poses, const Similarity& similarity) {
    std::vector<Person> people;
    std::vector<bool> is_taken(poses.count, false);
    for (std::size_t better = 0; better < poses.count; ++better) {
        if (is_taken[better]) continue;
        Person person{better, std::vector<std::size_t>(poses.keypoint_count, better)};
        for (std::size_t weaker = better + 1; weaker < poses.count; ++weaker) {
            if (is_taken[weaker] || !similarity.is_duplicate(better, weaker)) continue;
            is_taken[weaker] = true;
            take_warmer_peaks(person, weaker, poses);
        }
        person.score = score_of(person, poses);
        people.push_back(std::move(person));
    }
    return people;
}

Poses poses_of(const std::vector<Person>& people, const PosesView& candidates) {
    Poses poses;
    poses.count = static_cast<int>(people.size());
    for (const Person& person : people) {
        for (std::size_t k = 0; k < person.pose_of.size(); ++k) {
            const std::size_t n = person.pose_of[k];
            poses.keypoints.push_back(candidates.x(n, k));
            poses.keypoints.push_back(candidates.y(n, k));
            poses.keypoint_scores.push_back(candidates.score(n, k));
            poses.origins.push_back(candidates.origin(n, k));
        }
        poses.scores.push_back(person.score);
    }
    return poses;
}

}  // namespace

Poses join_duplicates(const PosesView& poses, const std::vector<double>& oks_sigmas,
                      double oks_threshold) {
    validate(poses, oks_sigmas, oks_threshold);
    std::vector<Person> people = find_people(poses, Similarity(poses, oks_sigmas, oks_threshold));
    std::sort(people.begin(), people.end(), [](const Person& a, const Person& b) {
        return a.score != b.score ? a.score > b.score : a.best < b.best;
    });
    return poses_of(people, poses);
}

}  // namespace posewire
