#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "posewire/poses.hpp"

namespace posewire {

/// The One-Euro filter's parameters. Lengths are in scales of the person, the square root of the
/// area of the box around the keypoints, so that the same values fit near and far people.
struct SmootherOptions {
    double min_cutoff_hz = 1.0;     ///< cutoff at rest: lower values shake less
    double cutoff_per_speed = 8.0;  ///< Hz per scale a second: higher values lag less
    double speed_cutoff_hz = 2.0;   ///< cutoff of the speed itself
    double max_gap_secs = 0.2;      ///< a keypoint not seen for longer begins anew
};

/// Smooths the keypoints of tracked poses over time by the One-Euro filter (Casiez et al. 2012).
class Smoother {
public:
    /// @throws std::invalid_argument naming the option that does not fit.
    explicit Smoother(SmootherOptions options);

    /// Returns the smoothed keypoints [N, K, 2] of the next frame. Absent keypoints and poses
    /// without an id stay as they are.
    ///
    /// @param secs when the frame was captured. A clock that steps back counts as standing still.
    /// @param ids [N]: the ids of their tracks; 0: none.
    /// @throws std::invalid_argument naming what does not fit.
    std::vector<float> update(double secs, const PosesView& poses, const std::uint32_t* ids);

private:
    struct Point {
        double x = 0.0;
        double y = 0.0;
        double vx = 0.0;  // scales per second
        double vy = 0.0;
        double secs = 0.0;
        bool is_known = false;
    };
    struct Person {
        std::uint32_t id = 0;
        double secs = 0.0;
        std::uint64_t frame = 0;    // in which they were last seen
        std::vector<Point> points;  // [K]
    };

    Person& person_of(std::uint32_t id, std::size_t keypoints);
    void forget_absent_people();
    Point filtered(const Point& before, double x, double y, double secs, double scale) const;

    SmootherOptions options_;
    std::vector<Person> people_;
    double clock_shift_ = 0.0;
    double last_secs_ = 0.0;
    bool has_frame_ = false;
    std::uint64_t frame_ = 0;
};

}  // namespace posewire
