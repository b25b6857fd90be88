#pragma once

#include <vector>

#include "heat.hpp"
#include "tags.hpp"

namespace posewire {

/// A rectangle of at most kTileWidth x kTileHeight cells whose greatest heat is `maximum`.
struct Tile {
    int left;
    int top;
    int width;
    int height;
    float maximum;
};

/// The tiles of a plane that hold heat above a floor, in raster order.
///
/// One pass over the heat, the only one; every later step reads just these tiles. The tags of tiles
/// hotter than `peak_floor`, which the next step reads, are on their way when it begins.
std::vector<Tile> find_warm_tiles(const Heat& heat, const Tags& tags, float floor,
                                  float peak_floor);

/// How many tiles a plane has.
int tile_count(const Heat& heat);

}  // namespace posewire
