#include "assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <vector>

namespace {

using posewire::minimum_cost_assignment;

struct Matrix {
    int rows;
    int columns;
    std::vector<double> cost;
};

double cost_of(const Matrix& matrix, const std::vector<int>& column_of) {
    double sum = 0.0;
    for (std::size_t row = 0; row < column_of.size(); ++row) {
        sum += matrix.cost[row * static_cast<std::size_t>(matrix.columns) +
                           static_cast<std::size_t>(column_of[row])];
    }
    return sum;
}

/// The least cost over every way to give each row a column of its own.
double least_cost(const Matrix& matrix) {
    std::vector<int> columns(static_cast<std::size_t>(matrix.columns));
    std::iota(columns.begin(), columns.end(), 0);
    double least = std::numeric_limits<double>::infinity();
    do {
        const std::vector<int> chosen(columns.begin(), columns.begin() + matrix.rows);
        least = std::min(least, cost_of(matrix, chosen));
    } while (std::next_permutation(columns.begin(), columns.end()));
    return least;
}

template <class Draw>
Matrix random_matrix(int rows, int columns, Draw draw) {
    Matrix matrix{rows, columns, {}};
    for (int i = 0; i < rows * columns; ++i) matrix.cost.push_back(draw());
    return matrix;
}

void expect_optimal(const Matrix& matrix) {
    const auto column_of = minimum_cost_assignment(matrix.cost, matrix.rows, matrix.columns);
    ASSERT_EQ(column_of.size(), static_cast<std::size_t>(matrix.rows));
    const std::set<int> distinct(column_of.begin(), column_of.end());
    ASSERT_EQ(distinct.size(), column_of.size()) << "two rows share a column";
    ASSERT_GE(*distinct.begin(), 0);
    ASSERT_LT(*distinct.rbegin(), matrix.columns);
    EXPECT_NEAR(cost_of(matrix, column_of), least_cost(matrix), 1e-9);
}

TEST(Assignment, CostsAsLittleAsTheBestOfAllPermutations) {
    std::mt19937 generator(1);
    std::uniform_real_distribution<double> cost(-5.0, 5.0);
    for (int rows = 1; rows <= 6; ++rows) {
        for (int columns = rows; columns <= 7; ++columns) {
            for (int repetition = 0; repetition < 8; ++repetition) {
                expect_optimal(random_matrix(rows, columns, [&] { return cost(generator); }));
            }
        }
    }
}

TEST(Assignment, IsOptimalAmongManyTies) {
    std::mt19937 generator(2);
    std::uniform_int_distribution<int> cost(0, 2);
    for (int rows = 2; rows <= 6; ++rows) {
        for (int columns = rows; columns <= 7; ++columns) {
            for (int repetition = 0; repetition < 8; ++repetition) {
                expect_optimal(random_matrix(rows, columns, [&] { return cost(generator); }));
            }
        }
    }
}

TEST(Assignment, OfAConstantMatrixIsTheIdentity) {
    for (int rows = 1; rows <= 40; rows += 3) {
        for (const int surplus : {0, 1, 7}) {
            const int columns = rows + surplus;
            std::vector<int> identity(static_cast<std::size_t>(rows));
            std::iota(identity.begin(), identity.end(), 0);
            const auto cells = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
            EXPECT_EQ(minimum_cost_assignment(std::vector<double>(cells, 3.25), rows, columns),
                      identity);
        }
    }
}

/// The answer of scipy 1.17, linear_sum_assignment.
void expect_scipy(const Matrix& matrix, const std::vector<int>& column_of) {
    EXPECT_EQ(minimum_cost_assignment(matrix.cost, matrix.rows, matrix.columns), column_of);
}

// Of several optimal assignments, scipy does not choose the lexicographically first one here.
TEST(Assignment, BreaksTiesAsScipyDoes) {
    expect_scipy({3, 3, {1, 1, 0, 1, 0, 0, 1, 0, 1}}, {2, 1, 0});
    expect_scipy({3, 3, {1, 1, 0, 1, 1, 0, 0, 0, 0}}, {2, 1, 0});
    expect_scipy({4, 5, {1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1}},
                 {2, 1, 0, 3});
    expect_scipy({4, 5, {1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0}},
                 {2, 1, 4, 3});
    expect_scipy({4, 5, {1, 1, 0, 2, 2, 0, 1, 0, 0, 0, 1, 2, 0, 2, 2, 0, 0, 0, 1, 0}},
                 {1, 0, 2, 4});
    expect_scipy({4, 5, {1, 2, 0, 1, 2, 1, 2, 2, 1, 1, 0, 2, 0, 1, 2, 0, 2, 0, 2, 2}},
                 {3, 4, 0, 2});
    expect_scipy({3, 6, {1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1}}, {2, 4, 1});
    expect_scipy({3, 6, {1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1}}, {4, 1, 3});
    expect_scipy(
        {5, 5, {1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1}},
        {1, 4, 3, 0, 2});
    expect_scipy({6, 6, {0, 2, 1, 0, 2, 0, 2, 1, 1, 0, 2, 0, 1, 0, 0, 0, 1, 2,
                         0, 1, 2, 0, 2, 0, 1, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1, 0}},
                 {0, 3, 1, 5, 2, 4});
}

// Ties on paper, but not in doubles: what wins depends on the order of the sums.
TEST(Assignment, RoundsPathLengthsAsScipyDoes) {
    expect_scipy({3, 3, {99.1, -0.9, 99.1, 99.9, -0.1, -0.1, 99.9, -0.1, 99.9}}, {1, 2, 0});
    expect_scipy({3, 3, {-0.7, -0.7, -0.7, 99.1, 99.1, 99.1, -0.1, -0.1, 99.9}}, {2, 1, 0});
    expect_scipy({3, 3, {99.1, 99.1, 99.1, -0.1, 99.9, -0.1, -0.3, 99.7, -0.3}}, {1, 0, 2});
    expect_scipy({3, 3, {99.7, 99.7, -0.3, -0.9, 99.1, 99.1, -0.1, 99.9, -0.1}}, {2, 0, 1});
    expect_scipy({3, 3, {99.9, -0.1, 99.9, 99.9, -0.1, 99.9, -0.3, -0.3, 99.7}}, {2, 1, 0});
}

TEST(Assignment, KeepsAwayFromHugeCosts) {
    constexpr double kHuge = 1e30;
    EXPECT_EQ(minimum_cost_assignment({kHuge, 1, 2, 1, kHuge, 2, 2, 1, kHuge}, 3, 3),
              (std::vector<int>{2, 0, 1}));
    EXPECT_EQ(minimum_cost_assignment(std::vector<double>(12, kHuge), 3, 4),
              (std::vector<int>{0, 1, 2}));
}

TEST(Assignment, FindsRoomForEveryRowWhenHugeCostsCannotBeAvoided) {
    constexpr double kHuge = 1e30;
    const std::vector<double> cost = {1, kHuge, kHuge, 2, kHuge, kHuge, 3, kHuge, kHuge};
    const auto column_of = minimum_cost_assignment(cost, 3, 3);
    EXPECT_EQ(std::set<int>(column_of.begin(), column_of.end()), (std::set<int>{0, 1, 2}));
}

TEST(Assignment, TakesPaddingColumnsOnlyWhereTheyAreCheaper) {
    constexpr double kPadding = 1e10;
    EXPECT_EQ(minimum_cost_assignment({5, kPadding, kPadding, 4, kPadding, kPadding}, 2, 3),
              (std::vector<int>{1, 0}));
}

TEST(Assignment, OfNoRowsIsEmpty) { EXPECT_TRUE(minimum_cost_assignment({}, 0, 4).empty()); }

}  // namespace
