#pragma once

#include <vector>

#include "heat.hpp"

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
/// One pass over the heat, the only one; every later step reads just these tiles.
std::vector<Tile> find_warm_tiles(const Heat& heat, float floor);

}  // namespace posewire
