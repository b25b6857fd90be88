#pragma once

#include <vector>

namespace posewire {

/// The column of each row in the assignment of least total cost.
///
/// Shortest augmenting paths with dual variables (Crouse 2016, "On implementing 2D rectangular
/// assignment algorithms"). Among equally cheap assignments it picks the one that
/// scipy.optimize.linear_sum_assignment picks: reference mode depends on that.
///
/// @param cost row-major [rows, columns], all finite; rows <= columns.
std::vector<int> minimum_cost_assignment(const std::vector<double>& cost, int rows, int columns);

}  // namespace posewire
