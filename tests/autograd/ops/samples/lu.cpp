// Samples of what an LU decomposition gives.
#include <cmath>

#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const Domain small{.low = -1, .high = 1};

/// x + 3, a matrix of condition below 10 for up to three rows of elements below 1.
Tensor moved(const Tensor& x) { return plus_identity(x, 3); }
Matrix moved(const Matrix& x) { return plus_identity(x, 3); }

Matrix one_number(Real x) {
  Matrix matrix(1, 1);
  matrix.at(0, 0) = x;
  return matrix;
}

const OpSamples solve_samples(OpId::solve, [](Op& op) {
  // The condition, times a few roundings.
  op.accuracy = {.ulps = 40, .floor = 1, .signed_zeros = false, .gradient_ulps = 8};
  const auto of = [&op](const Shape& a, const Shape& b) {
    op.sample({.attributes = to_string(a) + to_string(b),
               .inputs = {{.shape = a, .domain = small}, {.shape = b}},
               .apply = [](const Tensor& x, const Tensor& y) { return solve(moved(x), y); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_pairs(in[0], in[1],
                                     [](const Matrix& x, const Matrix& y) { return solve(moved(x), y); });
                   },
               .linear_in = {1},
               .linear_exactly = false,
               .nasty = false});
  };
  of({3, 3}, {3, 2});
  of({1, 1}, {1, 1});
  of({2, 2, 2}, {2, 1});
  of({2, 2}, {2, 2, 3});
  of({2, 1, 2, 2}, {3, 2, 1});
  of({0, 0}, {0, 2});
  of({0, 2, 2}, {2, 2});
  of({2, 2}, {2, 0});
  op.exact({.what = "rows change places",
            .inputs = {{{2, 2}, {0, 2, 4, 0}}, {{2, 1}, {2, 4}}},
            .apply = [](const Tensor& a, const Tensor& b) { return solve(a, b); },
            .value = {{2, 1}, {1, 1}},
            .gradients = {{{2, 2}, {-0.5, -0.5, -0.25, -0.25}}, {{2, 1}, {0.5, 0.25}}}});
  op.sample({.attributes = "numbers, as they are",
             .inputs = {one_number_above_zero, one_number_above_zero},
             .apply = [](const Tensor& x, const Tensor& y) { return solve(x, y); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_pairs(in[0], in[1],
                                   [](const Matrix& x, const Matrix& y) { return solve(x, y); });
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return solve(ones({2, 3}), ones({2, 1}));
  });
  op.throws<ShapeError>("b must have as many rows as a: a is [2, 2], b is [3, 1]", [] {
    return solve(ones({2, 2}), ones({3, 1}));
  });
  op.throws<ConvergenceError>("the matrix is singular: pivot 2 of its LU decomposition is 0", [] {
    return solve(ones({2, 2}), ones({2, 1}));
  });
});

const OpSamples inverse_samples(OpId::inverse, [](Op& op) {
  op.accuracy = {.ulps = 40, .floor = 1, .signed_zeros = false, .gradient_ulps = 4};
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 3}, Shape{2, 2, 2}, Shape{0, 0}, Shape{0, 2, 2}}) {
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape, .domain = small}},
               .apply = [](const Tensor& x) { return inverse(moved(x)); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_each(in[0], [](const Matrix& x) { return inverse(moved(x)); });
                   },
               .nasty = false});
  }
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return inverse(x); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) { return inverse(x); });
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return inverse(ones({2, 3}));
  });
  op.throws<ConvergenceError>(
      "the matrix [1, 0] of the batch is singular: pivot 1 of its LU decomposition is 0", [] {
        return inverse(reshape(tensor({1, 1, 0, 1}, {.dtype = float32}), {2, 2, 1, 1}));
      });
});

const OpSamples det_samples(OpId::det, [](Op& op) {
  // Products of up to four elements below 4, most of them below 1; away from singular matrices, where third
  // derivatives lose digits. linalg_test.cpp has those that are singular.
  op.accuracy = {
      .ulps = 16, .floor = 64, .signed_zeros = false, .gradient_ulps = 4, .float32_gradient_ulps = 16};
  const auto of = [&op](const Shape& shape, double diagonal) {
    op.sample({.attributes = to_string(shape) + (diagonal == 0 ? "" : " moved"),
               .inputs = {{.shape = shape, .domain = small}},
               .apply = [=](const Tensor& x) { return det(diagonal == 0 ? x : plus_identity(x, diagonal)); },
               .reference =
                   [=](std::span<const Values> in) {
                     return of_each(
                         in[0],
                         [&](const Matrix& x) { return one_number(determinant(plus_identity(x, diagonal))); },
                         2);
                   },
               .derivatives = diagonal != 0,
               .nasty = false});
  };
  for (const Shape& shape : {Shape{1, 1}, Shape{2, 2}, Shape{3, 3}, Shape{4, 4}, Shape{2, 3, 3},
                             Shape{2, 1, 2, 2}, Shape{0, 0}, Shape{0, 2, 2}, Shape{2, 0, 0}})
    of(shape, 3);
  of({4, 4}, 0);
  of({5, 3, 3}, 0);
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return det(x); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return x; }, 2);
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] { return det(ones({2, 3})); });
});

