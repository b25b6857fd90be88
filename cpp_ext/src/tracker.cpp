#include "posewire/tracker.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "assignment.hpp"
#include "track.hpp"
#include "track_bytes.hpp"
#include "validation.hpp"

namespace posewire {
namespace {

// All chosen on rendered validation clips.
constexpr double kSeenSecs = 0.3;       // a track not seen for longer is lost
constexpr double kGate = 0.25;          // the least similarity with a track that is seen
constexpr double kLostGate = 0.15;      // with a lost one, whose tolerance has grown
constexpr double kLowScoreGate = 0.3;   // of poses with low scores
constexpr double kLowScoreSecs = 0.5;   // those follow no track that is lost for longer
constexpr double kTentativeSecs = 0.3;  // how long an unconfirmed track waits
constexpr double kDuplicate = 0.3;      // a pose this similar to a better one begins no track
constexpr double kCovered = 0.1;        // share of a pose's area that another pose may cover

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// One frame being matched.
struct Frame {
    std::vector<Figure> figures;        // [N]
    std::vector<std::size_t> track_of;  // [N]
    const float* scores = nullptr;
    const float* colours = nullptr;
    std::size_t regions = 0;

    const float* colours_of(std::size_t n) const {
        return colours == nullptr ? nullptr : colours + n * 4 * regions;
    }
};

/// Whether no other pose of at least that score covers much of this one.
bool is_apart(const Frame& frame, std::size_t n, double least_score) {
    const Figure& own = frame.figures[n];
    const double scale = own.scale();
    for (std::size_t other = 0; other < frame.figures.size(); ++other) {
        if (other == n || !(frame.scores[other] >= least_score)) continue;
        const Figure& figure = frame.figures[other];
        const double width =
            std::min(own.box.right, figure.box.right) - std::max(own.box.left, figure.box.left);
        const double height =
            std::min(own.box.bottom, figure.box.bottom) - std::max(own.box.top, figure.box.top);
        if (width > 0.0 && height > 0.0 && width * height > kCovered * scale * scale) return false;
    }
    return true;
}

/// Pairs (row, column) of least total cost.
std::vector<std::pair<std::size_t, std::size_t>> assign(const std::vector<double>& cost,
                                                        std::size_t rows, std::size_t columns) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    if (rows <= columns) {
        const std::vector<int> assigned = minimum_cost_assignment(cost, rows, columns);
        for (std::size_t row = 0; row < rows; ++row) pairs.emplace_back(row, assigned[row]);
        return pairs;
    }
    std::vector<double> transposed;
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t row = 0; row < rows; ++row) {
            transposed.push_back(cost[row * columns + column]);
        }
    }
    const std::vector<int> assigned = minimum_cost_assignment(transposed, columns, rows);
    for (std::size_t column = 0; column < columns; ++column) {
        pairs.emplace_back(assigned[column], column);
    }
    return pairs;
}

/// The indices of these tracks, those seen last first; of equals, the first one first.
std::vector<std::size_t> order_by_last_seen(const std::vector<Track>& tracks) {
    std::vector<std::size_t> order(tracks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::make_pair(-tracks[a].secs, a) < std::make_pair(-tracks[b].secs, b);
    });
    return order;
}

}  // namespace

struct Tracker::State {
    TrackerOptions options;
    TrackSimilarity similarity;
    std::vector<Track> tracks;
    std::uint32_t next_id = 1;
    std::size_t regions = 0;
    double clock_shift = 0.0;  // makes up for a clock that stepped back
    double last_secs = -std::numeric_limits<double>::infinity();

    explicit State(TrackerOptions given)
        : options(std::move(given)), similarity(options.oks_sigmas) {}

    double advance(double secs);
    Frame read(const TrackerPoses& poses);
    void drop_old_tracks(double secs);
    void match(Frame& frame, double secs, const std::vector<Prediction>& predictions);
    template <class TakesTrack, class TakesPose>
    void match_stage(Frame& frame, const std::vector<Prediction>& predictions,
                     std::vector<bool>& is_taken, TakesTrack takes_track, TakesPose takes_pose,
                     bool is_low);
    void follow_matched(const Frame& frame, double secs,
                        const std::vector<Prediction>& predictions);
    void begin_tracks(Frame& frame, double secs);
    void confirm(Track& track, double score);
    void bound_tracks();
};

