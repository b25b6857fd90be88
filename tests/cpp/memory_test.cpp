#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "painting.hpp"

namespace {

using painting::expect_same;
using painting::Maps;
using painting::person_at;
using posewire::Decoder;
using posewire::Nms;
using posewire::Poses;

Maps crowded_maps(int tag_length) {
    std::vector<painting::Person> people;
    for (int i = 0; i < 6; ++i) {
        const auto n = static_cast<float>(i);
        people.push_back(person_at(6.3F + 11.1F * n, 9.7F + 0.4F * n, 3.0F * n, 5));
        people.back().tag.resize(static_cast<std::size_t>(tag_length), n);
        people.back().keypoints[static_cast<std::size_t>(i % 5)].reset();
    }
    return painting::signed_maps(29, 75, people);
}

/// Random bits, NaN and infinity among them.
Maps noise(unsigned seed) {
    Maps maps(4, 21, 35, 2);
    std::mt19937 generator(seed);
    for (auto* values : {&maps.heat(), &maps.tags()}) {
        for (float& value : *values) {
            const auto bits = static_cast<std::uint32_t>(generator());
            std::memcpy(&value, &bits, sizeof value);
        }
    }
    return maps;
}

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <class Options>
void expect_untouched(const Options& options, const Maps& maps) {
    const std::vector<float> heat = maps.heat();
    const std::vector<float> tags = maps.tags();
    decode(options, maps);
    EXPECT_TRUE(same_bytes(heat, maps.heat()));
    EXPECT_TRUE(same_bytes(tags, maps.tags()));
}

template <class Options>
void expect_callers_memory_untouched() {
    for (const Nms nms : {Nms::kGraph, Nms::kDecoder}) {
        auto options = painting::options_for<Options>(5);
        options.nms = nms;
        expect_untouched(options, crowded_maps(1));
        expect_untouched(options, crowded_maps(2));
        options = painting::options_for<Options>(4);
        options.nms = nms;
        expect_untouched(options, noise(1));
    }
}

TEST(Memory, OfTheCallerIsNotWritten) {
    expect_callers_memory_untouched<posewire::DecoderOptions>();
    expect_callers_memory_untouched<posewire::ReferenceOptions>();
}

/// The answer for copies of the maps that begin this many floats into their buffers.
Poses decode_shifted(const Decoder& decoder, const Maps& maps, std::size_t shift) {
    const auto moved = [shift](const std::vector<float>& values) {
        std::vector<float> buffer(values.size() + shift);
        std::copy(values.begin(), values.end(),
                  buffer.begin() + static_cast<std::ptrdiff_t>(shift));
        return buffer;
    };
    const std::vector<float> heat = moved(maps.heat());
    const std::vector<float> tags = moved(maps.tags());
    auto heatmap_view = maps.heatmap_view();
    auto tag_view = maps.tag_view();
    heatmap_view.data = heat.data() + shift;
    tag_view.data = tags.data() + shift;
    return decoder.decode(heatmap_view, tag_view);
}

TEST(Memory, NeedsNoMoreAlignmentThanAFloat) {
    const Decoder decoder(painting::options_for(5));
    for (const int length : {1, 2}) {
        const Maps maps = crowded_maps(length);
        const Poses wanted = decode(maps);
        ASSERT_EQ(wanted.count, 6);
        for (std::size_t shift = 1; shift <= 16; ++shift) {
            expect_same(decode_shifted(decoder, maps, shift), wanted);
        }
    }
}

TEST(Memory, OfAnEarlierFrameDoesNotShowInTheNext) {
    const Decoder decoder(painting::options_for(5));
    const Maps maps = crowded_maps(1);
    const Maps empty(5, 40, 90);
    const Maps small = painting::signed_maps(9, 12, {person_at(4.5F, 4.5F, 0.0F, 5)});
    for (int repetition = 0; repetition < 3; ++repetition) {
        for (const Maps* each : {&maps, &empty, &small}) {
            expect_same(decoder.decode(each->heatmap_view(), each->tag_view()), decode(*each));
        }
    }
}

}  // namespace
