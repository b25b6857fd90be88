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

// Of a pose whose keypoints lie in a line or in one point.
constexpr double kLeastArea = 1.0;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Around the keypoints that a pose has; inside out where it has none.
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

/// Given poses, by pose n and keypoint k.
class Candidates {
public:
    explicit Candidates(const PosesView& poses) : poses_(poses) {}

    std::size_t count() const { return static_cast<std::size_t>(poses_.count); }
    std::size_t keypoints() const { return static_cast<std::size_t>(poses_.keypoint_count); }

    float x(std::size_t n, std::size_t k) const { return poses_.keypoints[2 * index(n, k)]; }
    float y(std::size_t n, std::size_t k) const { return poses_.keypoints[2 * index(n, k) + 1]; }
    float score(std::size_t n, std::size_t k) const { return poses_.keypoint_scores[index(n, k)]; }
    Origin origin(std::size_t n, std::size_t k) const { return poses_.origins[index(n, k)]; }

    bool has(std::size_t n, std::size_t k) const { return origin(n, k) != Origin::kAbsent; }
    bool has_peak(std::size_t n, std::size_t k) const { return origin(n, k) == Origin::kDetected; }

private:
    std::size_t index(std::size_t n, std::size_t k) const { return n * keypoints() + k; }

    PosesView poses_;
};

Box box_of(const Candidates& poses, std::size_t n) {
    Box box;
    for (std::size_t k = 0; k < poses.keypoints(); ++k) {
        if (!poses.has(n, k)) continue;
        const double x = poses.x(n, k);
        const double y = poses.y(n, k);
        box.left = std::min(box.left, x);
        box.top = std::min(box.top, y);
        box.right = std::max(box.right, x);
        box.bottom = std::max(box.bottom, y);
    }
    return box;
}

/// OKS of two poses, held against the threshold.
class Similarity {
public:
    Similarity(const Candidates& poses, const std::vector<double>& oks_sigmas, double oks_threshold)
        : poses_(poses), threshold_(oks_threshold) {
        for (const double sigma : oks_sigmas) spreads_.push_back(8.0 * sigma * sigma);
        const double widest = *std::max_element(spreads_.begin(), spreads_.end());
        squared_reach_ = widest * std::log(1.0 / oks_threshold);
        for (std::size_t n = 0; n < poses.count(); ++n) boxes_.push_back(box_of(poses, n));
    }

    bool is_duplicate(std::size_t better, std::size_t weaker) const {
        const double area = (boxes_[better].area() + boxes_[weaker].area()) / 2.0;
        // For an OKS above the threshold one keypoint at least is within reach.
        if (squared_gap(boxes_[better], boxes_[weaker]) > squared_reach_ * area) return false;
        return oks(better, weaker, area) > threshold_;
    }

private:
    double oks(std::size_t better, std::size_t weaker, double area) const {
        double sum = 0.0;
        int count = 0;
        for (std::size_t k = 0; k < spreads_.size(); ++k) {
            if (!poses_.has(weaker, k)) continue;
            ++count;
            if (!poses_.has(better, k)) continue;
            const double x = static_cast<double>(poses_.x(better, k)) - poses_.x(weaker, k);
            const double y = static_cast<double>(poses_.y(better, k)) - poses_.y(weaker, k);
            sum += std::exp(-(x * x + y * y) / (spreads_[k] * area));
        }
        return sum / count;  // where the weaker has none, NaN, which exceeds nothing
    }

    const Candidates& poses_;
    double threshold_;
    std::vector<double> spreads_;  // [K]: 2 (2 sigma)^2, as COCO has it
    double squared_reach_;         // of two poses whose area is 1
    std::vector<Box> boxes_;
};

/// A pose with what it got of its duplicates.
struct Person {
    std::size_t best;                  // of its poses
    std::vector<std::size_t> pose_of;  // per keypoint, the pose that it comes from
    float score = 0.0F;
};

void take_warmer_peaks(Person& person, std::size_t duplicate, const Candidates& poses) {
    for (std::size_t k = 0; k < person.pose_of.size(); ++k) {
        const bool is_warmer = poses.score(duplicate, k) > poses.score(person.pose_of[k], k);
        if (is_warmer && poses.has_peak(duplicate, k)) person.pose_of[k] = duplicate;
    }
}

/// The mean over all keypoints, those without a peak counting 0, as the decoder ranks poses.
float score_of(const Person& person, const Candidates& poses) {
    double sum = 0.0;
    for (std::size_t k = 0; k < person.pose_of.size(); ++k) {
        const std::size_t n = person.pose_of[k];
        // A score that is NaN counts 0 too: people could not be sorted by the sum.
        if (poses.has_peak(n, k)) sum += std::max(0.0F, poses.score(n, k));
    }
    return static_cast<float>(sum / static_cast<double>(person.pose_of.size()));
}

/// In the order of their best poses. A duplicate has no duplicates of its own.
std::vector<Person> find_people(const Candidates& poses, const Similarity& similarity) {
    std::vector<Person> people;
    std::vector<bool> is_taken(poses.count(), false);
    for (std::size_t better = 0; better < poses.count(); ++better) {
        if (is_taken[better]) continue;
        Person person{better, std::vector<std::size_t>(poses.keypoints(), better)};
        for (std::size_t weaker = better + 1; weaker < poses.count(); ++weaker) {
            if (is_taken[weaker] || !similarity.is_duplicate(better, weaker)) continue;
            is_taken[weaker] = true;
            take_warmer_peaks(person, weaker, poses);
        }
        person.score = score_of(person, poses);
        people.push_back(std::move(person));
    }
    return people;
}

Poses poses_of(const std::vector<Person>& people, const Candidates& candidates) {
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
    const Candidates candidates(poses);
    std::vector<Person> people =
        find_people(candidates, Similarity(candidates, oks_sigmas, oks_threshold));
    std::sort(people.begin(), people.end(), [](const Person& a, const Person& b) {
        return a.score != b.score ? a.score > b.score : a.best < b.best;
    });
    return poses_of(people, candidates);
}

}  // namespace posewire
