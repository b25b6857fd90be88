#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "posewire/tracker.hpp"

namespace posewire {

/// Around the keypoints that are known; inverted if none is.
struct Box {
    double left = std::numeric_limits<double>::infinity();
    double top = std::numeric_limits<double>::infinity();
    double right = -std::numeric_limits<double>::infinity();
    double bottom = -std::numeric_limits<double>::infinity();

    void add(double x, double y);
};

/// The keypoints of one pose of a frame, in the form that similarity is computed from.
struct Figure {
    std::vector<double> x;       // [K]
    std::vector<double> y;       // [K]
    std::vector<double> weight;  // [K]: 0 where absent
    double total_weight = 0.0;
    Box box;

    bool is_empty() const { return total_weight <= 0.0; }
    /// The square root of the area of the box, in pixels.
    double scale() const;
};

/// The pose without keypoints that are not finite; empty if it has none.
Figure figure_of(const PosesView& poses, std::size_t n);

/// A person followed so far. Positions in pixels, velocities in pixels per second.
struct Track {
    std::uint32_t id = 0;  // 0: not confirmed
    int hits = 0;
    double secs = 0.0;  // of the last pose
    double scale = 0.0;
    bool is_moving = false;  // whether velocities have been measured
    double body_vx = 0.0;
    double body_vy = 0.0;
    std::vector<double> x;       // [K]: the last known positions
    std::vector<double> y;       // [K]
    std::vector<double> vx;      // [K]: relative to the body
    std::vector<double> vy;      // [K]
    std::vector<char> is_known;  // [K]
    std::vector<float> colours;  // [R, 4] as sampled, smoothed over time; empty: never sampled
};

/// Where a track's keypoints are expected.
struct Prediction {
    std::vector<double> x;
    std::vector<double> y;
    Box box;
    double age_secs = 0.0;  // since the last pose
};

Track begin_track(double secs, const Figure& figure, const float* colours, std::size_t regions);

/// The body moves on ever more slowly, and what limbs do beside it ends soon.
Prediction predict(const Track& track, double secs);

/// Takes the pose that was found for the track.
///
/// @param is_apart whether no other pose covers it: only then are its colours its own.
void follow(Track& track, const Prediction& prediction, double secs, const Figure& figure,
            const float* colours, std::size_t regions, bool is_apart);

/// The similarity of a track and a pose, in [0, 1]: OKS whose tolerance grows with the age. Values
/// below every gate may be given as 0.
class TrackSimilarity {
public:
    explicit TrackSimilarity(const std::vector<double>& oks_sigmas);

    double of(const Prediction& prediction, const Track& track, const Figure& figure) const;
    /// Of a weaker pose with a better one of the same frame.
    double of(const Figure& better, const Figure& weaker) const;

private:
    bool is_within_reach(const Box& a, const Box& b, double area) const;

    std::vector<double> spreads_;  // [K]
    double squared_reach_ = 0.0;   // for an area of 1
};

/// 1 for equal colours, falling to 0; 1 also if too few regions can be compared.
double colour_similarity(const Track& track, const float* colours, std::size_t regions);

}  // namespace posewire
