#pragma once

#include "posewire/options.hpp"
#include "posewire/poses.hpp"
#include "posewire/tensor_view.hpp"

namespace posewire {

/// Decodes heatmaps and associative-embedding tags into poses.
///
/// Immutable after construction: any number of threads may share a Decoder.
class Decoder {
public:
    using Options = DecoderOptions;

    /// @throws std::invalid_argument naming the option that is out of range.
    explicit Decoder(DecoderOptions options = {});

    const DecoderOptions& options() const { return options_; }

    /// @return the poses, best first.
    /// @throws std::invalid_argument naming the view or option that does not fit.
    Poses decode(const HeatmapView& heatmaps, const TagView& tags,
                 const DecodeOptions& call = {}) const;

private:
    DecoderOptions options_;
};

}  // namespace posewire
