#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "posewire/poses.hpp"

namespace posewire {

/// How a tracker decides. Scores are pose scores; lengths of time are in seconds.
struct TrackerOptions {
    std::vector<double> oks_sigmas;  ///< of the K keypoints
    double high_score = 0.35;        ///< poses from here on are matched first
    double low_score = 0.12;         ///< poses below are ignored
    double new_score = 0.4;          ///< the least score that begins a track
    double sure_score = 0.55;        ///< a pose of this score confirms its track at once
    int confirm_hits = 2;            ///< so many poses confirm a track, whatever their scores
    double max_lost_secs = 2.0;      ///< how long a confirmed track waits for its person
    int max_tracks = 100;            ///< beyond it, the tracks not seen for longest are dropped
    double colour_weight = 0.8;      ///< share of the similarity that other colours take away
};

/// Poses of one frame, best first, with their pose scores and, if sampled, their colours.
struct TrackerPoses {
    PosesView poses;
    const float* scores = nullptr;   ///< [N]
    const float* colours = nullptr;  ///< [N, R, 4]: see sample_colours; nullptr: none
    std::size_t region_count = 0;    ///< R; the same for all frames that have colours
};

/// Follows people over the frames of one stream.
///
/// Poses are matched with tracks by OKS between predicted and found keypoints and by colours: high
/// scores first, then low scores with the tracks that were just seen (Zhang et al. 2022,
/// "ByteTrack"). Motion is measured between observations only, so that a track found again after an
/// occlusion forgets its prediction (Cao et al. 2023, "Observation-Centric SORT"). The same frames
/// give the same ids.
class Tracker {
public:
    /// @throws std::invalid_argument naming the option that does not fit.
    explicit Tracker(TrackerOptions options);
    ~Tracker();
    Tracker(Tracker&&) noexcept;
    Tracker& operator=(Tracker&&) noexcept;

    /// Takes the next frame.
    ///
    /// @param secs when it was captured, on any clock. A clock that steps back counts as standing
    ///     still.
    /// @return for each pose the id of its track, from 1, or 0 if it has no confirmed track.
    /// @throws std::invalid_argument naming what does not fit.
    std::vector<std::uint32_t> update(double secs, const TrackerPoses& frame);

    /// The state after the last frame, with at most `max_tracks` confirmed tracks, those seen last;
    /// about 250 bytes each for 17 keypoints and 8 regions. Positions are rounded to 1/8 pixel.
    std::string save(std::size_t max_tracks) const;

    /// Takes on what `save` returned, in a tracker with the same number of keypoints.
    ///
    /// @throws std::invalid_argument if it is nothing that `save` returns.
    void restore(const std::string& state);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace posewire
