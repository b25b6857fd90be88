#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "window.hpp"

namespace posewire {

// Loops over cells that are worth vector instructions. Their code, kernels.inl, is compiled once
// for each instruction set. The program chooses the best that its processor has, so one wheel runs
// on every machine. Rows of cells are `stride` cells apart; a tile at the edge of the map may have
// fewer columns or rows.

constexpr int kTileWidth = 16;  // one cache line of cells
constexpr int kTileHeight = 8;

// Non-negative floats order as their bit patterns do, so heat is compared as integers: compilers
// vectorise integer maxima even where floats may be NaN, and a value that is not finite has a
// pattern of at least kNotFinite. A mask turns the pattern of a cell into that of its heat.
using Pattern = std::int32_t;
constexpr Pattern kSignedHeat = 0x7fffffff;  // the absolute value
constexpr Pattern kUnsignedHeat = -1;        // negative patterns lose against 0
constexpr Pattern kNotFinite = 0x7f800000;

// Static: of an inline function the linker keeps only one copy, possibly the one for AVX-512.
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

/// Where `count` tiles begin, their greatest heat and the ranges of their tags.
struct TileTable {
    const int* lefts;
    const int* tops;
    const Pattern* maxima;
    const float* least_tags;
    const float* greatest_tags;
    int count;
};

struct Kernels {
    /// Writes the greatest heat of each tile in one row of tiles, as patterns, cells that are not
    /// finite included. `scratch` has two patterns for each column of whole tiles.
    void (*tile_row_maxima)(const float* cells, std::size_t stride, int width, int rows,
                            Pattern mask, Pattern* scratch, Pattern* maxima);

    /// Sets bit x if column x of a tile has a cell that exceeds `value`, which is at least 0.
    unsigned (*columns_above)(const float* cells, std::size_t stride, int columns, int rows,
                              float value);

    /// The range of the tags, one float each, of a tile's cells with heat above `floor`. NaN does
    /// not count; least > greatest if there is no other.
    Range (*warm_tag_range)(const float* cells, const float* tags, std::size_t stride, int columns,
                            int rows, Pattern mask, Pattern floor);

    /// The greatest heat, as a pattern, among a tile's cells of finite heat whose tag, one float,
    /// is nearer to `tag` than `gate`; 0 if there are none.
    Pattern (*warmest_near)(const float* cells, const float* tags, std::size_t stride, int columns,
                            int rows, Pattern mask, float tag, float gate);

    /// Writes the greatest pattern of each tile that overlaps the window and whose range may hold a
    /// tag nearer to `tag` than `gate`, and 0 for the others. Returns the greatest.
    Pattern (*reachable_maxima)(const TileTable& tiles, const Window& window, float tag, float gate,
                                Pattern* reachable);
};

/// The kernels for this processor.
const Kernels& kernels();

}  // namespace posewire
