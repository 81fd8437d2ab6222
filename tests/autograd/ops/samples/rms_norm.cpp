// Samples of normalisation by the root of the mean square.
#include <cmath>
#include <limits>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

SampleReference divided_by_root(Real eps) {
  return [eps](std::span<const Values> in) {
    const std::size_t n = in[1].data.size();
    Values out = in[0];
    for (std::size_t start = 0; n > 0 && start < out.data.size(); start += n) {
      Real squares = 0;
      for (std::size_t i = 0; i < n; ++i) squares += in[0].data[start + i] * in[0].data[start + i];
      const Real root = std::sqrt(squares / static_cast<Real>(n) + eps);
      for (std::size_t i = 0; i < n; ++i) out.data[start + i] = in[0].data[start + i] / root * in[1].data[i];
    }
    return out;
  };
}

const OpSamples rms_norm_samples(OpId::rms_norm, [](Op& op) {
  // The root's rounding and those of two products; in the gradients terms of size 1 cancel.
  op.accuracy = {.ulps = 4, .gradient_ulps = 32, .gradient_floor = 1};
  const auto sample = [&op](const Shape& shape, const Shape& end, double eps, bool derivatives) {
    op.sample(
        {.attributes = to_string(shape) + " over " + to_string(end) + ", eps=" + std::to_string(eps),
         .inputs = {{.shape = shape}, {.shape = end}},
         .apply = [eps](const Tensor& x, const Tensor& weight) { return rms_norm(x, weight, {.eps = eps}); },
         .reference = divided_by_root(static_cast<Real>(eps)),
         .derivatives = derivatives,
         .nasty = false});  // what infinities and NaN do is in group_norm_test.cpp
  };
  sample({4}, {4}, 1e-5, true);
  sample({2, 3}, {3}, 0, true);
  sample({2, 3, 2}, {3, 2}, 0.5, true);
  sample({3, 1}, {1}, 0.5, true);
  sample({0, 3}, {3}, 1e-5, true);
  sample({3, 0}, {0}, 1e-5, true);
  sample({1, 17}, {17}, 0.1, true);
  sample({70, 1037}, {1037}, 1e-5, false);
  // The eps of the dtype is less than half a unit in the last place of 4.
  op.exact({"zeros and twos, of the dtype's own eps",
            {Values{{2, 2}, {0, 0, 2, -2}}},
            [](const Tensor& x) { return rms_norm(x); },
            Values{{2, 2}, {0, 0, 1, -1}}});
  const Tensor x = ones({4, 3}), three = ones({3});
  op.throws<ShapeError>(
      "rms_norm: weight must have the shape of x's last dimensions: x is [4, 3], weight is [2]",
      [=] { return rms_norm(x, ones({2})); });
  op.throws<ShapeError>("weight must have the shape of x's last dimensions: x is [], weight is []",
                        [] { return rms_norm(ones({})); });
  op.throws<ValueError>("eps must be finite and not negative, got -1",
                        [=] { return rms_norm(x, three, {.eps = -1}); });
});

}}  // namespace xtgrad::v1::testing
