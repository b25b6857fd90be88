#include "posewire/smoother.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "track.hpp"
#include "validation.hpp"

namespace posewire {
namespace {

constexpr double kLeastStepSecs = 1e-3;
// People are forgotten after a time, which never comes while the clock stands still.
constexpr std::size_t kMaxAbsentPeople = 200;
constexpr double kTwoPi = 6.283185307179586;

/// The share of the new value in a first-order low-pass filter.
double gain(double step_secs, double cutoff_hz) {
    const double steps = kTwoPi * cutoff_hz * step_secs;
    return steps / (steps + 1.0);
}

}  // namespace

Smoother::Smoother(SmootherOptions options) : options_(options) { validate(options); }

std::vector<float> Smoother::update(double secs, const PosesView& poses, const std::uint32_t* ids) {
    validate(secs, poses, ids);
    if (has_frame_ && secs + clock_shift_ < last_secs_) clock_shift_ = last_secs_ - secs;
    const double now = secs + clock_shift_;
    last_secs_ = now;
    has_frame_ = true;
    ++frame_;
    const auto is_over = [&](const Person& person) {
        return now - person.secs > options_.max_gap_secs;
    };
    people_.erase(std::remove_if(people_.begin(), people_.end(), is_over), people_.end());

    std::vector<float> keypoints(poses.keypoints,
                                 poses.keypoints + 2 * poses.count * poses.keypoint_count);
    for (std::size_t n = 0; n < poses.count; ++n) {
        if (ids[n] == 0) continue;
        const Figure figure = figure_of(poses, n);
        if (figure.is_empty()) continue;
        Person& person = person_of(ids[n], poses.keypoint_count);
        person.secs = now;
        person.frame = frame_;
        for (std::size_t k = 0; k < poses.keypoint_count; ++k) {
            if (figure.weight[k] <= 0.0) continue;
            Point& point = person.points[k];
            point = filtered(point, figure.x[k], figure.y[k], now, figure.scale());
            keypoints[2 * poses.index(n, k)] = static_cast<float>(point.x);
            keypoints[2 * poses.index(n, k) + 1] = static_cast<float>(point.y);
        }
    }
    forget_absent_people();
    return keypoints;
}

void Smoother::forget_absent_people() {
    const auto is_absent = [&](const Person& person) { return person.frame != frame_; };
    const auto count = std::count_if(people_.begin(), people_.end(), is_absent);
    auto surplus = count - static_cast<std::ptrdiff_t>(kMaxAbsentPeople);
    if (surplus <= 0) return;
    std::vector<Person> kept;
    for (Person& person : people_) {  // those seen first come first
        if (is_absent(person) && surplus > 0) {
            --surplus;
        } else {
            kept.push_back(std::move(person));
        }
    }
    people_ = std::move(kept);
}

Smoother::Person& Smoother::person_of(std::uint32_t id, std::size_t keypoints) {
    const auto has_id = [&](const Person& person) { return person.id == id; };
    const auto found = std::find_if(people_.begin(), people_.end(), has_id);
    if (found != people_.end() && found->points.size() == keypoints) return *found;
    if (found != people_.end()) people_.erase(found);
    people_.push_back({id, 0.0, 0, std::vector<Point>(keypoints)});
    return people_.back();
}

Smoother::Point Smoother::filtered(const Point& before, double x, double y, double secs,
                                   double scale) const {
    Point after{x, y, 0.0, 0.0, secs, true};
    if (!before.is_known || secs - before.secs > options_.max_gap_secs) return after;
    const double step = std::max(secs - before.secs, kLeastStepSecs);
    const double speed_share = gain(step, options_.speed_cutoff_hz);
    after.vx = before.vx + speed_share * ((x - before.x) / (scale * step) - before.vx);
    after.vy = before.vy + speed_share * ((y - before.y) / (scale * step) - before.vy);
    const double speed = std::sqrt(after.vx * after.vx + after.vy * after.vy);
    const double share = gain(step, options_.min_cutoff_hz + options_.cutoff_per_speed * speed);
    after.x = before.x + share * (x - before.x);
    after.y = before.y + share * (y - before.y);
    // Keypoints beyond all measure would otherwise never come back.
    if (!std::isfinite(after.x) || !std::isfinite(after.y)) return {x, y, 0.0, 0.0, secs, true};
    return after;
}

}  // namespace posewire