double Tracker::State::advance(double secs) {
    if (std::isfinite(last_secs) && secs + clock_shift < last_secs) clock_shift = last_secs - secs;
    last_secs = secs + clock_shift;
    return last_secs;
}

Frame Tracker::State::read(const TrackerPoses& poses) {
    if (poses.colours != nullptr && regions == 0) regions = poses.region_count;
    Frame frame;
    for (std::size_t n = 0; n < poses.poses.count; ++n) {
        frame.figures.push_back(figure_of(poses.poses, n));
    }
    frame.track_of.assign(poses.poses.count, kNone);
    frame.scores = poses.scores;
    frame.colours = poses.colours;
    frame.regions = poses.region_count;
    return frame;
}

void Tracker::State::drop_old_tracks(double secs) {
    const auto is_over = [&](const Track& track) {
        return secs - track.secs > (track.id > 0 ? options.max_lost_secs : kTentativeSecs);
    };
    tracks.erase(std::remove_if(tracks.begin(), tracks.end(), is_over), tracks.end());
}

void Tracker::State::match(Frame& frame, double secs, const std::vector<Prediction>& predictions) {
    std::vector<bool> is_taken(tracks.size(), false);
    const auto is_high = [&](std::size_t n) { return frame.scores[n] >= options.high_score; };
    const auto is_low = [&](std::size_t n) {
        return frame.scores[n] >= options.low_score && !is_high(n);
    };
    const auto is_confirmed = [](const Track& track) { return track.id > 0; };
    const auto was_just_seen = [&](const Track& track) {
        return track.id > 0 && secs - track.secs < kLowScoreSecs;
    };
    const auto is_tentative = [](const Track& track) { return track.id == 0; };
    match_stage(frame, predictions, is_taken, is_confirmed, is_high, false);
    match_stage(frame, predictions, is_taken, was_just_seen, is_low, true);
    match_stage(frame, predictions, is_taken, is_tentative, is_high, false);
}

template <class TakesTrack, class TakesPose>
void Tracker::State::match_stage(Frame& frame, const std::vector<Prediction>& predictions,
                                 std::vector<bool>& is_taken, TakesTrack takes_track,
                                 TakesPose takes_pose, bool is_low) {
    std::vector<std::size_t> rows;
    std::vector<std::size_t> columns;
    for (std::size_t t = 0; t < tracks.size(); ++t) {
        if (!is_taken[t] && takes_track(tracks[t])) rows.push_back(t);
    }
    for (std::size_t n = 0; n < frame.figures.size(); ++n) {
        if (frame.track_of[n] == kNone && takes_pose(n)) columns.push_back(n);
    }
    if (rows.empty() || columns.empty()) return;
    // 0 where a pair does not match, so that a track may also go without a pose at no cost.
    std::vector<double> cost(rows.size() * columns.size(), 0.0);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const Track& track = tracks[rows[row]];
        const Prediction& prediction = predictions[rows[row]];
        const double gate = is_low                            ? kLowScoreGate
                            : prediction.age_secs < kSeenSecs ? kGate
                                                              : kLostGate;
        for (std::size_t column = 0; column < columns.size(); ++column) {
            const std::size_t n = columns[column];
            const double motion = similarity.of(prediction, track, frame.figures[n]);
            if (!(motion >= gate)) continue;
            const double colour = colour_similarity(track, frame.colours_of(n), frame.regions);
            const double both =
                motion * (1.0 - options.colour_weight + options.colour_weight * colour);
            if (both >= gate) cost[row * columns.size() + column] = -both;
        }
    }
    for (const auto& [row, column] : assign(cost, rows.size(), columns.size())) {
        if (!(cost[row * columns.size() + column] < 0.0)) continue;
        frame.track_of[columns[column]] = rows[row];
        is_taken[rows[row]] = true;
    }
}

