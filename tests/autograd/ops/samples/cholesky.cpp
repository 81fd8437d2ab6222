// Samples of Cholesky's decomposition, and of equations solved by it.
#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Positive definite for elements below 1.
Tensor definite(const Tensor& x) { return symmetric(x, static_cast<double>(2 * x.size(-1))); }
Matrix definite(const Matrix& x) { return symmetric(x, static_cast<double>(2 * x.rows)); }

const Domain small{.low = -1, .high = 1};

const OpSamples cholesky_samples(OpId::cholesky, [](Op& op) {
  // Well conditioned: a rounding for each of four terms, at the size of a's elements.
  op.accuracy = {.ulps = 8, .floor = 1, .signed_zeros = false, .gradient_ulps = 4};
  const auto of = [&op](const Shape& shape) {
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape, .domain = small}},
               .apply = [](const Tensor& x) { return cholesky(definite(x)); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_each(in[0], [](const Matrix& x) { return cholesky(definite(x)); });
                   },
               .nasty = false});
  };
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 3}, Shape{4, 4}, Shape{2, 2, 2}, Shape{2, 1, 3, 3},
                             Shape{0, 0}, Shape{0, 2, 2}, Shape{2, 0, 0}})
    of(shape);
  op.exact({.what = "the gradient is symmetric",
            .inputs = {{{2, 2}, {4, 2, 2, 2}}},
            .apply = [](const Tensor& a) { return cholesky(a); },
            .value = {{2, 2}, {2, 0, 1, 1}},
            .gradients = {{{2, 2}, {0.25, 0, 0, 0.5}}}});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return cholesky(x); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) { return cholesky(x); });
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return cholesky(ones({2, 3}));
  });
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return cholesky(ones({3})); });
  op.throws<ValueError>("the matrix [1] of the batch is not positive definite: leading minor of order 2", [] {
    return cholesky(stack({eye(2), tensor({{1, 2}, {2, 1}}, {.dtype = float32})}));
  });
  op.throws<ValueError>("the matrix is not symmetric: element [1, 0] is 3, [0, 1] is 2", [] {
    return cholesky(tensor({{4, 2}, {3, 4}}, {.dtype = float32}));
  });
});

const OpSamples cholesky_solve_samples(OpId::cholesky_solve, [](Op& op) {
  op.parts = {OpId::solve_triangular};
  // Two equations with a triangular matrix, as of solve_triangular.
  op.accuracy = {.ulps = 16, .floor = 1, .signed_zeros = false, .gradient_ulps = 8};
  const auto of = [&op](const Shape& l, const Shape& b) {
    op.sample(
        {.attributes = to_string(l) + to_string(b),
         .inputs = {{.shape = l, .domain = small}, {.shape = b}},
         .apply = [](const Tensor& x, const Tensor& y) { return cholesky_solve(plus_identity(x, 3), y); },
         .reference =
             [](std::span<const Values> in) {
               return of_pairs(in[0], in[1], [](const Matrix& x, const Matrix& y) {
                 Matrix lower = plus_identity(x, 3);
                 for (std::int64_t i = 0; i < x.rows; ++i) {
                   for (std::int64_t j = i + 1; j < x.rows; ++j) lower.at(i, j) = 0;
                 }
                 return solve(multiply(lower, transpose(lower)), y);
               });
             },
         .linear_in = {1},
         .linear_exactly = false,
         .nasty = false});
  };
  of({3, 3}, {3, 2});
  of({2, 2, 2}, {2, 1});
  of({2, 2}, {3, 2, 1});
  of({0, 0}, {0, 1});
  op.throws<ShapeError>("b must have as many rows as a: a is [2, 2], b is [3, 1]", [] {
    return cholesky_solve(ones({2, 2}), ones({3, 1}));
  });
});

}}  // namespace xtgrad::testing
