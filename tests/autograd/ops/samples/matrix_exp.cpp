// Samples of the exponential of a matrix.
#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const OpSamples matrix_exp_samples(OpId::matrix_exp, [](Op& op) {
  // A norm of up to 4: terms of the series as large as e^4 cancel, and two squarings double what is off
  // before.
  op.accuracy = {
      .ulps = 32, .floor = 32, .signed_zeros = false, .gradient_ulps = 32, .float32_gradient_ulps = 64};
  for (const double size : {0.01, 0.2, 1.0}) {
    for (const Shape& shape :
         {Shape{1, 1}, Shape{2, 2}, Shape{3, 3}, Shape{2, 2, 2}, Shape{0, 0}, Shape{0, 2, 2}}) {
      op.sample({.attributes = to_string(shape) + " up to " + std::to_string(size),
                 .inputs = {{.shape = shape, .domain = {.low = -size, .high = size}}},
                 .apply = [](const Tensor& x) { return matrix_exp(x); },
                 .reference = [](std::span<const Values> in) { return of_each(in[0], exponential); },
                 .nasty = false});
    }
  }
  op.exact({.what = "of a nilpotent matrix",
            .inputs = {{{2, 2}, {0, 2, 0, 0}}},
            .apply = [](const Tensor& x) { return matrix_exp(x); },
            .value = {{2, 2}, {1, 2, 0, 1}}});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return matrix_exp(ones({2, 3}));
  });
});

}}  // namespace xtgrad::testing
