#include "track.hpp"

#include <algorithm>
#include <cmath>

namespace posewire {
namespace {

// All chosen on rendered validation clips; docs/tracking.md says what they are worth.
constexpr double kBodySecs = 1.0;        // until a lost body has slowed down
constexpr double kLimbSecs = 0.1;        // until a limb's own motion ends
constexpr double kVelocitySecs = 0.15;   // over which body velocity is averaged
constexpr double kShrinkSecs = 0.3;      // a person half hidden shrinks no faster
constexpr double kColourSecs = 1.0;      // over which colours are averaged
constexpr double kLeastStepSecs = 0.01;  // shorter ones would make noise a speed
constexpr double kLeastSigma = 0.06;     // eyes and nose move more than annotators err
constexpr double kTolerance = 2.5;       // times the spread of OKS
constexpr double kGrowthPerSec = 2.0;    // of the tolerance with the age of a track
constexpr double kColourSpread = 30.0;
constexpr double kMaxColourGap = 80.0;
constexpr int kFewestRegions = 2;
constexpr double kLeastWeight = 0.02;
constexpr double kInferredShare = 0.3;  // of the weight of a keypoint with a peak
constexpr double kLeastArea = 10.0;
constexpr double kLeastSimilarity = 0.15;  // that anything is decided by

/// The share of a step of `secs` in an average over `time_constant`.
double gain(double secs, double time_constant) { return 1.0 - std::exp(-secs / time_constant); }

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}

void update_motion(Track& track, double step, const Figure& figure) {
    std::vector<double> dx;
    std::vector<double> dy;
    for (std::size_t k = 0; k < track.x.size(); ++k) {
        if (figure.weight[k] <= 0.0 || !track.is_known[k]) continue;
        dx.push_back(figure.x[k] - track.x[k]);
        dy.push_back(figure.y[k] - track.y[k]);
    }
    if (dx.empty()) return;
    const double body_dx = median(dx);
    const double body_dy = median(dy);
    // The displacement since the last pose, however long ago that was: an occlusion leaves no trace
    // of what was predicted meanwhile.
    const double share = track.is_moving ? gain(step, kVelocitySecs) : 1.0;
    track.body_vx += share * (body_dx / step - track.body_vx);
    track.body_vy += share * (body_dy / step - track.body_vy);
    track.is_moving = true;
    for (std::size_t k = 0; k < track.x.size(); ++k) {
        const bool is_seen = figure.weight[k] > 0.0 && track.is_known[k];
        const double vx = is_seen ? (figure.x[k] - track.x[k] - body_dx) / step : 0.0;
        const double vy = is_seen ? (figure.y[k] - track.y[k] - body_dy) / step : 0.0;
        track.vx[k] = (track.vx[k] + vx) / 2.0;
        track.vy[k] = (track.vy[k] + vy) / 2.0;
    }
}

bool has_colour(const float* colour) {
    return colour[3] > 0.0F && std::isfinite(colour[0] + colour[1] + colour[2]);
}

void update_colours(Track& track, double step, const float* colours, std::size_t regions) {
    if (track.colours.empty()) track.colours.assign(4 * regions, 0.0F);
    const auto share = static_cast<float>(gain(step, kColourSecs));
    for (std::size_t r = 0; r < regions; ++r) {
        const float* found = colours + 4 * r;
        float* kept = track.colours.data() + 4 * r;
        if (!has_colour(found)) continue;
        const float part = has_colour(kept) ? share : 1.0F;
        for (int channel = 0; channel < 3; ++channel) {
            kept[channel] += part * (found[channel] - kept[channel]);
        }
        kept[3] = std::max(kept[3], found[3]);
    }
}

double squared(double value) { return value * value; }

}  // namespace

void Box::add(double x, double y) {
    left = std::min(left, x);
    right = std::max(right, x);
    top = std::min(top, y);
    bottom = std::max(bottom, y);
}

double Figure::scale() const {
    return std::sqrt(std::max(kLeastArea, (box.right - box.left) * (box.bottom - box.top)));
}

Figure figure_of(const PosesView& poses, std::size_t n) {
    Figure figure;
    const std::size_t count = poses.keypoint_count;
    figure.x.resize(count);
    figure.y.resize(count);
    figure.weight.resize(count);
    for (std::size_t k = 0; k < count; ++k) {
        const double x = poses.x(n, k);
        const double y = poses.y(n, k);
        if (!poses.has_keypoint(n, k) || !std::isfinite(x) || !std::isfinite(y)) continue;
        const double score = poses.score(n, k);
        figure.x[k] = x;
        figure.y[k] = y;
        figure.weight[k] = (score > kLeastWeight ? std::min(score, 1.0) : kLeastWeight) *
                           (poses.has_peak(n, k) ? 1.0 : kInferredShare);
        figure.total_weight += figure.weight[k];
        figure.box.add(x, y);
    }
    return figure;
}

Track begin_track(double secs, const Figure& figure, const float* colours, std::size_t regions) {
    Track track;
    const std::size_t count = figure.x.size();
    track.hits = 1;
    track.secs = secs;
    track.scale = figure.scale();
    track.x = figure.x;
    track.y = figure.y;
    track.vx.assign(count, 0.0);
    track.vy.assign(count, 0.0);
    for (const double weight : figure.weight) track.is_known.push_back(weight > 0.0 ? 1 : 0);
    if (colours != nullptr) track.colours.assign(colours, colours + 4 * regions);
    return track;
}

