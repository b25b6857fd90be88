#pragma once

#include <vector>

#include "heat.hpp"
#include "window.hpp"

namespace posewire {

/// At most kTileWidth x kTileHeight cells whose greatest heat is `maximum`.
struct Tile {
    Window cells;
    float maximum;
};

/// Returns the tiles of a plane that hold heat above a floor, in raster order.
///
/// This is the only pass over all heat: later stages read just these tiles.
std::vector<Tile> find_warm_tiles(const Heat& heat, float floor);

}  // namespace posewire
