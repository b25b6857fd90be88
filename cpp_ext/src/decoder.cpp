#include "posewire/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "adjust.hpp"
#include "grouping.hpp"
#include "heat.hpp"
#include "peaks.hpp"
#include "refine.hpp"
#include "tags.hpp"
#include "threshold.hpp"
#include "tiles.hpp"
#include "validation.hpp"
#include "window.hpp"

namespace posewire {
namespace {

/// One keypoint's maps and what the pass over them found.
struct Plane {
    Heat heat;
    Tags tags;
    std::vector<Tile> tiles;
    Peaks peaks;
};

Plane read_plane(const Heat& heat, const Tags& tags, const DecoderOptions& options, bool refine) {
    float floor = floor_to_float(options.detection_threshold);
    if (refine) floor = std::min(floor, floor_to_float(options.refine_threshold));
    std::vector<Tile> tiles = find_warm_tiles(heat, floor);
    Peaks peaks = find_peaks(heat, tags, tiles, options);
    return {heat, tags, std::move(tiles), std::move(peaks)};
}

std::vector<Plane> read_planes(const HeatmapView& heatmaps, const TagView& tags,
                               const DecoderOptions& options, bool refine) {
    std::vector<Plane> planes;
    planes.reserve(static_cast<std::size_t>(heatmaps.keypoints));
    for (int k = 0; k < heatmaps.keypoints; ++k) {
        const Heat heat(heatmaps.plane(k), heatmaps.height, heatmaps.width, options.nms);
        planes.push_back(read_plane(heat, Tags(tags.plane(k), tags.length), options, refine));
    }
    return planes;
}

Grouping group_peaks(const std::vector<Plane>& planes, const DecoderOptions& options) {
    std::vector<const std::vector<Peak>*> peaks;
    for (const Plane& plane : planes) peaks.push_back(&plane.peaks.list);
    return group(peaks, planes.front().tags.length(), options);
}

/// Fills the arrays of Poses step by step, for the poses of a grouping that are kept.
class PoseBuilder {
public:
    PoseBuilder(const Grouping& grouping, const std::vector<Plane>& planes,
                const DecoderOptions& options, const DecodeOptions& call)
        : grouping_(grouping),
          planes_(planes),
          options_(options),
          call_(call),
          keypoints_(planes.size()) {}

    Poses build() {
        score();
        select();
        reserve();
        for (std::size_t k = 0; k < keypoints_; ++k) {
            place_detected(k);
            if (call_.refine) place_inferred(k);
        }
        hide_weak();
        keep_rows(rows_to_show());
        return std::move(poses_);
    }

private:
    const Peak* member(std::size_t pose, std::size_t keypoint) const {
        return grouping_.members[pose * keypoints_ + keypoint];
    }

    /// Where refine searches for what a pose that is kept lacks.
    const SearchArea& area_of(std::size_t n) {
        if (!areas_[n]) {
            areas_[n] = search_area(&grouping_.members[kept_[n] * keypoints_], keypoints_);
        }
        return *areas_[n];
    }

    /// Heat can exceed 1 a little; a score cannot.
    float score_of(float heat) const { return options_.reference ? heat : std::min(heat, 1.0F); }

    /// Mean over all keypoints, missing ones counting 0: the ranking that published AP uses.
    void score() {
        for (std::size_t pose = 0; pose < static_cast<std::size_t>(grouping_.count); ++pose) {
            double sum = 0.0;
            for (std::size_t k = 0; k < keypoints_; ++k) {
                if (const Peak* peak = member(pose, k)) sum += score_of(peak->heat);
            }
            scores_.push_back(static_cast<float>(sum / static_cast<double>(keypoints_)));
        }
    }

    void select() {
        for (std::size_t pose = 0; pose < scores_.size(); ++pose) {
            if (!(scores_[pose] < call_.min_pose_score)) kept_.push_back(pose);
        }
        std::sort(kept_.begin(), kept_.end(), [this](std::size_t a, std::size_t b) {
            return std::make_pair(-scores_[a], a) < std::make_pair(-scores_[b], b);
        });
        // Where no keypoint can be hidden, every pose has something to show, and those beyond
        // max_poses need not be refined.
        if (call_.min_keypoint_score <= 0.0) kept_.resize(std::min(kept_.size(), max_poses()));
        // The reference lists poses as they were opened.
        if (options_.reference) std::sort(kept_.begin(), kept_.end());
    }

    void reserve() {
        poses_.count = static_cast<int>(kept_.size());
        areas_.resize(kept_.size());
        resize_rows(kept_.size());
        std::fill(poses_.origins.begin(), poses_.origins.end(), Origin::kAbsent);
        if (options_.reference) shift_absent();
        for (std::size_t n = 0; n < kept_.size(); ++n) {
            poses_.scores[n] = scores_[kept_[n]];
            std::copy_n(tag_of(kept_[n]), tag_length(), poses_.tags.data() + n * tag_length());
        }
    }

    /// The reference adds delta to the zeros of keypoints that it has not found, too.
    void shift_absent() {
        for (std::size_t i = 0; i < poses_.origins.size(); ++i) {
            poses_.keypoints[2 * i] = options_.delta_x;
            poses_.keypoints[2 * i + 1] = options_.delta_y;
        }
    }

    std::size_t tag_length() const { return planes_.front().tags.length(); }
    const float* tag_of(std::size_t pose) const {
        return grouping_.tags.data() + pose * tag_length();
    }

    void place_detected(std::size_t keypoint) {
        for (std::size_t n = 0; n < kept_.size(); ++n) {
            if (const Peak* peak = member(kept_[n], keypoint)) {
                place(n, keypoint, {peak->x, peak->y, peak->heat}, peak->offset, Origin::kDetected);
            }
        }
    }

