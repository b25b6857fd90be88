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

/// The greatest of the lanes of a row of vectors.
template <class Vector>
auto greatest_of(const Vector (&row)[kVectors]) {
    Vector greatest = row[0];
    for (int v = 1; v < kVectors; ++v) greatest = greater(row[v], greatest);
    return with_greatest_first(greatest)[0];
}

/// A tile's cells, in place if it is whole, else with zeros up to the whole size.
class Block {
public:
    Block(const float* cells, std::size_t stride, int columns, int rows)
        : cells_(cells), stride_(stride) {
        if (columns == kTileWidth && rows == kTileHeight) return;
        std::memset(padded_, 0, sizeof padded_);
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
    const Block block(cells, stride, columns, rows);
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

Range warm_tag_range(const float* cells, const float* tags, std::size_t stride, int columns,
                     int rows, Pattern mask, Pattern floor) {
    const Block heat(cells, stride, columns, rows);
    const Block tag(tags, stride, columns, rows);
    const auto nothing = filled<Floats>(-kInfinity);
    const auto masks = filled<Patterns>(mask);
    const auto floors = filled<Patterns>(floor);
    Floats negated_least[kVectors];
    Floats greatest[kVectors];
    for (int v = 0; v < kVectors; ++v) negated_least[v] = greatest[v] = nothing;
    for (int y = 0; y < kTileHeight; ++y) {
        for (int v = 0; v < kVectors; ++v) {
            const Patterns warm = (load<Patterns>(heat.at(y, v)) & masks) > floors;
            const auto values = load<Floats>(tag.at(y, v));
            greatest[v] = greater(warm ? values : nothing, greatest[v]);
            negated_least[v] = greater(warm ? -values : nothing, negated_least[v]);
        }
    }
    return {-greatest_of(negated_least), greatest_of(greatest)};
}

Pattern warmest_near(const float* cells, const float* tags, std::size_t stride, int columns,
                     int rows, Pattern mask, float tag, float gate) {
    const Block heat(cells, stride, columns, rows);
    const Block tag_block(tags, stride, columns, rows);
    const auto masks = filled<Patterns>(mask);
    const auto not_finite = filled<Patterns>(kNotFinite);
    const auto own = filled<Floats>(tag);
    const auto gates = filled<Floats>(gate);
    Patterns greatest[kVectors] = {};
    for (int y = 0; y < kTileHeight; ++y) {
        for (int v = 0; v < kVectors; ++v) {
            const auto patterns = load<Patterns>(heat.at(y, v)) & masks;
            const Floats apart = load<Floats>(tag_block.at(y, v)) - own;
            const Patterns near = (apart < gates) & (-apart < gates);  // neither for NaN
            greatest[v] = greater(patterns & near & (patterns < not_finite), greatest[v]);
        }
    }
    return greatest_of(greatest);
}

Pattern reachable_maxima(const TileTable& tiles, const Window& window, float tag, float gate,
                         Pattern* reachable) {
    // A tile that begins here or earlier ends before the window begins.
    const int before_left = window.left - kTileWidth;
    const int before_top = window.top - kTileHeight;
    const auto own = filled<Floats>(tag);
    const auto gates = filled<Floats>(gate);
    const auto befores_left = filled<Patterns>(before_left);
    const auto befores_top = filled<Patterns>(before_top);
    const auto rights = filled<Patterns>(window.right);
    const auto bottoms = filled<Patterns>(window.bottom);
    Patterns warmest = {};
    int i = 0;
    for (; i + kLanes <= tiles.count; i += kLanes) {
        const auto lefts = load<Patterns>(tiles.lefts + i);
        const auto tops = load<Patterns>(tiles.tops + i);
        const Patterns inside =
            (befores_left < lefts) & (lefts < rights) & (befores_top < tops) & (tops < bottoms);
        const Patterns near = (load<Floats>(tiles.least_tags + i) - own < gates) &
                              (own - load<Floats>(tiles.greatest_tags + i) < gates);
        const Patterns patterns = load<Patterns>(tiles.maxima + i) & inside & near;
        std::memcpy(reachable + i, &patterns, sizeof patterns);
        warmest = greater(patterns, warmest);
    }
    Pattern result = with_greatest_first(warmest)[0];
    for (; i < tiles.count; ++i) {
        const bool inside = before_left < tiles.lefts[i] && tiles.lefts[i] < window.right &&
                            before_top < tiles.tops[i] && tiles.tops[i] < window.bottom;
        const bool near = tiles.least_tags[i] - tag < gate && tag - tiles.greatest_tags[i] < gate;
        reachable[i] = inside && near ? tiles.maxima[i] : 0;
        result = reachable[i] > result ? reachable[i] : result;
    }
    return result;
}

}  // namespace

extern const Kernels POSEWIRE_KERNELS;
const Kernels POSEWIRE_KERNELS = {tile_row_maxima, columns_above, warm_tag_range, warmest_near,
                                  reachable_maxima};

}  // namespace posewire
