// Decodes whatever maps and options the input bytes spell, and checks what must hold of any answer.

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "posewire/decoder.hpp"
#include "posewire/reference_decoder.hpp"

namespace {

using posewire::DecodeOptions;
using posewire::Decoder;
using posewire::DecoderOptions;
using posewire::ModelOptions;
using posewire::Origin;
using posewire::Poses;
using posewire::ReferenceDecoder;
using posewire::ReferenceOptions;

// Beyond it, x + delta no longer tells cells apart or is not finite at all.
constexpr float kModerateDelta = 1e4F;

void require(bool holds, const char* invariant) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", invariant);
    std::abort();
}

double draw_threshold(FuzzedDataProvider& input) {
    switch (input.ConsumeIntegralInRange(0, 3)) {
        case 0:
            return input.ConsumeIntegralInRange(0, 32) / 16.0;
        case 1:
            return input.PickValueInArray({-1.0, 1e-300, 1e-46, 1e20, 3e38, 1e39, 1e300,
                                           std::numeric_limits<double>::infinity(),
                                           std::numeric_limits<double>::quiet_NaN()});
        default:
            return input.ConsumeProbability<double>();
    }
}

float draw_delta(FuzzedDataProvider& input) {
    return input.ConsumeIntegralInRange(0, 7) == 0
               ? input.PickValueInArray({3e38F, std::numeric_limits<float>::infinity(),
                                         std::numeric_limits<float>::quiet_NaN()})
               : input.ConsumeFloatingPointInRange(-kModerateDelta, kModerateDelta);
}

std::vector<int> draw_permutation(FuzzedDataProvider& input, int size) {
    std::vector<int> order;
    for (int i = 0; i < size; ++i) {
        order.insert(order.begin() + input.ConsumeIntegralInRange(0, i), i);
    }
    return order;
}

void draw_model_options(FuzzedDataProvider& input, ModelOptions& options) {
    options.grouping_order = draw_permutation(input, input.ConsumeIntegralInRange(1, 6));
    options.nms = input.ConsumeBool() ? posewire::Nms::kGraph : posewire::Nms::kDecoder;
    if (input.ConsumeBool()) {
        options.detection_threshold = draw_threshold(input);
        options.tag_threshold = draw_threshold(input);
        options.delta_x = draw_delta(input);
        options.delta_y = draw_delta(input);
    }
}

DecoderOptions draw_options(FuzzedDataProvider& input) {
    DecoderOptions options;
    draw_model_options(input, options);
    options.adjust = input.ConsumeBool() ? posewire::Adjust::kParabola : posewire::Adjust::kQuarter;
    options.max_peaks = input.ConsumeIntegralInRange(1, 16);
    if (input.ConsumeBool()) options.refine_threshold = draw_threshold(input);
    return options;
}

ReferenceOptions draw_reference_options(FuzzedDataProvider& input) {
    ReferenceOptions options;
    draw_model_options(input, options);
    options.max_peaks = input.ConsumeIntegralInRange(1, 16);
    return options;
}

DecodeOptions draw_call(FuzzedDataProvider& input) {
    DecodeOptions call;
    call.refine = input.ConsumeIntegralInRange(0, 3) != 0;
    if (input.ConsumeBool()) {
        call.max_poses = input.ConsumeIntegralInRange(1, 8);
        call.min_pose_score = input.ConsumeProbability<double>();
        call.min_keypoint_score = input.ConsumeProbability<double>();
    }
    return call;
}

