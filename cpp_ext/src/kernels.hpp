#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

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

/// The tile grid's rows are padded to a multiple of this, the lanes of the widest vectors.
constexpr int kMostLanes = 16;

/// A tile's cells: heat and tags of one float each. The strides are in floats, from row to row.
struct TileCells {
    const float* heat;
    const float* tags;
    std::size_t heat_stride;
    std::size_t tag_stride;
    int columns;
    int rows;
};

/// The greatest tag up to a given one, and the least from there on; infinite where there is none.
struct TagGap {
    float below;
    float above;
};

/// Where the weight of heat is 1 on an axis. It falls to 0 at `reach` cells outside.
struct Extent {
    int begin;
    int end;
    int reach;
};

/// Which cells refine looks for: of finite heat whose pattern exceeds `floor`, whose tag is nearer
/// to `tag` than `gate`, and whose weights on both axes are above 0. The lesser of these is the
/// cell's weight.
struct Wanted {
    Pattern mask;
    Pattern floor;
    float tag;
    float gate;
    Extent x;
    Extent y;
};

/// Part of the tile grid, of which a row has `stride` tiles: the greatest heat of each tile, and
/// the gap between tags that is known of it. `columns` is a multiple of kMostLanes.
struct TileTable {
    const Pattern* maxima;
    const float* tags_below;
    const float* tags_above;
    std::size_t stride;
    int left;  ///< of the first tile, in cells
    int top;
    int columns;
    int rows;
};

constexpr float kNoValue = -1.0F;  ///< less than every weighted heat

/// The first cell of greatest weighted heat; its value is kNoValue if there is none.
struct BestCell {
    float value;
    int x;
    int y;
};

struct Kernels {
    /// Writes the greatest heat of each tile in one row of tiles, as patterns, cells that are not
    /// finite included. `scratch` has two patterns for each column of whole tiles.
    void (*tile_row_maxima)(const float* cells, std::size_t stride, int width, int rows,
                            Pattern mask, Pattern* scratch, Pattern* maxima);

    /// Sets bit x if column x of a tile has a cell that exceeds `value`, which is at least 0.
    unsigned (*columns_above)(const float* cells, std::size_t stride, int columns, int rows,
                              float value);

    /// Writes for each tile what the weighted heat of a wanted cell cannot exceed, or a negative
    /// value if it has none, and for each row the greatest of these. Rows are padded with kNoValue
    /// to a multiple of kMostLanes. `scratch` has a float for each column.
    void (*tile_bounds)(const TileTable& tiles, const Wanted& wanted, float* scratch, float* bounds,
                        float* row_bounds);

    /// The index of the first of the greatest values. `count` is a multiple of kMostLanes.
    int (*first_greatest)(const float* values, int count);

    /// The gap of the tags of all cells around the wanted tag. NaN does not count.
    TagGap (*tag_gap)(const TileCells& tile, const Wanted& wanted);

    /// The gap of the tags of cells with heat above the floor.
    TagGap (*warm_tag_gap)(const TileCells& tile, const Wanted& wanted);

    /// The wanted cell of greatest weighted heat in a tile whose corner is at (left, top).
    BestCell (*best_near)(const TileCells& tile, const Wanted& wanted, int left, int top);
};

/// The kernels for this processor.
const Kernels& kernels();

}  // namespace posewire
