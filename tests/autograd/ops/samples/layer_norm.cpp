// Samples of layer normalisation.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Row by row, in two passes.
SampleReference normalised(Real eps) {
  return [eps](std::span<const Values> in) {
    const std::size_t n = in[1].data.size();
    Values out = in[0];
    for (std::size_t start = 0; n > 0 && start < out.data.size(); start += n) {
      Real mean = 0, variance = 0;
      for (std::size_t i = 0; i < n; ++i) mean += in[0].data[start + i] / static_cast<Real>(n);
      for (std::size_t i = 0; i < n; ++i) {
        const Real deviation = in[0].data[start + i] - mean;
        variance += deviation * deviation / static_cast<Real>(n);
      }
      for (std::size_t i = 0; i < n; ++i) {
        const Real z = (in[0].data[start + i] - mean) / std::sqrt(variance + eps);
        out.data[start + i] = z * in[1].data[i] + in[2].data[i];
      }
    }
    return out;
  };
}

const OpSamples layer_norm_samples(OpId::layer_norm, [](Op& op) {
  // Elements of x in small samples are 0.15 apart at least and below 2.7, those of large ones far apart on
  // the whole. In a row of three, the shortest, the sums and the quotient of a mean leave at most 7 half
  // units of 2^-52 (2^-23), which the deviation, 0.12 at least, makes 58, and six roundings of numbers
  // below 1.5 come after that: 64 half units of a weight of 1. In gradients terms of the cotangent's size
  // cancel, a row of them.
  op.accuracy = {.ulps = 32, .floor = 1, .gradient_ulps = 32, .gradient_floor = 1};
  const auto sample = [&op](const Shape& shape, const Shape& end, double eps, bool derivatives) {
    op.sample({.attributes = to_string(shape) + " over " + to_string(end) + ", eps=" + std::to_string(eps),
               .inputs = {{.shape = shape, .domain = {.apart = derivatives}},
                          {.shape = end, .domain = {.low = -1, .high = 1}},
                          {.shape = end}},
               .apply = [eps](const Tensor& x, const Tensor& weight,
                              const Tensor& bias) { return layer_norm(x, weight, bias, {.eps = eps}); },
               .reference = normalised(static_cast<Real>(eps)),
               .derivatives = derivatives,
               .nasty = false});  // what infinities and NaN do is in layer_norm_test.cpp
  };
  sample({4}, {4}, 1e-5, true);
  sample({2, 3}, {3}, 1e-5, true);
  sample({2, 3, 2}, {3, 2}, 0.5, true);
  sample({2, 3, 2}, {2}, 0.1, true);
  sample({7, 3}, {3}, 1e-5, true);
  sample({1, 17}, {17}, 1e-5, true);
  sample({3, 5}, {5}, 0, true);
  sample({3, 1}, {1}, 1e-5, true);
  sample({0, 3}, {3}, 1e-5, true);
  sample({3, 0}, {0}, 1e-5, true);
  sample({70, 1037}, {1037}, 1e-5, false);
  sample({1037, 70}, {70}, 1e-5, false);
  sample({65, 7, 3}, {7, 3}, 1e-5, false);
  const Tensor x = ones({4, 3}), three = ones({3});
  op.throws<ShapeError>(
      "layer_norm: weight must have the shape of x's last dimensions: x is [4, 3], weight is [2]",
      [=] { return layer_norm(x, ones({2}), three); });
  op.throws<ShapeError>("weight must have the shape of x's last dimensions: x is [4, 3], weight is []",
                        [=] { return layer_norm(x, ones({}), three); });
  op.throws<ShapeError>("weight must have the shape of x's last dimensions: x is [3], weight is [4, 3]",
                        [=] { return layer_norm(three, x, x); });
  op.throws<ShapeError>("bias must have the shape of x's last dimensions: x is [4, 3], bias is [4]",
                        [=] { return layer_norm(x, three, ones({4})); });
  op.throws<ShapeError>("weight and bias must have one shape: weight is [3], bias is [4, 3]",
                        [=] { return layer_norm(x, three, x); });
  op.throws<ValueError>("eps must be finite and not negative, got -1",
                        [=] { return layer_norm(x, three, three, {.eps = -1}); });
  op.throws<ValueError>("eps must be finite and not negative, got nan",
                        [=] { return layer_norm(x, three, three, {.eps = not_a_number}); });
});

}}  // namespace xtgrad::testing