Prediction predict(const Track& track, double secs) {
    Prediction prediction;
    prediction.age_secs = secs - track.secs;
    const double body_secs = kBodySecs * gain(prediction.age_secs, kBodySecs);
    const double limb_secs = kLimbSecs * gain(prediction.age_secs, kLimbSecs);
    prediction.x.resize(track.x.size());
    prediction.y.resize(track.x.size());
    for (std::size_t k = 0; k < track.x.size(); ++k) {
        prediction.x[k] = track.x[k] + track.body_vx * body_secs + track.vx[k] * limb_secs;
        prediction.y[k] = track.y[k] + track.body_vy * body_secs + track.vy[k] * limb_secs;
        if (track.is_known[k]) prediction.box.add(prediction.x[k], prediction.y[k]);
    }
    return prediction;
}

void follow(Track& track, const Prediction& prediction, double secs, const Figure& figure,
            const float* colours, std::size_t regions, bool is_apart) {
    const double step = std::max(secs - track.secs, kLeastStepSecs);
    update_motion(track, step, figure);
    for (std::size_t k = 0; k < track.x.size(); ++k) {
        const bool is_seen = figure.weight[k] > 0.0;
        track.x[k] = is_seen ? figure.x[k] : prediction.x[k];
        track.y[k] = is_seen ? figure.y[k] : prediction.y[k];
        if (is_seen) track.is_known[k] = 1;
    }
    const double growth = figure.scale() - track.scale;
    track.scale += growth * (growth < 0.0 ? gain(step, kShrinkSecs) : 0.5);
    track.secs = secs;
    ++track.hits;
    if (colours != nullptr && (is_apart || track.colours.empty())) {
        update_colours(track, step, colours, regions);
    }
}

TrackSimilarity::TrackSimilarity(const std::vector<double>& oks_sigmas) {
    for (const double sigma : oks_sigmas) {
        spreads_.push_back(2.0 * squared(2.0 * std::max(sigma, kLeastSigma) * kTolerance));
    }
    const double widest = *std::max_element(spreads_.begin(), spreads_.end());
    squared_reach_ = widest * std::log(1.0 / kLeastSimilarity);
}

/// A mean above the least similarity takes at least one pair of keypoints within reach.
bool TrackSimilarity::is_within_reach(const Box& a, const Box& b, double area) const {
    const double x = std::max({0.0, a.left - b.right, b.left - a.right});
    const double y = std::max({0.0, a.top - b.bottom, b.top - a.bottom});
    return x * x + y * y <= squared_reach_ * area;
}

double TrackSimilarity::of(const Prediction& prediction, const Track& track,
                           const Figure& figure) const {
    if (figure.is_empty()) return 0.0;
    const double scale = std::max(track.scale, (track.scale + figure.scale()) / 2.0);
    const double area = squared(scale * (1.0 + kGrowthPerSec * prediction.age_secs));
    if (!is_within_reach(prediction.box, figure.box, area)) return 0.0;
    double sum = 0.0;
    for (std::size_t k = 0; k < spreads_.size(); ++k) {
        if (figure.weight[k] <= 0.0 || !track.is_known[k]) continue;
        const double gap =
            squared(figure.x[k] - prediction.x[k]) + squared(figure.y[k] - prediction.y[k]);
        sum += figure.weight[k] * std::exp(-gap / (spreads_[k] * area));
    }
    return sum / figure.total_weight;
}

double TrackSimilarity::of(const Figure& better, const Figure& weaker) const {
    if (better.is_empty() || weaker.is_empty()) return 0.0;
    const double area = squared(std::max(better.scale(), (better.scale() + weaker.scale()) / 2.0));
    if (!is_within_reach(better.box, weaker.box, area)) return 0.0;
    double sum = 0.0;
    for (std::size_t k = 0; k < spreads_.size(); ++k) {
        if (weaker.weight[k] <= 0.0 || better.weight[k] <= 0.0) continue;
        const double gap = squared(weaker.x[k] - better.x[k]) + squared(weaker.y[k] - better.y[k]);
        sum += weaker.weight[k] * std::exp(-gap / (spreads_[k] * area));
    }
    return sum / weaker.total_weight;
}

double colour_similarity(const Track& track, const float* colours, std::size_t regions) {
    if (colours == nullptr || track.colours.empty()) return 1.0;
    double sum = 0.0;
    int count = 0;
    for (std::size_t r = 0; r < regions; ++r) {
        const float* kept = track.colours.data() + 4 * r;
        const float* found = colours + 4 * r;
        if (!has_colour(kept) || !has_colour(found)) continue;
        double gap = 0.0;
        for (int channel = 0; channel < 3; ++channel) {
            gap += squared(static_cast<double>(kept[channel]) - found[channel]);
        }
        sum += std::min(std::sqrt(gap), kMaxColourGap);
        ++count;
    }
    if (count < kFewestRegions) return 1.0;
    return std::exp(-squared(sum / count) / (2.0 * squared(kColourSpread)));
}

}  // namespace posewire
