// The code of the kernels. Each kernels_*.cpp includes it and names with POSEWIRE_KERNELS the table
// that it defines. Everything is static, because an inline function compiled for two instruction
// sets must not be merged.

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "kernels.hpp"

namespace posewire {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;  // SSE2, NEON
#endif
constexpr int kVectors = kTileWidth / kLanes;  // in one row of a tile
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using Patterns = Pattern __attribute__((vector_size(sizeof(Pattern) * kLanes)));
using Floats = float __attribute__((vector_size(sizeof(float) * kLanes)));

template <class Vector>
Vector load(const void* from) {
    Vector vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
}

template <class Vector>
Vector greater(Vector a, Vector b) {
    return a > b ? a : b;  // b where a is NaN
}

template <class Vector>
Vector lesser(Vector a, Vector b) {
    return a < b ? a : b;
}

template <class Vector, class Value>
Vector filled(Value value) {
    Value lanes[kLanes];
    for (Value& lane : lanes) lane = value;
    return load<Vector>(lanes);
}

#if defined(__clang__) || __GNUC__ >= 12
template <int Steps, class Vector, int... Lanes>
Vector rotated(Vector vector, std::integer_sequence<int, Lanes...>) {
    return __builtin_shufflevector(vector, vector, ((Lanes + Steps) % kLanes)...);
}

/// A vector whose first lane is the greatest of the lanes.
template <int Half = kLanes / 2, class Vector>
Vector with_greatest_first(Vector vector) {
    vector = greater(rotated<Half>(vector, std::make_integer_sequence<int, kLanes>()), vector);
    if constexpr (Half > 1) return with_greatest_first<Half / 2>(vector);
    return vector;
}
#else
template <class Vector>
Vector with_greatest_first(Vector vector) {
    for (int x = 1; x < kLanes; ++x) vector[0] = vector[x] > vector[0] ? vector[x] : vector[0];
    return vector;
}
#endif

/// Without the sign; GCC and clang compile it to one instruction.
Floats magnitude(const Floats& values) {
    const Patterns patterns = load<Patterns>(&values) & filled<Patterns>(kSignedHeat);
    return load<Floats>(&patterns);
}

/// The greatest of the lanes of a row of vectors.
template <class Vector>
auto greatest_of(const Vector (&row)[kVectors]) {
    Vector greatest = row[0];
    for (int v = 1; v < kVectors; ++v) greatest = greater(row[v], greatest);
    return with_greatest_first(greatest)[0];
}

/// A tile's values, in place if it is whole, else padded up to the whole size.
class Block {
public:
    Block(const float* cells, std::size_t stride, int columns, int rows, float padding)
        : cells_(cells), stride_(stride) {
        if (columns == kTileWidth && rows == kTileHeight) return;
        for (float& value : padded_) value = padding;
        for (int y = 0; y < rows; ++y) {
            std::memcpy(padded_ + y * kTileWidth, cells + static_cast<std::size_t>(y) * stride,
                        static_cast<std::size_t>(columns) * sizeof(float));
        }
        cells_ = padded_;
        stride_ = kTileWidth;
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    const float* at(int y, int vector) const {
        return cells_ + static_cast<std::size_t>(y) * stride_ + vector * kLanes;
    }

private:
    const float* cells_;
    std::size_t stride_;
    float padded_[kTileWidth * kTileHeight];
};

/// Greatest pattern in each of Columns neighbouring columns.
template <int Columns>
void column_maxima(const float* cells, std::size_t stride, int rows, Pattern mask,
                   Pattern* maxima) {
    Pattern greatest[Columns] = {};
    for (int y = 0; y < rows; ++y, cells += stride) {
        for (int x = 0; x < Columns; ++x) {
            const Pattern pattern = pattern_of(cells[x]) & mask;
            greatest[x] = pattern > greatest[x] ? pattern : greatest[x];
        }
    }
    for (int x = 0; x < Columns; ++x) maxima[x] = greatest[x];
}

/// The greater of each pair of neighbours.
void halve(const Pattern* from, int count, Pattern* to) {
    for (int i = 0; i < count; ++i) {
        const Pattern a = from[2 * i];
        const Pattern b = from[2 * i + 1];
        to[i] = a > b ? a : b;
    }
}

void tile_row_maxima(const float* cells, std::size_t stride, int width, int rows, Pattern mask,
                     Pattern* scratch, Pattern* maxima) {
    const int tiles = (width + kTileWidth - 1) / kTileWidth;
    Pattern* by_column = scratch;
    Pattern* halved = scratch + tiles * kTileWidth;
    int x = 0;
    if (rows == kTileHeight) {  // a constant count keeps the maxima in registers
        for (; x + 64 <= width; x += 64) {
            column_maxima<64>(cells + x, stride, kTileHeight, mask, by_column + x);
        }
        for (; x + 16 <= width; x += 16) {
            column_maxima<16>(cells + x, stride, kTileHeight, mask, by_column + x);
        }
    }
    for (; x < width; ++x) column_maxima<1>(cells + x, stride, rows, mask, by_column + x);
    for (; x < tiles * kTileWidth; ++x) by_column[x] = 0;
    halve(by_column, tiles * 8, halved);
    halve(halved, tiles * 4, by_column);
    halve(by_column, tiles * 2, halved);
    halve(halved, tiles, maxima);
}

unsigned columns_above(const float* cells, std::size_t stride, int columns, int rows, float value) {
    const Block block(cells, stride, columns, rows, 0.0F);
    const auto values = filled<Floats>(value);
    Patterns above[kVectors] = {};
    for (int y = 0; y < kTileHeight; ++y) {
        for (int v = 0; v < kVectors; ++v) above[v] |= load<Floats>(block.at(y, v)) > values;
    }
    std::uint64_t words[kTileWidth / 2];
    std::memcpy(words, above, sizeof words);
    std::uint64_t any = 0;
    for (const std::uint64_t word : words) any |= word;
    if (any == 0) return 0;
    Pattern lanes[kTileWidth];
    std::memcpy(lanes, above, sizeof lanes);
    unsigned result = 0;
    for (int x = 0; x < kTileWidth; ++x) result |= lanes[x] != 0 ? 1U << x : 0U;
    return result;
}

constexpr int kLaneNumbers[kMostLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Writes the greatest weight of each of `count` groups of `size` cells on one axis, of which the
/// first begins at `begin`; -infinity for groups out of reach. It writes whole vectors.
void greatest_weights(const Extent& extent, int begin, int size, int count, float* weights) {
    const auto before = filled<Patterns>(extent.begin - size + 1);
    const auto after = filled<Patterns>(extent.end - 1);
    const auto reach = filled<Patterns>(extent.reach);
    const auto reaches = filled<Floats>(static_cast<float>(extent.reach));
    const auto none = filled<Floats>(-kInfinity);
    const auto step = filled<Patterns>(kLanes * size);
    Patterns begins = filled<Patterns>(begin) + load<Patterns>(kLaneNumbers) * size;
    for (int i = 0; i < count; i += kLanes, begins += step) {
        const Patterns outside = greater(greater(before - begins, begins - after), Patterns{});
        const auto falls = __builtin_convertvector(outside, Floats) / reaches;
        const Floats values = outside < reach ? filled<Floats>(1.0F) - falls : none;
        std::memcpy(weights + i, &values, sizeof values);
    }
}

void tile_bounds(const TileTable& tiles, const Wanted& wanted, float* scratch, float* bounds,
                 float* row_bounds) {
    greatest_weights(wanted.x, tiles.left, kTileWidth, tiles.columns, scratch);
    greatest_weights(wanted.y, tiles.top, kTileHeight, tiles.rows, row_bounds);
    const auto floors = filled<Patterns>(wanted.floor);
    const auto own = filled<Floats>(wanted.tag);
    const auto gates = filled<Floats>(wanted.gate);
    const auto none = filled<Floats>(kNoValue);
    for (int y = 0; y < tiles.rows; ++y) {
        const std::size_t first = static_cast<std::size_t>(y) * tiles.stride;
        const auto row_weight = filled<Floats>(row_bounds[y]);
        auto greatest = none;
        for (int x = 0; x < tiles.columns; x += kLanes, bounds += kLanes) {
            const std::size_t i = first + static_cast<std::size_t>(x);
            const auto maxima = load<Patterns>(tiles.maxima + i);
            const auto weights = lesser(load<Floats>(scratch + x), row_weight);
            const Patterns is_far = (own - load<Floats>(tiles.tags_below + i) >= gates) &
                                    (load<Floats>(tiles.tags_above + i) - own >= gates);
            const Patterns may_hold = (maxima > floors) & ~is_far;
            const Floats values = may_hold ? load<Floats>(&maxima) * weights : none;
            std::memcpy(bounds, &values, sizeof values);
            greatest = greater(values, greatest);
        }
        row_bounds[y] = with_greatest_first(greatest)[0];
    }
    for (int y = tiles.rows; y % kMostLanes != 0; ++y) row_bounds[y] = kNoValue;
}

/// The index of the first lane that is set, or kLanes.
int first_set(const Patterns& lanes) {
    Pattern values[kLanes];
    std::memcpy(values, &lanes, sizeof values);
    int i = 0;
    while (i < kLanes && values[i] == 0) ++i;
    return i;
}

float greatest_in(const float* values, int count) {
    auto greatest = load<Floats>(values);
    for (int i = kLanes; i < count; i += kLanes) {
        greatest = greater(load<Floats>(values + i), greatest);
    }
    return with_greatest_first(greatest)[0];
}

int first_greatest(const float* values, int count) {
    const float greatest = greatest_in(values, count);
    int i = 0;
    while (values[i] != greatest) ++i;
    return i;
}

/// Which patterns are of finite heat above the floor.
Patterns is_warm(const Patterns& patterns, const Patterns& floors) {
    return (patterns > floors) & (patterns < filled<Patterns>(kNotFinite));
}

template <bool OnlyWarm>
TagGap gap_of(const TileCells& tile, const Wanted& wanted) {
    const Block heat(tile.heat, tile.heat_stride, OnlyWarm ? tile.columns : kTileWidth,
                     OnlyWarm ? tile.rows : kTileHeight, 0.0F);
    const Block tags(tile.tags, tile.tag_stride, tile.columns, tile.rows, kNaN);
    const auto own = filled<Floats>(wanted.tag);
    const auto nothing = filled<Floats>(-kInfinity);
    const auto masks = filled<Patterns>(wanted.mask);
    const auto floors = filled<Patterns>(wanted.floor);
    Floats below[kVectors];
    Floats negated_above[kVectors];
    for (int v = 0; v < kVectors; ++v) below[v] = negated_above[v] = nothing;
    for (int y = 0; y < kTileHeight; ++y) {
        for (int v = 0; v < kVectors; ++v) {
            const auto values = load<Floats>(tags.at(y, v));
            Patterns is_below = values <= own;  // neither for NaN
            Patterns is_above = values >= own;
            if constexpr (OnlyWarm) {
                const Patterns warm = is_warm(load<Patterns>(heat.at(y, v)) & masks, floors);
                is_below &= warm;
                is_above &= warm;
            }
            below[v] = greater(is_below ? values : nothing, below[v]);
            negated_above[v] = greater(is_above ? -values : nothing, negated_above[v]);
        }
    }
    return {greatest_of(below), -greatest_of(negated_above)};
}

TagGap tag_gap(const TileCells& tile, const Wanted& wanted) { return gap_of<false>(tile, wanted); }

TagGap warm_tag_gap(const TileCells& tile, const Wanted& wanted) {
    return gap_of<true>(tile, wanted);
}

BestCell best_near(const TileCells& tile, const Wanted& wanted, int left, int top) {
    const Block heat(tile.heat, tile.heat_stride, tile.columns, tile.rows, 0.0F);
    const Block tags(tile.tags, tile.tag_stride, tile.columns, tile.rows, kNaN);
    float column_weights[kTileWidth];
    float row_weights[kMostLanes];  // more than there are, because whole vectors are written
    greatest_weights(wanted.x, left, 1, kTileWidth, column_weights);
    greatest_weights(wanted.y, top, 1, kTileHeight, row_weights);
    const auto masks = filled<Patterns>(wanted.mask);
    const auto floors = filled<Patterns>(wanted.floor);
    const auto own = filled<Floats>(wanted.tag);
    const auto gates = filled<Floats>(wanted.gate);
    const auto none = filled<Floats>(kNoValue);
    Floats best[kVectors];
    Patterns best_rows[kVectors] = {};
    for (int v = 0; v < kVectors; ++v) best[v] = none;
    for (int y = 0; y < kTileHeight; ++y) {
        const auto row_weight = filled<Floats>(row_weights[y]);
        const auto row = filled<Patterns>(Pattern{y});
        for (int v = 0; v < kVectors; ++v) {
            const auto patterns = load<Patterns>(heat.at(y, v)) & masks;
            const auto weights = lesser(load<Floats>(column_weights + v * kLanes), row_weight);
            const Floats apart = load<Floats>(tags.at(y, v)) - own;
            const Patterns is_near = magnitude(apart) < gates;
            const Patterns is_wanted = is_warm(patterns, floors) & is_near;
            const Floats values = is_wanted ? load<Floats>(&patterns) * weights : none;
            const Patterns is_better = values > best[v];
            best[v] = is_better ? values : best[v];
            best_rows[v] = is_better ? row : best_rows[v];
        }
    }
    const float greatest = greatest_of(best);
    if (greatest == kNoValue) return {kNoValue, 0, 0};
    Patterns negated_rows[kVectors];
    for (int v = 0; v < kVectors; ++v) {
        const auto no_row = filled<Patterns>(Pattern{-kTileHeight});
        negated_rows[v] = best[v] == filled<Floats>(greatest) ? -best_rows[v] : no_row;
    }
    const Pattern negated_row = greatest_of(negated_rows);
    int x = 0;
    for (int v = 0; v < kVectors; ++v) {
        const int lane = first_set(negated_rows[v] == filled<Patterns>(negated_row));
        x += lane;
        if (lane < kLanes) break;
    }
    return {greatest, left + x, top - negated_row};
}

}  // namespace

extern const Kernels POSEWIRE_KERNELS;
const Kernels POSEWIRE_KERNELS = {tile_row_maxima, columns_above, tile_bounds, first_greatest,
                                  tag_gap,         warm_tag_gap,  best_near};

}  // namespace posewire
