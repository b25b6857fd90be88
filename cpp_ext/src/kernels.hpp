#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "window.hpp"

namespace posewire {

// The loops over cells that are worth vector instructions. kernels.inl has their code, compiled
// once for each instruction set; the best that the processor has is taken when the program runs, so
// one wheel runs on every machine. Rows of cells are `stride` cells apart; a tile cut by the edge
// of the map has fewer columns or rows.

constexpr int kTileWidth = 16;  // one cache line of cells
constexpr int kTileHeight = 8;

// Non-negative floats order as their bit patterns do, so heat is compared as integers: compilers
// vectorise integer maxima without leave to ignore NaN, and a value that is not finite shows as a
// pattern of at least kNotFinite. A mask makes the heat of a cell from its pattern.
using Pattern = std::int32_t;
constexpr Pattern kSignedHeat = 0x7fffffff;  // the absolute value
constexpr Pattern kUnsignedHeat = -1;        // negative patterns lose against 0
constexpr Pattern kNotFinite = 0x7f800000;

// Static: of an inline function the linker keeps one copy, which could be the one compiled for
// AVX-512.
static inline Pattern pattern_of(float heat) {
    Pattern pattern;
    std::memcpy(&pattern, &heat, sizeof pattern);
    return pattern;
}

static inline float heat_of(Pattern pattern) {
    float heat;
    std::memcpy(&heat, &pattern, sizeof heat);
    return heat;
}

struct Range {
    float least;
    float greatest;
};

/// What is known of `count` tiles: where they begin, their warmest cells and ranges of tags.
struct TileTable {
    const int* lefts;
    const int* tops;
    const Pattern* maxima;
    const float* least_tags;
    const float* greatest_tags;
    int count;
};

struct Kernels {
    /// The greatest heat of each tile in one row of tiles, as patterns, of cells not finite too.
    /// `scratch` holds twice as many patterns as the whole tiles have columns.
    void (*tile_row_maxima)(const float* cells, std::size_t stride, int width, int rows,
                            Pattern mask, Pattern* scratch, Pattern* maxima);

    /// Which columns of a tile have a cell that exceeds `value`, at least 0: bit x is column x.
    unsigned (*columns_above)(const float* cells, std::size_t stride, int columns, int rows,
                              float value);

    /// The range of the tags, one float each, of a tile's cells with heat above `floor`, passing
    /// over NaN; least > greatest if there are none.
    Range (*warm_tag_range)(const float* cells, const float* tags, std::size_t stride, int columns,
                            int rows, Pattern mask, Pattern floor);

    /// The greatest heat, as a pattern, among a tile's cells of finite heat whose tag, one float,
    /// is nearer to `tag` than `gate`; 0 if there are none.
    Pattern (*warmest_near)(const float* cells, const float* tags, std::size_t stride, int columns,
                            int rows, Pattern mask, float tag, float gate);

    /// For each tile: its warmest cell's pattern if the tile reaches into the window and a tag
    /// nearer to `tag` than `gate` may lie in its range, else 0. Returns the greatest.
    Pattern (*reachable_maxima)(const TileTable& tiles, const Window& window, float tag, float gate,
                                Pattern* reachable);
};

/// The kernels for this processor.
const Kernels& kernels();

}  // namespace posewire