const OpSamples slogdet_samples(OpId::slogdet, [](Op& op) {
  op.accuracy = {.ulps = 40, .floor = 1, .signed_zeros = false, .gradient_ulps = 4};
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 3}, Shape{2, 2, 2}, Shape{0, 0}, Shape{0, 2, 2}}) {
    op.sample(
        {.attributes = to_string(shape) + " logabs",
         .inputs = {{.shape = shape, .domain = small}},
         .apply = [](const Tensor& x) { return slogdet(moved(x)).logabs; },
         .reference =
             [](std::span<const Values> in) {
               return of_each(
                   in[0],
                   [](const Matrix& x) { return one_number(std::log(std::abs(determinant(moved(x))))); }, 2);
             },
         .nasty = false});
  }
  op.sample({.attributes = "sign and logabs",
             .inputs = {{.shape = {2, 2, 2}, .domain = small}},
             .apply =
                 [](const Tensor& x) {
                   const auto [sign, logabs] = slogdet(moved(x));
                   return sign * exp(logabs);
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return one_number(determinant(moved(x))); }, 2);
                 },
             .nasty = false,
             .combined = true});
  op.exact({.what = "of a singular matrix",
            .inputs = {{{2, 2}, {1, 1, 1, 1}}},
            .apply = [](const Tensor& x) { return slogdet(x).logabs; },
            .value = scalar(-infinity),
            .gradients = {{{2, 2}, {not_a_number, not_a_number, not_a_number, not_a_number}}}});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return slogdet(x).logabs; },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return one_number(std::log(x.data[0])); }, 2);
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return slogdet(ones({2, 3})).sign;
  });
});

/// l with ones on the diagonal, as is, plus u - 1 where it is square: both in one matrix.
Matrix packed_lu(const Matrix& a) {
  Matrix rest = a;
  const std::int64_t k = std::min(a.rows, a.columns);
  for (std::int64_t p = 0; p < k; ++p) {
    for (std::int64_t i = p + 1; i < a.rows; ++i) {
      rest.at(i, p) /= rest.at(p, p);
      for (std::int64_t j = p + 1; j < a.columns; ++j) rest.at(i, j) -= rest.at(i, p) * rest.at(p, j);
    }
  }
  return rest;
}

/// The rows of x [batch, 3, 3], the first one last.
Tensor turned(const Tensor& x) {
  return concat({slice(x, {.axis = 1, .start = 1}), slice(x, {.axis = 1, .stop = 1})}, 1);
}

const OpSamples lu_samples(OpId::lu, [](Op& op) {
  // No rows change places in a matrix whose diagonal is that large.
  op.accuracy = {.ulps = 16, .floor = 4, .signed_zeros = false, .gradient_ulps = 4};
  const auto part = [&](const Shape& shape, bool lower) {
    op.sample({.attributes = to_string(shape) + (lower ? " l" : " u"),
               .inputs = {{.shape = shape, .domain = small}},
               .apply =
                   [=](const Tensor& x) {
                     const auto [p, l, u] = lu(plus_identity(x, 5));
                     return lower ? l : u;
                   },
               .reference =
                   [=](std::span<const Values> in) {
                     return of_each(in[0], [&](const Matrix& x) {
                       const Matrix packed = packed_lu(plus_identity(x, 5));
                       const std::int64_t k = std::min(x.rows, x.columns);
                       Matrix result(lower ? x.rows : k, lower ? k : x.columns);
                       for (std::int64_t i = 0; i < result.rows; ++i) {
                         for (std::int64_t j = 0; j < result.columns; ++j) {
                           if (lower ? i > j : i <= j) result.at(i, j) = packed.at(i, j);
                           if (lower && i == j) result.at(i, j) = 1;
                         }
                       }
                       return result;
                     });
                   },
               .nasty = false});
  };
  for (const bool lower : {true, false}) {
    for (const Shape& shape :
         {Shape{3, 3}, Shape{2, 4}, Shape{4, 2}, Shape{2, 2, 2}, Shape{0, 3}, Shape{0, 2, 2}})
      part(shape, lower);
  }
  // Of l u itself the cotangents of l and u are no two numbers, and terms of the rule are 0.
  op.sample({.attributes = "l and u, each with a cotangent of its own",
             .inputs = {{.shape = {2, 3, 3}, .domain = small}},
             .apply =
                 [](const Tensor& x) {
                   const auto [p, l, u] = lu(plus_identity(x, 5));
                   return l * 2 + u;
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) {
                     Matrix both = packed_lu(plus_identity(x, 5));
                     for (std::int64_t i = 0; i < 3; ++i) {
                       for (std::int64_t j = 0; j < i; ++j) both.at(i, j) *= 2;
                       both.at(i, i) += 2;
                     }
                     return both;
                   });
                 },
             .nasty = false,
             .combined = true});
  op.sample({.attributes = "l, whose rows change places",
             .inputs = {{.shape = {2, 3, 3}, .domain = small}},
             .apply = [](const Tensor& x) { return lu(turned(plus_identity(x, 5))).l; },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) {
                     Matrix l = packed_lu(plus_identity(x, 5));
                     for (std::int64_t i = 0; i < 3; ++i) {
                       for (std::int64_t j = i; j < 3; ++j) l.at(i, j) = i == j ? 1 : 0;
                     }
                     return l;
                   });
                 },
             .nasty = false,
             .combined = true});
  op.sample({.attributes = "all of them, whose rows change places",
             .inputs = {{.shape = {2, 3, 3}, .domain = small}},
             .apply =
                 [](const Tensor& x) {
                   const auto [p, l, u] = lu(turned(plus_identity(x, 5)));
                   return matmul(p, matmul(l, u));
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) {
                     const Matrix moved = plus_identity(x, 5);
                     Matrix rows = moved;
                     for (std::int64_t i = 0; i < 3; ++i) {
                       for (std::int64_t j = 0; j < 3; ++j) rows.at(i, j) = moved.at((i + 1) % 3, j);
                     }
                     return rows;
                   });
                 },
             .nasty = false,
             .combined = true});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return lu(x).u; },
             .reference =
                 [](std::span<const Values> in) { return of_each(in[0], [](const Matrix& x) { return x; }); },
             .nasty = false});
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return lu(ones({3})).l; });
});

}}  // namespace xtgrad::testing
