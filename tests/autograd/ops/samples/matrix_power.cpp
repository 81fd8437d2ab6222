// Samples of powers of matrices.
#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"

namespace xtgrad::inline v1::testing { namespace {

const OpSamples matrix_power_samples(OpId::matrix_power, [](Op& op) {
  op.parts = {OpId::matmul, OpId::inverse};
  // Elements up to 4^5, and the condition, below 3, of each of three products, or of an inverse.
  op.accuracy = {
      .ulps = 64, .floor = 4, .signed_zeros = false, .gradient_ulps = 16, .float32_gradient_ulps = 32};
  const auto of = [&op](const Shape& shape, std::int64_t n) {
    op.sample({.attributes = to_string(shape) + " n=" + std::to_string(n),
               .inputs = {{.shape = shape, .domain = {.low = -1, .high = 1}}},
               .apply = [n](const Tensor& x) { return matrix_power(plus_identity(x, 3), n); },
               .reference =
                   [n](std::span<const Values> in) {
                     return of_each(in[0], [&](const Matrix& x) {
                       const Matrix a = n < 0 ? inverse(plus_identity(x, 3)) : plus_identity(x, 3);
                       Matrix product = identity(x.rows);
                       for (std::int64_t i = 0; i < std::abs(n); ++i) product = multiply(product, a);
                       return product;
                     });
                   },
               .nasty = false});
  };
  for (const std::int64_t n : {1, 2, 3, 5, -1, -2}) of({2, 2}, n);
  of({2, 3, 3}, 2);
  of({0, 0}, 3);
  of({0, 2, 2}, -3);
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return matrix_power(ones({2, 3}), 2);
  });
  op.throws<ConvergenceError>("the matrix is singular", [] { return matrix_power(ones({2, 2}), -1); });
});

}}  // namespace xtgrad::testing
