#pragma once

namespace posewire {

/// A rectangle of cells: x in [left, right), y in [top, bottom).
struct Window {
    int left, top, right, bottom;
};

}  // namespace posewire