void Tracker::State::follow_matched(const Frame& frame, double secs,
                                    const std::vector<Prediction>& predictions) {
    for (std::size_t n = 0; n < frame.figures.size(); ++n) {
        const std::size_t t = frame.track_of[n];
        if (t == kNone) continue;
        const bool apart = is_apart(frame, n, options.low_score);
        follow(tracks[t], predictions[t], secs, frame.figures[n], frame.colours_of(n),
               frame.regions, apart);
        confirm(tracks[t], frame.scores[n]);
    }
}

void Tracker::State::begin_tracks(Frame& frame, double secs) {
    for (std::size_t n = 0; n < frame.figures.size(); ++n) {
        const Figure& figure = frame.figures[n];
        if (frame.track_of[n] != kNone || figure.is_empty()) continue;
        if (!(frame.scores[n] >= options.new_score)) continue;
        bool is_duplicate = false;
        for (std::size_t other = 0; other < frame.figures.size() && !is_duplicate; ++other) {
            is_duplicate = other != n && frame.track_of[other] != kNone &&
                           similarity.of(frame.figures[other], figure) > kDuplicate;
        }
        if (is_duplicate) continue;
        frame.track_of[n] = tracks.size();
        tracks.push_back(begin_track(secs, figure, frame.colours_of(n), frame.regions));
        confirm(tracks.back(), frame.scores[n]);
    }
}

void Tracker::State::confirm(Track& track, double score) {
    if (track.id > 0 || next_id == std::numeric_limits<std::uint32_t>::max()) return;
    if (track.hits >= options.confirm_hits || score >= options.sure_score) track.id = next_id++;
}

/// Drops those not seen for longest; of equals, the younger.
void Tracker::State::bound_tracks() {
    const auto most = static_cast<std::size_t>(options.max_tracks);
    if (tracks.size() <= most) return;
    std::vector<std::size_t> order = order_by_last_seen(tracks);
    order.resize(most);
    std::vector<Track> kept;
    for (const std::size_t i : order) kept.push_back(std::move(tracks[i]));
    tracks = std::move(kept);
}

Tracker::Tracker(TrackerOptions options) {
    validate(options);
    state_ = std::make_unique<State>(std::move(options));
}

Tracker::~Tracker() = default;
Tracker::Tracker(Tracker&&) noexcept = default;
Tracker& Tracker::operator=(Tracker&&) noexcept = default;

std::vector<std::uint32_t> Tracker::update(double secs, const TrackerPoses& poses) {
    validate(secs, poses, state_->options, state_->regions);
    State& state = *state_;
    const double now = state.advance(secs);
    Frame frame = state.read(poses);
    state.drop_old_tracks(now);
    std::vector<Prediction> predictions;
    for (const Track& track : state.tracks) predictions.push_back(predict(track, now));
    state.match(frame, now, predictions);
    state.follow_matched(frame, now, predictions);
    state.begin_tracks(frame, now);
    std::vector<std::uint32_t> ids;
    for (const std::size_t t : frame.track_of) ids.push_back(t == kNone ? 0 : state.tracks[t].id);
    state.bound_tracks();
    return ids;
}

std::string Tracker::save(std::size_t max_tracks) const {
    std::vector<const Track*> confirmed;
    for (const std::size_t i : order_by_last_seen(state_->tracks)) {
        const Track& track = state_->tracks[i];
        if (track.id > 0 && confirmed.size() < max_tracks) confirmed.push_back(&track);
    }
    return pack({state_->next_id, state_->last_secs - state_->clock_shift, state_->regions,
                 state_->options.oks_sigmas.size()},
                confirmed, state_->last_secs);
}

void Tracker::restore(const std::string& bytes) {
    SavedTracks saved = unpack(bytes, state_->options.oks_sigmas.size());
    State& state = *state_;
    state.next_id = saved.head.next_id;
    state.regions = saved.head.regions;
    state.last_secs = saved.head.secs;
    state.clock_shift = 0.0;
    state.tracks = std::move(saved.tracks);
    state.bound_tracks();
}

}  // namespace posewire
