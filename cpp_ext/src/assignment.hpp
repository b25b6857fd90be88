#pragma once

#include <cstddef>
#include <vector>

namespace posewire {

/// Returns the column of each row in the assignment of least total cost.
///
/// Shortest augmenting paths with dual variables (Crouse 2016, "On implementing 2D rectangular
/// assignment algorithms"). Of equally cheap assignments it returns the one of
/// scipy.optimize.linear_sum_assignment, because ReferenceDecoder depends on it.
///
/// @param cost row-major [rows, columns], all finite; rows <= columns.
std::vector<int> minimum_cost_assignment(const std::vector<double>& cost, std::size_t rows,
                                         std::size_t columns);

}  // namespace posewire
