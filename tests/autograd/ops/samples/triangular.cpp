// Samples of equations with a triangular matrix.
#include <string>

#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

Matrix triangle_of(const Matrix& a, const SolveTriangularOptions& options) {
  Matrix t(a.rows, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.rows; ++j) {
      if (options.upper ? j >= i : j <= i) t.at(i, j) = a.at(i, j);
    }
    if (options.unit_diagonal) t.at(i, i) = 1;
  }
  return options.transpose ? transpose(t) : t;
}

const OpSamples solve_triangular_samples(OpId::solve_triangular, [](Op& op) {
  // Elements below 1 and a diagonal of 2 to 3 (or 1): three rows lose two digits at most where nothing
  // cancels, and what cancels has terms of up to 8.
  op.accuracy = {.ulps = 16, .floor = 8, .signed_zeros = false, .gradient_ulps = 4};
  const auto of = [&op](const Shape& a, const Shape& b, const SolveTriangularOptions& options) {
    op.sample(
        {.attributes = to_string(a) + to_string(b) + (options.upper ? " upper" : "") +
                       (options.transpose ? " transpose" : "") + (options.unit_diagonal ? " unit" : ""),
         .inputs = {{.shape = a, .domain = {.low = -1, .high = 1}}, {.shape = b}},
         .apply = [options](const Tensor& x,
                            const Tensor& y) { return solve_triangular(plus_identity(x, 3), y, options); },
         .reference =
             [options](std::span<const Values> in) {
               return of_pairs(in[0], in[1], [&](const Matrix& x, const Matrix& y) {
                 return solve(triangle_of(plus_identity(x, 3), options), y);
               });
             },
         .linear_in = {1},
         .linear_exactly = false,
         .nasty = false});
  };
  for (const bool upper : {false, true}) {
    for (const bool transpose : {false, true}) of({3, 3}, {3, 2}, {.upper = upper, .transpose = transpose});
  }
  of({3, 3}, {3, 2}, {.unit_diagonal = true});
  of({3, 3}, {3, 2}, {.upper = true, .transpose = true, .unit_diagonal = true});
  of({2, 2, 2}, {2, 1}, {});
  of({2, 2}, {2, 2, 3}, {.upper = true});
  of({2, 1, 2, 2}, {3, 2, 1}, {.transpose = true});
  of({1, 1}, {1, 1}, {});
  of({0, 0}, {0, 2}, {});
  of({0, 2, 2}, {2, 2}, {});
  of({2, 2}, {2, 0}, {});
  op.exact({.what = "the other triangle is not read, and has no gradient",
            .inputs = {{{2, 2}, {2, not_a_number, 4, 8}}, {{2, 1}, {2, 20}}},
            .apply = [](const Tensor& a, const Tensor& b) { return solve_triangular(a, b); },
            .value = {{2, 1}, {1, 2}},
            .gradients = {{{2, 2}, {-0.25, 0, -0.125, -0.25}}, {{2, 1}, {0.25, 0.125}}}});
  op.sample({.attributes = "numbers, as they are",
             .inputs = {one_number_above_zero, one_number_above_zero},
             .apply = [](const Tensor& x, const Tensor& y) { return solve_triangular(x, y); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_pairs(in[0], in[1],
                                   [](const Matrix& x, const Matrix& y) { return solve(x, y); });
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return solve_triangular(ones({2, 3}), ones({2, 1}));
  });
  op.throws<ShapeError>("b must have as many rows as a: a is [2, 2], b is [3, 1]", [] {
    return solve_triangular(ones({2, 2}), ones({3, 1}));
  });
  op.throws<ShapeError>("shapes do not broadcast: a is [2], b is [3]", [] {
    return solve_triangular(ones({2, 1, 1}), ones({3, 1, 1}));
  });
  op.throws<ConvergenceError>("the matrix [1] of the batch is singular: element [0, 0] is 0", [] {
    return solve_triangular(reshape(tensor({1, 0}), {2, 1, 1}), ones({1, 1}));
  });
});

}}  // namespace xtgrad::testing
