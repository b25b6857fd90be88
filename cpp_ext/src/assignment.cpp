#include "assignment.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

namespace posewire {
namespace {

constexpr int kFree = -1;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Rows assigned so far, and the dual variables that prove their assignment cheapest.
struct Assignment {
    std::vector<int> column_of;  // [row]
    std::vector<int> row_of;     // [column]
    std::vector<double> row_price;
    std::vector<double> column_price;
};

/// Shortest paths from one row, up to the nearest free column.
struct Paths {
    std::vector<double> length;     // [column]
    std::vector<int> previous_row;  // [column]
    std::vector<int> settled;       // columns, nearest first; the last is free
};

/// Dijkstra over columns. A free column wins a tie.
Paths find_paths(const Assignment& assignment, const std::vector<double>& cost, int first_row) {
    const std::size_t columns = assignment.row_of.size();
    Paths paths{std::vector<double>(columns, std::numeric_limits<double>::infinity()),
                std::vector<int>(columns),
                {}};
    // The frontier starts in reverse column order and shrinks by moving its last column into the
    // gap: the order in which scipy meets equal lengths.
    std::vector<int> frontier(columns);
    std::iota(frontier.rbegin(), frontier.rend(), 0);
    double settled_length = 0.0;
    for (int row = first_row; row != kFree; row = assignment.row_of[at(paths.settled.back())]) {
        std::size_t nearest = 0;
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t place = 0; place < frontier.size(); ++place) {
            const std::size_t column = at(frontier[place]);
            // Summed in scipy's order: another order rounds ties apart.
            const double length = settled_length + cost[at(row) * columns + column] -
                                  assignment.row_price[at(row)] - assignment.column_price[column];
            if (length < paths.length[column]) {
                paths.length[column] = length;
                paths.previous_row[column] = row;
            }
            const double shortest = paths.length[column];
            if (shortest < least || (shortest == least && assignment.row_of[column] == kFree)) {
                least = shortest;
                nearest = place;
            }
        }
        settled_length = least;
        paths.settled.push_back(frontier[nearest]);
        frontier[nearest] = frontier.back();
        frontier.pop_back();
    }
    return paths;
}

void update_prices(Assignment& assignment, const Paths& paths, int new_row) {
    const double length = paths.length[at(paths.settled.back())];
    assignment.row_price[at(new_row)] += length;
    for (const int column : paths.settled) {
        const double slack = length - paths.length[at(column)];
        const int row = assignment.row_of[at(column)];
        if (row != kFree) assignment.row_price[at(row)] += slack;
        assignment.column_price[at(column)] -= slack;
    }
}

/// Gives every row on the path to the free column the next column.
void flip_path(Assignment& assignment, const Paths& paths, int new_row) {
    int column = paths.settled.back();
    int row = kFree;
    while (row != new_row) {
        row = paths.previous_row[at(column)];
        assignment.row_of[at(column)] = row;
        std::swap(assignment.column_of[at(row)], column);
    }
}

}  // namespace

std::vector<int> minimum_cost_assignment(const std::vector<double>& cost, std::size_t rows,
                                         std::size_t columns) {
    Assignment assignment{std::vector<int>(rows, kFree), std::vector<int>(columns, kFree),
                          std::vector<double>(rows), std::vector<double>(columns)};
    for (std::size_t i = 0; i < rows; ++i) {
        const int row = static_cast<int>(i);
        const Paths paths = find_paths(assignment, cost, row);
        update_prices(assignment, paths, row);
        flip_path(assignment, paths, row);
    }
    return assignment.column_of;
}

}  // namespace posewire
