#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "track.hpp"

namespace posewire {

/// What is common to the tracks of a saved state.
struct SavedHead {
    std::uint32_t next_id = 1;
    double secs = 0.0;  // of the last frame; -infinity: there was none
    std::size_t regions = 0;
    std::size_t keypoints = 0;
};

struct SavedTracks {
    SavedHead head;
    std::vector<Track> tracks;
};

/// Writes a state as bytes. `now` is the last frame's time in the tracks' clock.
std::string pack(const SavedHead& head, const std::vector<const Track*>& tracks, double now);

/// Reads what `pack` wrote; times of tracks are then in the clock of `head.secs`.
///
/// @throws std::invalid_argument if it wrote no such bytes for that number of keypoints.
SavedTracks unpack(const std::string& bytes, std::size_t keypoints);

}  // namespace posewire