float from_bits(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// An ordinary heat or tag, one of those that trouble arithmetic, or any bits at all.
float draw_value(FuzzedDataProvider& input, float step) {
    using Limits = std::numeric_limits<float>;
    const int kind = input.ConsumeIntegralInRange(0, 15);
    if (kind < 10) return step * static_cast<float>(input.ConsumeIntegralInRange(-16, 16));
    if (kind < 12) return from_bits(input.ConsumeIntegral<std::uint32_t>());
    return input.PickValueInArray({Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(),
                                   Limits::max(), Limits::lowest(), Limits::denorm_min(),
                                   -Limits::denorm_min(), -0.0F, 1e30F, 1e38F, -1e38F, 1.0F});
}

/// Cells that share a few values, so that equal ones, plateaus and distant twins are common. Which
/// value a cell has comes from the input, or from a seed where the input is too short for all.
std::vector<float> draw_cells(FuzzedDataProvider& input, std::size_t count, float step) {
    std::vector<float> palette(static_cast<std::size_t>(input.ConsumeIntegralInRange(1, 12)));
    for (float& value : palette) value = draw_value(input, step);
    std::minstd_rand generator(input.ConsumeIntegral<std::uint32_t>());
    const bool seeded = input.ConsumeBool();
    const auto sparse = input.ConsumeIntegralInRange<std::uint32_t>(1, 40);
    std::vector<float> cells(count);
    for (float& cell : cells) {
        const auto drawn = seeded ? static_cast<std::uint32_t>(generator() >> 8U)
                                  : std::uint32_t{input.ConsumeIntegral<std::uint8_t>()};
        // Most cells of a sparse map hold the first value.
        if (drawn % sparse == 0) {
            cell = palette[drawn / sparse % palette.size()];
        } else {
            cell = palette.front();
        }
    }
    return cells;
}

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

bool same_bytes(const Poses& a, const Poses& b) {
    return a.count == b.count && same_bytes(a.keypoints, b.keypoints) &&
           same_bytes(a.keypoint_scores, b.keypoint_scores) && a.origins == b.origins &&
           same_bytes(a.scores, b.scores) && same_bytes(a.tags, b.tags);
}

bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

/// What a decoder promises of every answer.
struct Promises {
    double refine_threshold;  // inferred keypoints exceed it
    int max_peaks;
    bool limits_scores;  // to 1
    bool sorts;          // best first
    bool keeps_tags_finite;
    bool shifts_inferred;        // by delta
    bool leaves_absent_at_zero;  // x and y
};

Promises promises(const DecoderOptions& options) {
    return {options.refine_threshold, options.max_peaks, true, true, true, true, true};
}

Promises promises(const ReferenceOptions& options) {
    return {0.0, options.max_peaks, false, false, false, false, false};
}

/// The answer for one input and what it must be like.
class Answer {
public:
    Answer(const Poses& poses, const ModelOptions& options, const Promises& promised,
           const DecodeOptions& call, int height, int width, int tag_length)
        : poses_(poses),
          options_(options),
          promised_(promised),
          call_(call),
          height_(height),
          width_(width),
          tag_length_(static_cast<std::size_t>(tag_length)),
          keypoints_(options.grouping_order.size()) {}

    void check() const {
        check_sizes();
        check_scores();
        check_order();
        for (std::size_t i = 0; i < poses_.origins.size(); ++i) check_keypoint(i);
        check_detected_counts();
        check_every_pose_shows();
        if (promised_.keeps_tags_finite) require(all_finite(poses_.tags), "tags are finite");
    }

private:
    void check_sizes() const {
        require(poses_.count >= 0, "count is not negative");
        const auto count = static_cast<std::size_t>(poses_.count);
        require(poses_.keypoints.size() == count * keypoints_ * 2, "keypoints are [N, K, 2]");
        require(poses_.keypoint_scores.size() == count * keypoints_, "keypoint_scores are [N, K]");
        require(poses_.origins.size() == count * keypoints_, "origins are [N, K]");
        require(poses_.scores.size() == count, "scores are [N]");
        require(poses_.tags.size() == count * tag_length_, "tags are [N, L]");
    }

    void check_scores() const {
        for (const auto* scores : {&poses_.scores, &poses_.keypoint_scores}) {
            for (const float score : *scores) {
                require(std::isfinite(score) && score >= 0.0F, "scores are finite, not negative");
                require(!promised_.limits_scores || score <= 1.0F, "scores are at most 1");
            }
        }
        for (const float score : poses_.scores) {
            require(static_cast<double>(score) >= call_.min_pose_score,
                    "pose scores reach min_pose_score");
        }
    }

    void check_order() const {
        require(!call_.max_poses || poses_.count <= *call_.max_poses, "count is within max_poses");
        const bool falling = std::is_sorted(poses_.scores.rbegin(), poses_.scores.rend());
        require(!promised_.sorts || falling, "poses are listed by falling score");
    }

    void check_keypoint(std::size_t i) const {
        const float x = poses_.keypoints[2 * i];
        const float y = poses_.keypoints[2 * i + 1];
        const float score = poses_.keypoint_scores[i];
        switch (poses_.origins[i]) {
            case Origin::kAbsent:
                require(score == 0.0F, "absent keypoints score 0");
                require(!promised_.leaves_absent_at_zero || (x == 0.0F && y == 0.0F),
                        "absent keypoints are at (0, 0)");
                return;
            case Origin::kInferred:
                require(call_.refine, "nothing is inferred without refine");
                require(above(promised_.refine_threshold, score),
                        "inferred keypoints exceed refine_threshold");
                break;
            case Origin::kDetected:
                require(above(options_.detection_threshold, score),
                        "detected keypoints exceed detection_threshold");
                break;
            default:
                require(false, "origins are valid");
        }
        require(static_cast<double>(score) >= call_.min_keypoint_score,
                "keypoint scores reach min_keypoint_score");
        const bool shifted = promised_.shifts_inferred || poses_.origins[i] == Origin::kDetected;
        check_place(x, shifted ? options_.delta_x : 0.0F, width_);
        check_place(y, shifted ? options_.delta_y : 0.0F, height_);
    }

    /// Reported scores are cut off at 1.
    static bool above(double threshold, float score) {
        return static_cast<double>(score) > threshold || (score == 1.0F && threshold >= 1.0);
    }

    static void check_place(float place, float delta, int side) {
        if (!(std::fabs(delta) <= kModerateDelta)) return;
        require(std::isfinite(place), "keypoints are finite");
        const float last = static_cast<float>(side) - 1.0F;
        constexpr float kRounding = 0.01F;  // of adding a moderate delta and taking it away
        require(place - delta >= -0.5F - kRounding && place - delta <= last + 0.5F + kRounding,
                "keypoints are inside the map");
    }

    void check_detected_counts() const {
        for (std::size_t k = 0; k < keypoints_; ++k) {
            int detected = 0;
            for (std::size_t i = k; i < poses_.origins.size(); i += keypoints_) {
                detected += poses_.origins[i] == Origin::kDetected ? 1 : 0;
            }
            require(detected <= promised_.max_peaks, "no more peaks than max_peaks");
        }
    }

    void check_every_pose_shows() const {
        const auto per_pose = static_cast<std::ptrdiff_t>(keypoints_);
        for (int n = 0; n < poses_.count; ++n) {
            const auto origins = poses_.origins.begin() + n * per_pose;
            require(std::any_of(origins, origins + per_pose,
                                [](Origin origin) { return origin != Origin::kAbsent; }),
                    "every pose has a keypoint");
        }
    }

    const Poses& poses_;
    const ModelOptions& options_;
    Promises promised_;
    const DecodeOptions& call_;
    int height_;
    int width_;
    std::size_t tag_length_;
    std::size_t keypoints_;
};

/// @throws std::invalid_argument for a threshold or delta out of range
template <class AnyDecoder>
void decode(FuzzedDataProvider& input, const typename AnyDecoder::Options& options) {
    const DecodeOptions call = draw_call(input);
    const int keypoints = static_cast<int>(options.grouping_order.size());
    const int height = input.ConsumeIntegralInRange(1, 40);
    const int width = input.ConsumeIntegralInRange(1, 40);
    const int tag_length = input.ConsumeIntegralInRange(1, 2);
    const auto count = static_cast<std::size_t>(keypoints * height * width);
    const std::vector<float> heat = draw_cells(input, count, 1.0F / 16.0F);
    const std::vector<float> tags =
        draw_cells(input, count * static_cast<std::size_t>(tag_length), 0.25F);
    const std::vector<float> heat_before = heat;
    const std::vector<float> tags_before = tags;

    const AnyDecoder decoder(options);
    const posewire::HeatmapView heatmap_view{heat.data(), keypoints, height, width};
    const posewire::TagView tag_view{tags.data(), keypoints, height, width, tag_length};
    const Poses poses = decoder.decode(heatmap_view, tag_view, call);
    Answer(poses, options, promises(options), call, height, width, tag_length).check();
    require(same_bytes(poses, decoder.decode(heatmap_view, tag_view, call)),
            "the same frame gives the same answer");
    require(same_bytes(heat, heat_before) && same_bytes(tags, tags_before),
            "the maps are not written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider input(data, size);
    try {
        if (input.ConsumeIntegralInRange(0, 3) == 0) {
            decode<ReferenceDecoder>(input, draw_reference_options(input));
        } else {
            decode<Decoder>(input, draw_options(input));
        }
    } catch (const std::invalid_argument&) {
    }
    return 0;
}
