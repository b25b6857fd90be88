#include "assignment.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

namespace posewire {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kFree = -1;

class ShortestAugmentingPaths {
public:
    ShortestAugmentingPaths(const std::vector<double>& cost, int rows, int columns)
        : cost_(cost),
          columns_(static_cast<std::size_t>(columns)),
          row_price_(static_cast<std::size_t>(rows), 0.0),
          column_price_(columns_, 0.0),
          column_of_(static_cast<std::size_t>(rows), kFree),
          row_of_(columns_, kFree),
          distance_(columns_),
          previous_row_(columns_),
          frontier_(columns_) {}

    std::vector<int> solve() {
        for (std::size_t row = 0; row < column_of_.size(); ++row) assign(static_cast<int>(row));
        return column_of_;
    }

private:
    void assign(int new_row) {
        if (assign_nearest(new_row)) return;
        const int free_column = search(new_row);
        update_prices(new_row);
        flip_path(new_row, free_column);
    }

    /// What search and flip_path come to where the nearest column is free, in one scan.
    bool assign_nearest(int row) {
        const double* cost = cost_.data() + at(row) * columns_;
        std::size_t nearest = 0;
        double least = kInfinity;
        for (std::size_t column = columns_; column-- > 0;) {
            const double length = cost[column] - column_price_[column];
            if (length < least || (length == least && row_of_[column] == kFree)) {
                least = length;
                nearest = column;
            }
        }
        if (row_of_[nearest] != kFree) return false;
        row_price_[at(row)] = least;
        row_of_[nearest] = row;
        column_of_[at(row)] = static_cast<int>(nearest);
        return true;
    }

    /// Dijkstra over columns from new_row to the nearest free column.
    int search(int new_row) {
        std::fill(distance_.begin(), distance_.end(), kInfinity);
        // The frontier starts in reverse column order and shrinks by moving its last column into
        // the gap: the order in which scipy meets equal distances.
        std::iota(frontier_.rbegin(), frontier_.rend(), 0);
        settled_.clear();
        path_length_ = 0.0;
        std::size_t open = columns_;
        int row = new_row;
        while (true) {
            const std::size_t nearest = relax(row, open);
            const int column = frontier_[nearest];
            path_length_ = distance_[at(column)];
            settled_.push_back(column);
            frontier_[nearest] = frontier_[--open];
            if (row_of_[at(column)] == kFree) return column;
            row = row_of_[at(column)];
        }
    }

    /// Lengthens the shortest paths through row; returns the nearest column's place in the
    /// frontier. A free column wins a tie.
    std::size_t relax(int row, std::size_t open) {
        const double* cost = cost_.data() + at(row) * columns_;
        const double price = row_price_[at(row)];
        std::size_t nearest = 0;
        double least = kInfinity;
        for (std::size_t place = 0; place < open; ++place) {
            const std::size_t column = at(frontier_[place]);
            // Summed in scipy's order: another order rounds ties apart.
            const double length = path_length_ + cost[column] - price - column_price_[column];
            if (length < distance_[column]) {
                distance_[column] = length;
                previous_row_[column] = row;
            }
            if (distance_[column] < least ||
                (distance_[column] == least && row_of_[column] == kFree)) {
                least = distance_[column];
                nearest = place;
            }
        }
        return nearest;
    }

    void update_prices(int new_row) {
        row_price_[at(new_row)] += path_length_;
        for (const int column : settled_) {
            const double slack = path_length_ - distance_[at(column)];
            if (row_of_[at(column)] != kFree) row_price_[at(row_of_[at(column)])] += slack;
            column_price_[at(column)] -= slack;
        }
    }

    void flip_path(int new_row, int column) {
        while (true) {
            const int row = previous_row_[at(column)];
            row_of_[at(column)] = row;
            std::swap(column_of_[at(row)], column);
            if (row == new_row) return;
        }
    }

    static std::size_t at(int index) { return static_cast<std::size_t>(index); }

    const std::vector<double>& cost_;
    std::size_t columns_;
    std::vector<double> row_price_;
    std::vector<double> column_price_;
    std::vector<int> column_of_;
    std::vector<int> row_of_;
    std::vector<double> distance_;
    std::vector<int> previous_row_;
    std::vector<int> frontier_;
    std::vector<int> settled_;
    double path_length_ = 0.0;
};

}  // namespace

std::vector<int> minimum_cost_assignment(const std::vector<double>& cost, int rows, int columns) {
    return ShortestAugmentingPaths(cost, rows, columns).solve();
}

}  // namespace posewire
