// Samples of group and instance normalisation.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Group by group, in two passes; `groups` of 0 stand for one each channel.
SampleReference normalised(std::size_t groups, Real eps) {
  return [groups, eps](std::span<const Values> in) {
    const Values& x = in[0];
    const auto channels = static_cast<std::size_t>(x.shape[1]);
    const std::size_t of_sample = x.data.empty() ? 0 : x.data.size() / static_cast<std::size_t>(x.shape[0]);
    const std::size_t n = of_sample / (groups == 0 ? channels : groups);
    Values out = x;
    for (std::size_t start = 0; n > 0 && start < x.data.size(); start += n) {
      Real mean = 0, variance = 0;
      for (std::size_t i = 0; i < n; ++i) mean += x.data[start + i] / static_cast<Real>(n);
      for (std::size_t i = 0; i < n; ++i) {
        const Real deviation = x.data[start + i] - mean;
        variance += deviation * deviation / static_cast<Real>(n);
      }
      for (std::size_t i = start; i < start + n; ++i) {
        const std::size_t channel = i % of_sample / (of_sample / channels);
        const Real z = (x.data[i] - mean) / std::sqrt(variance + eps);
        out.data[i] = z * in[1].data[channel] + in[2].data[channel];
      }
    }
    return out;
  };
}

/// As layer_norm's: terms of size 1 cancel in the result, and many of them in the gradients' sums, all the
/// more where a group has few elements and one of them differs little from another.
constexpr Accuracy accuracy = {
    .ulps = 6, .floor = 1, .gradient_ulps = 64, .gradient_floor = 1, .float32_gradient_ulps = 64};

const OpSamples group_norm_samples(OpId::group_norm, [](Op& op) {
  op.accuracy = accuracy;
  const auto sample = [&op](const Shape& shape, std::int64_t groups, double eps, bool derivatives) {
    const Shape channels{shape[1]};
    op.sample({.attributes =
                   to_string(shape) + ", groups=" + std::to_string(groups) + ", eps=" + std::to_string(eps),
               .inputs = {{.shape = shape}, {.shape = channels}, {.shape = channels}},
               .apply = [groups, eps](
                            const Tensor& x, const Tensor& weight,
                            const Tensor& bias) { return group_norm(x, groups, weight, bias, {.eps = eps}); },
               .reference = normalised(static_cast<std::size_t>(groups), static_cast<Real>(eps)),
               .derivatives = derivatives,
               .nasty = false});  // what infinities and NaN do is in group_norm_test.cpp
  };
  sample({2, 4}, 2, 0.3, true);
  sample({1, 4, 2}, 2, 0.5, true);
  sample({2, 2, 2, 1}, 1, 1e-5, true);
  sample({1, 2, 4}, 2, 0, true);
  sample({0, 2, 3}, 2, 1e-5, true);
  sample({2, 2, 0}, 1, 1e-5, true);
  sample({3, 6, 67, 3}, 2, 1e-5, false);
  sample({37, 70}, 7, 1e-5, false);
  const Tensor x = ones({4, 3}), three = ones({3});
  op.throws<ShapeError>("group_norm: x needs at least 2 dimensions [n, c, ...]: x is [3]",
                        [=] { return group_norm(three, 1, three, three); });
  op.throws<ShapeError>("weight must have an element for each channel, [3]: x is [4, 3], weight is [4, 3]",
                        [=] { return group_norm(x, 1, x, three); });
  op.throws<ShapeError>("bias must have an element for each channel, [3]: x is [4, 3], bias is [2]",
                        [=] { return group_norm(x, 1, three, ones({2})); });
  op.throws<ValueError>("groups must divide the channels: got 2 groups, x is [4, 3]",
                        [=] { return group_norm(x, 2, three, three); });
  op.throws<ValueError>("groups must be at least 1, got 0", [=] { return group_norm(x, 0, three, three); });
  op.throws<ValueError>("eps must be finite and not negative, got -1",
                        [=] { return group_norm(x, 1, three, three, {.eps = -1}); });
});

const OpSamples instance_norm_samples(OpId::instance_norm, [](Op& op) {
  op.accuracy = accuracy;
  op.parts = {OpId::group_norm};
  const auto sample = [&op](const Shape& shape, bool derivatives) {
    const Shape channels{shape[1]};
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape}, {.shape = channels}, {.shape = channels}},
               .apply = [](const Tensor& x, const Tensor& weight,
                           const Tensor& bias) { return instance_norm(x, weight, bias, {.eps = 0.1}); },
               .reference = normalised(0, 0.1L),
               .derivatives = derivatives,
               .nasty = false});
  };
  sample({2, 2, 3}, true);
  sample({1, 2, 2, 2}, true);
  sample({2, 3, 40, 3}, false);
  op.throws<ShapeError>("instance_norm: x needs at least 2 dimensions [n, c, ...]: x is [3]",
                        [] { return instance_norm(ones({3})); });
});

}}  // namespace xtgrad::v1::testing
