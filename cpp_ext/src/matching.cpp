#include "matching.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "assignment.hpp"
#include "tags.hpp"
#include "threshold.hpp"

namespace posewire {
namespace {

struct Costs {
    std::vector<float> join;    // [peak, pose]; `open` where the peak must not join
    std::vector<int> cheapest;  // [peak]: the pose that it costs least to join, or kNewPose
    std::size_t poses;
    float open;  // of a pose of its own

    float operator()(std::size_t peak, std::size_t pose) const { return join[peak * poses + pose]; }
    bool can_join(std::size_t peak, std::size_t pose) const { return (*this)(peak, pose) < open; }
};

/// D_near of each pose.
std::vector<float> limited_nearest(const Grouping& poses, const std::vector<Peak>& peaks) {
    const std::vector<double> nearest = poses.nearest_cells(peaks);
    std::vector<float> limited(nearest.size());
    for (std::size_t j = 0; j < limited.size(); ++j) {
        const auto length = static_cast<float>(poses.box(j).longer_side() - 1);
        limited[j] = std::min(static_cast<float>(nearest[j]), length + kOwnReach);
    }
    return limited;
}

Costs find_costs(const Grouping& poses, const std::vector<Peak>& peaks, double tag_threshold) {
    const std::vector<float> nearest = limited_nearest(poses, peaks);
    const float near = ceil_to_float(tag_threshold);
    const float open = kOpeningFactor * static_cast<float>(tag_threshold);
    Costs costs{std::vector<float>(peaks.size() * poses.count(), open),
                std::vector<int>(peaks.size(), kNewPose), poses.count(), open};
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        float least = open;
        for (std::size_t j = 0; j < poses.count(); ++j) {
            const float d = tag_distance(peaks[i].tag, poses.mean_tag(j), poses.tag_length());
            if (!(d < near)) continue;
            const float spread = std::sqrt(d * d + kTagSpread * kTagSpread);
            const float cells = std::sqrt(static_cast<float>(poses.squared_cells(peaks[i], j)));
            const float nearness = (cells + kSpatialSlack) / (nearest[j] + kSpatialSlack);
            const float shared_score = std::min(peaks[i].score, poses.mean_score(j));
            const float cost = spread * nearness - kScoreWeight * shared_score;
            if (!(cost < open)) continue;
            costs.join[i * costs.poses + j] = cost;
            if (!(cost < least)) continue;
            least = cost;
            costs.cheapest[i] = static_cast<int>(j);
        }
    }
    return costs;
}

/// Peaks that cannot all join their cheapest poses, and the poses that they can join.
struct Contest {
    std::vector<std::size_t> peaks;
    std::vector<std::size_t> poses;
};

/// A pose is contested if it is the cheapest of several peaks, or if a peak whose cheapest pose is
/// contested can join it. Both lists are in ascending order, on which the assignment's ties depend.
Contest find_contest(const Costs& costs) {
    Contest contest;
    std::vector<bool> is_contested(costs.poses);
    const auto add = [&](std::size_t pose) {
        if (!is_contested[pose]) contest.poses.push_back(pose);
        is_contested[pose] = true;
    };
    std::vector<bool> is_taken(costs.poses);
    for (const int cheapest : costs.cheapest) {
        if (cheapest == kNewPose) continue;
        const auto pose = static_cast<std::size_t>(cheapest);
        if (is_taken[pose]) add(pose);
        is_taken[pose] = true;
    }
    for (std::size_t c = 0; c < contest.poses.size(); ++c) {  // add() lengthens it
        for (std::size_t i = 0; i < costs.cheapest.size(); ++i) {
            if (costs.cheapest[i] != static_cast<int>(contest.poses[c])) continue;
            contest.peaks.push_back(i);
            for (std::size_t j = 0; j < costs.poses; ++j) {
                if (costs.can_join(i, j)) add(j);
            }
        }
    }
    std::sort(contest.peaks.begin(), contest.peaks.end());
    std::sort(contest.poses.begin(), contest.poses.end());
    return contest;
}

/// The column of each contesting peak in the assignment of least total cost: one for each contested
/// pose and then one for each peak to open its own.
std::vector<int> settle(const Contest& contest, const Costs& costs) {
    const std::size_t columns = contest.poses.size() + contest.peaks.size();
    std::vector<double> cost;
    cost.reserve(contest.peaks.size() * columns);
    for (const std::size_t peak : contest.peaks) {
        for (const std::size_t pose : contest.poses) {
            cost.push_back(static_cast<double>(costs(peak, pose)));
        }
        cost.resize(cost.size() + contest.peaks.size(), static_cast<double>(costs.open));
    }
    return minimum_cost_assignment(cost, contest.peaks.size(), columns);
}

}  // namespace

/// Peaks join their cheapest poses where these are not contested. This leaves a small assignment to
/// solve, however many people there are.
std::vector<int> match(const Grouping& poses, const std::vector<Peak>& peaks,
                       double tag_threshold) {
    const Costs costs = find_costs(poses, peaks, tag_threshold);
    std::vector<int> pose_of = costs.cheapest;
    const Contest contest = find_contest(costs);
    if (contest.peaks.empty()) return pose_of;
    const std::vector<int> columns = settle(contest, costs);
    for (std::size_t r = 0; r < columns.size(); ++r) {
        const std::size_t peak = contest.peaks[r];
        const auto column = static_cast<std::size_t>(columns[r]);
        const bool joins =
            column < contest.poses.size() && costs.can_join(peak, contest.poses[column]);
        pose_of[peak] = joins ? static_cast<int>(contest.poses[column]) : kNewPose;
    }
    return pose_of;
}

float running_mean(float mean, float n, float value) { return mean + (value - mean) / (n + 1.0F); }

}  // namespace posewire
