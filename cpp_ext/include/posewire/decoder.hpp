#pragma once

#include "posewire/options.hpp"
#include "posewire/poses.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

/// Turns heatmaps and associative-embedding tags into poses: peaks, grouping, adjust, refine.
///
/// Immutable after construction: any number of threads may share one Decoder.
class Decoder {
public:
    /// @throws std::invalid_argument naming the option that is out of range.
    explicit Decoder(DecoderOptions options = {});

    /// @throws std::invalid_argument if decode would refuse these heatmaps, whatever the tags.
    void check(const HeatmapView& heatmaps) const;

    /// @throws std::invalid_argument naming the view or option that does not fit.
    Poses decode(const HeatmapView& heatmaps, const TagView& tags,
                 const DecodeOptions& options = {}) const;

    const DecoderOptions& options() const { return options_; }

private:
    DecoderOptions options_;
};

}  // namespace posewire
