// Samples of distances between points.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/distance.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

Values distances(std::span<const Values> in) {
  const Shape &a = in[0].shape, &b = in[1].shape;
  Shape left = a, right = b;
  left[a.rank() - 1] = 1;
  right[b.rank() - 2] = 1;
  right[b.rank() - 1] = b[b.rank() - 2];
  return fill(broadcast_shapes("cdist", left, right), [&](const Index& index) {
    Real sum = 0;
    for (std::int64_t k = 0; k < a.back(); ++k) {
      Index to_a = index, to_b = index;
      to_a.back() = k;
      to_b[index.size() - 2] = index.back();
      to_b.back() = k;
      const Real d = in[0].at(broadcast_index(to_a, a)) - in[1].at(broadcast_index(to_b, b));
      sum += d * d;
    }
    return std::sqrt(sum);
  });
}

const OpSamples cdist_samples(OpId::cdist, [](Op& op) {
  // Each difference is rounded, which its square doubles, and a root halves, with the sum's roundings. Terms
  // of the gradient are as large as the cotangent, and may cancel: up to 31 of them, which the plain rule
  // adds one after the other, each by half a unit off, and the recorded rule rounds three times before.
  op.accuracy = {.ulps = 4, .gradient_ulps = 20, .gradient_floor = 1};
  const auto of = [&](const Shape& a, const Shape& b, bool derivatives = true) {
    op.sample({.attributes = fmt::format("{} and {}", to_string(a), to_string(b)),
               .inputs = {{.shape = a}, {.shape = b, .domain = {.low = 3, .high = 5}}},
               .apply = [](const Tensor& x, const Tensor& y) { return cdist(x, y); },
               .reference = distances,
               .derivatives = derivatives,
               .nasty = false});
  };
  of({3, 2}, {4, 2});
  of({2, 3}, {1, 3});
  of({2, 2, 2}, {3, 2});
  of({2, 1, 2, 2}, {3, 1, 2});
  of({0, 2}, {3, 2});
  of({2, 2}, {0, 2});
  of({2, 1}, {2, 1});
  of({20, 37}, {31, 37}, false);
  of({5, 131}, {7, 131}, false);
  op.exact({"of equal points",
            {Values{{1, 2}, {1, 2}}, Values{{2, 2}, {1, 2, 1, 6}}},
            [](const Tensor& a, const Tensor& b) { return cdist(a, b); },
            Values{{1, 2}, {0, 4}},
            {Values{{1, 2}, {0, -1}}, Values{{2, 2}, {0, 0, 0, 1}}}});
  op.exact({"NaN in a point is in all its distances",
            {Values{{1, 2}, {1, not_a_number}}, Values{{1, 2}, {1, 2}}},
            [](const Tensor& a, const Tensor& b) { return cdist(a, b); },
            Values{{1, 1}, {not_a_number}},
            {Values{{1, 2}, {not_a_number, not_a_number}}, Values{{1, 2}, {not_a_number, not_a_number}}}});
  op.throws<ShapeError>("needs points [..., n, d] and [..., m, d]: a is [2, 3], b is [2, 4]", [] {
    return cdist(ones({2, 3}), ones({2, 4}));
  });
  op.throws<ShapeError>("needs points [..., n, d] and [..., m, d]: a is [3], b is [2, 3]", [] {
    return cdist(ones({3}), ones({2, 3}));
  });
  op.throws<ValueError>("p must be at least 0: got -1", [] { return cdist(ones({2, 3}), ones({2, 3}), -1); });
});

}}  // namespace xtgrad::testing
