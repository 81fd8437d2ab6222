// Samples of batch normalisation.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Channel by channel, in two passes.
SampleReference normalised(Real eps) {
  return [eps](std::span<const Values> in) {
    const Values& x = in[0];
    const auto c = static_cast<std::size_t>(x.shape[1]);
    std::vector<Real> mean(c), variance(c);
    Real count = 0;
    for_each_index(x.shape, [&](const Index& at) {
      mean[static_cast<std::size_t>(at[1])] += x.at(at);
      count += at[1] == 0 ? 1 : 0;
    });
    for (Real& m : mean) m /= count;
    for_each_index(x.shape, [&](const Index& at) {
      const auto k = static_cast<std::size_t>(at[1]);
      variance[k] += (x.at(at) - mean[k]) * (x.at(at) - mean[k]) / count;
    });
    return fill(x.shape, [&](const Index& at) {
      const auto k = static_cast<std::size_t>(at[1]);
      return (x.at(at) - mean[k]) / std::sqrt(variance[k] + eps) * in[1].data[k] + in[2].data[k];
    });
  };
}

const OpSamples batch_norm_samples(OpId::batch_norm, [](Op& op) {
  // As layer_norm's: what a mean's roundings are is large beside a deviation where few elements differ
  // little, so small samples have theirs apart. Of the shortest channels, of 4 elements and of 17, it is 57
  // half units at most. In gradients terms of the cotangent's size cancel, a channel of them.
  op.accuracy = {.ulps = 32, .floor = 1, .gradient_ulps = 32, .gradient_floor = 1};
  const auto sample = [&op](const Shape& shape, double eps, bool derivatives) {
    op.sample({.attributes = to_string(shape) + ", eps=" + std::to_string(eps),
               .inputs = {{.shape = shape, .domain = {.apart = derivatives}},
                          {.shape = {shape[1]}, .domain = {.low = -1, .high = 1}},
                          {.shape = {shape[1]}}},
               .apply = [eps](const Tensor& x, const Tensor& weight,
                              const Tensor& bias) { return batch_norm(x, weight, bias, {.eps = eps}); },
               .reference = normalised(static_cast<Real>(eps)),
               .derivatives = derivatives,
               .nasty = false});  // what infinities and NaN do is in batch_norm_test.cpp
  };
  sample({4, 2}, 1e-5, true);
  sample({2, 3, 2, 2}, 1e-5, true);
  sample({3, 2, 2}, 0.5, true);
  sample({1, 2, 17}, 1e-5, true);
  sample({5, 3}, 0, true);
  sample({3, 0, 2}, 1e-5, true);
  sample({0, 2}, 1e-5, true);
  sample({0, 2, 5}, 1e-5, true);
  sample({3, 2, 0}, 0, true);
  sample({4, 3, 1, 1}, 0.1, true);
  sample({1037, 70}, 1e-5, false);
  sample({65, 7, 3}, 1e-5, false);
  sample({33, 5, 7, 9}, 1e-5, false);
  sample({3, 2, 64, 65}, 1e-5, false);
  const Tensor two = ones({2});
  op.throws<ShapeError>("batch_norm: x needs at least 2 dimensions [n, c, ...]: x is [2]",
                        [=] { return batch_norm(two, two, two); });
  op.throws<ShapeError>(
      "batch_norm: weight must have an element for each channel, [3]: x is [4, 3], weight is [2]", [=] {
        return batch_norm(ones({4, 3}), two, two);
      });
  op.throws<ShapeError>("bias must have an element for each channel, [2]: x is [4, 2], bias is [2, 1]", [=] {
    return batch_norm(ones({4, 2}), two, ones({2, 1}));
  });
  op.throws<ShapeError>("batch_norm: needs more than one value a channel: x is [1, 2], which has 1", [=] {
    return batch_norm(ones({1, 2}), two, two);
  });
  op.throws<ValueError>("eps must be finite and not negative, got -1", [=] {
    return batch_norm(ones({4, 2}), two, two, {.eps = -1});
  });
  op.throws<ValueError>("eps must be finite and not negative, got nan", [=] {
    return batch_norm(ones({4, 2}), two, two, {.eps = not_a_number});
  });
});

const OpSamples normalize_by_samples(OpId::normalize_by, [](Op& op) {
  // The difference is below 4 and the product below 8: rounding each leaves 2 units of 2^-52 (2^-23) in the
  // sum, whatever the shift cancels, and rounding that half a unit.
  op.accuracy = {.ulps = 4.5, .floor = 1, .signed_zeros = false};
  const auto sample = [&op](const Shape& shape, bool derivatives) {
    const Input channel{.shape = {shape[1]}};
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape}, channel, channel, channel},
               .apply = [](std::span<const Tensor> in) { return normalize_by(in[0], in[1], in[2], in[3]); },
               .reference =
                   [](std::span<const Values> in) {
                     return fill(in[0].shape, [&](const Index& at) {
                       const auto k = static_cast<std::size_t>(at[1]);
                       return (in[0].at(at) - in[1].data[k]) * in[2].data[k] + in[3].data[k];
                     });
                   },
               .derivatives = derivatives});
  };
  sample({4, 2}, true);
  sample({2, 3, 2, 2}, true);
  sample({1, 2, 3}, true);
  sample({0, 2, 3}, true);
  sample({2, 0}, true);
  sample({37, 5, 7, 9}, false);
  sample({3, 2, 64, 65}, false);
  const Tensor two = ones({2});
  op.throws<ShapeError>("normalize_by: x needs at least 2 dimensions [n, c, ...]: x is [2]",
                        [=] { return normalize_by(two, two, two, two); });
  op.throws<ShapeError>(
      "normalize_by: mean must have an element for each channel, [3]: x is [4, 3], mean is [2]", [=] {
        return normalize_by(ones({4, 3}), two, two, two);
      });
  op.throws<ShapeError>("scale must have an element for each channel, [2]: x is [4, 2], scale is [2, 1]",
                        [=] {
                          return normalize_by(ones({4, 2}), two, ones({2, 1}), two);
                        });
  op.throws<ShapeError>("shift must have an element for each channel, [2]: x is [4, 2], shift is []", [=] {
    return normalize_by(ones({4, 2}), two, two, ones({}));
  });
});

}}  // namespace xtgrad::testing
