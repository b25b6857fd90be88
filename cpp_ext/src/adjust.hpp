#pragma once

#include "heat.hpp"
#include "posewire/options.hpp"

namespace posewire {

/// A displacement in cells.
struct Offset {
    float x = 0.0F;
    float y = 0.0F;
};

/// Sub-cell offset of a keypoint at cell (x, y) from the heat of its four neighbours.
///
/// An axis on which the cell has only one neighbour gets no offset. Reference mode gives no offset
/// on either axis to cells in the first two columns or rows or in the last.
Offset adjust(const Heat& heat, int x, int y, const DecoderOptions& options);

}  // namespace posewire
