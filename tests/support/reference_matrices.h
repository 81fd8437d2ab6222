#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "tests/support/values.h"

namespace xtgrad::inline v1::testing {

/// A matrix for references: textbook algorithms in long double, which share no code with what they check.
struct Matrix {
  Matrix(std::int64_t m, std::int64_t n) : rows(m), columns(n), data(static_cast<std::size_t>(m * n)) {}

  [[nodiscard]] Real at(std::int64_t i, std::int64_t j) const {
    return data[static_cast<std::size_t>(i * columns + j)];
  }
  [[nodiscard]] Real& at(std::int64_t i, std::int64_t j) {
    return data[static_cast<std::size_t>(i * columns + j)];
  }

  std::int64_t rows;
  std::int64_t columns;
  std::vector<Real> data;
};

/// x plus a multiple of the identity, which takes a matrix of small elements away from all that is singular.
/// What is not floating is left as it is, for an operation to refuse.
Tensor plus_identity(const Tensor& x, double factor);
Matrix plus_identity(Matrix x, double factor);
/// (x + x')/2, and a multiple of the identity, likewise.
Tensor symmetric(const Tensor& x, double factor = 0);
Matrix symmetric(const Matrix& x, double factor = 0);

Matrix identity(std::int64_t n);
Matrix transpose(const Matrix& a);
Matrix multiply(const Matrix& a, const Matrix& b);
Matrix add(const Matrix& a, const Matrix& b, Real factor = 1);  // a + factor b
/// By elimination with partial pivoting.
Matrix solve(Matrix a, Matrix b);
Matrix inverse(const Matrix& a);
/// By expansion along the first row: exact but for its roundings also where it is 0.
Real determinant(const Matrix& a);
/// Row by row.
Matrix cholesky(const Matrix& a);
/// By Gram and Schmidt's process, twice.
std::pair<Matrix, Matrix> qr(const Matrix& a);
/// By Jacobi's rotations: values [n, 1], ascending, and vectors in columns, each with its largest component
/// positive.
std::pair<Matrix, Matrix> eigh(Matrix a);
/// By Jacobi's rotations of columns: u, s [k, 1] and vh; of full rank.
struct SingularParts {
  Matrix u, s, vh;
};
SingularParts svd(const Matrix& a);
/// By the series of a / 2^s, squared s times.
Matrix exponential(const Matrix& a);

/// For a sample whose input comes to the operation as it is drawn.
const Input one_number_above_zero{.shape = {1, 1}, .domain = {.low = 1, .high = 2}};

/// Matrix number `index` of a batch [..., m, n].
Matrix matrix_of(const Values& x, std::int64_t index);
/// f of each matrix of x; what comes of it is [..., m', n'], or [..., m'] and [...] with 1 or 2 dimensions
/// dropped.
Values of_each(const Values& x, const std::function<Matrix(const Matrix&)>& f, std::size_t dropped = 0);
/// f of each pair of matrices, whose batches broadcast.
Values of_pairs(const Values& a, const Values& b,
                const std::function<Matrix(const Matrix&, const Matrix&)>& f);

}  // namespace xtgrad::v1::testing