    void place_inferred(std::size_t keypoint) {
        const Plane& plane = planes_[keypoint];
        std::optional<Refiner> refiner;  // made for the first pose that lacks this keypoint
        for (std::size_t n = 0; n < kept_.size(); ++n) {
            if (member(kept_[n], keypoint)) continue;
            const float* tag = tag_of(kept_[n]);
            std::optional<Cell> cell;
            if (options_.reference) {
                cell = reference_best_cell(plane.heat, plane.tags, tag);
            } else {
                if (!refiner) refiner.emplace(plane.heat, plane.tags, plane.tiles, options_);
                cell = refiner->best_cell(area_of(n), tag);
            }
            if (!cell) continue;
            const Offset offset = adjust(plane.heat, cell->x, cell->y, options_);
            place(n, keypoint, *cell, offset, Origin::kInferred);
        }
    }

    void place(std::size_t n, std::size_t keypoint, const Cell& cell, const Offset& offset,
               Origin origin) {
        // The reference leaves delta out where refine filled a keypoint.
        const bool shifted = !options_.reference || origin == Origin::kDetected;
        const std::size_t i = n * keypoints_ + keypoint;
        poses_.keypoints[2 * i] =
            static_cast<float>(cell.x) + offset.x + (shifted ? options_.delta_x : 0.0F);
        poses_.keypoints[2 * i + 1] =
            static_cast<float>(cell.y) + offset.y + (shifted ? options_.delta_y : 0.0F);
        poses_.keypoint_scores[i] = score_of(cell.heat);
        poses_.origins[i] = origin;
    }

    void hide_weak() {
        for (std::size_t i = 0; i < poses_.origins.size(); ++i) {
            if (poses_.keypoint_scores[i] < call_.min_keypoint_score) {
                poses_.keypoints[2 * i] = poses_.keypoints[2 * i + 1] = 0.0F;
                poses_.keypoint_scores[i] = 0.0F;
                poses_.origins[i] = Origin::kAbsent;
            }
        }
    }

    std::size_t max_poses() const {
        return call_.max_poses ? static_cast<std::size_t>(*call_.max_poses) : kept_.size();
    }

    /// The rows with a keypoint to show, the best-scoring max_poses of them, in their order.
    std::vector<std::size_t> rows_to_show() const {
        std::vector<std::size_t> rows;
        for (std::size_t n = 0; n < kept_.size(); ++n) {
            const auto origins =
                poses_.origins.begin() + static_cast<std::ptrdiff_t>(n) * row_length();
            const bool empty = std::all_of(origins, origins + row_length(),
                                           [](Origin origin) { return origin == Origin::kAbsent; });
            if (!empty) rows.push_back(n);
        }
        if (rows.size() <= max_poses()) return rows;
        std::sort(rows.begin(), rows.end(), [this](std::size_t a, std::size_t b) {
            return std::make_pair(-poses_.scores[a], a) < std::make_pair(-poses_.scores[b], b);
        });
        rows.resize(max_poses());
        std::sort(rows.begin(), rows.end());
        return rows;
    }

    void keep_rows(const std::vector<std::size_t>& rows) {
        for (std::size_t n = 0; n < rows.size(); ++n) {
            move_row(static_cast<std::ptrdiff_t>(rows[n]), static_cast<std::ptrdiff_t>(n));
        }
        poses_.count = static_cast<int>(rows.size());
        resize_rows(rows.size());
    }

    std::ptrdiff_t row_length() const { return static_cast<std::ptrdiff_t>(keypoints_); }

    void move_row(std::ptrdiff_t from, std::ptrdiff_t to) {
        if (from == to) return;
        const auto move = [&](auto& values, std::ptrdiff_t length) {
            std::copy_n(values.begin() + from * length, length, values.begin() + to * length);
        };
        move(poses_.keypoints, row_length() * 2);
        move(poses_.keypoint_scores, row_length());
        move(poses_.origins, row_length());
        move(poses_.scores, 1);
        move(poses_.tags, static_cast<std::ptrdiff_t>(tag_length()));
    }

    void resize_rows(std::size_t rows) {
        poses_.keypoints.resize(rows * keypoints_ * 2);
        poses_.keypoint_scores.resize(rows * keypoints_);
        poses_.origins.resize(rows * keypoints_);
        poses_.scores.resize(rows);
        poses_.tags.resize(rows * tag_length());
    }

    const Grouping& grouping_;
    const std::vector<Plane>& planes_;
    const DecoderOptions& options_;
    const DecodeOptions& call_;
    std::size_t keypoints_;
    std::vector<float> scores_;      // of every pose of the grouping
    std::vector<std::size_t> kept_;  // poses of the grouping, in the order of the answer
    std::vector<std::optional<SearchArea>> areas_;  // of the poses in kept_ that refine has met
    Poses poses_;
};

}  // namespace

Decoder::Decoder(DecoderOptions options) : options_(std::move(options)) { validate(options_); }

void Decoder::check(const HeatmapView& heatmaps) const {
    validate(heatmaps, options_.grouping_order.size());
}

Poses Decoder::decode(const HeatmapView& heatmaps, const TagView& tags,
                      const DecodeOptions& options) const {
    check(heatmaps);
    validate(tags, heatmaps);
    validate(options);
    // Reference mode refines without knowing the tiles.
    const std::vector<Plane> planes =
        read_planes(heatmaps, tags, options_, options.refine && !options_.reference);
    const Grouping grouping = group_peaks(planes, options_);
    return PoseBuilder(grouping, planes, options_, options).build();
}

}  // namespace posewire
