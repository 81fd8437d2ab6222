// Samples of what continues a tensor by its own elements.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/padding.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Where the element at place p, from -low on, of an axis of n comes from.
using PlaceRule = std::int64_t (*)(std::int64_t p, std::int64_t n);

template <class F>
void add_samples(Op& op, F padded, PlaceRule rule, bool takes_more) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::alias, OpId::concat};
  const auto of = [&](const Shape& shape, const PadEdgeOptions& options, std::size_t dim) {
    op.sample({.attributes = fmt::format("{}, axis {}, {} and {}", to_string(shape), options.axis,
                                         options.low, options.high),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return padded(x, options); },
               .reference =
                   [=](std::span<const Values> in) {
                     Shape longer = shape;
                     longer[dim] += options.low + options.high;
                     return fill(longer, [&](Index index) {
                       index[dim] = rule(index[dim] - options.low, shape[dim]);
                       return in[0].at(index);
                     });
                   },
               .linear_in = {0}});
  };
  of({4}, {.low = 2, .high = 3}, 0);
  of({4}, {.high = 1}, 0);
  of({2, 3}, {.axis = 1, .low = 2}, 1);
  of({3, 2}, {.axis = 0, .low = 1, .high = 2}, 0);
  of({2, 3, 2}, {.axis = -2, .low = 2, .high = 2}, 1);
  of({1, 2}, {.axis = 0}, 0);
  of({0, 3}, {.axis = 1, .low = 1}, 1);
  of({0, 3}, {.axis = 0}, 0);
  if (takes_more) of({1, 2}, {.axis = 0, .low = 1, .high = 1}, 0);
  op.throws<ValueError>("low and high must not be negative, got -1 and 0; slice removes elements",
                        [=] { return padded(ones({3}), {.low = -1}); });
  op.throws<ShapeError>("axis 1 is out of range", [=] { return padded(ones({3}), {.axis = 1, .low = 1}); });
}

const OpSamples pad_reflect_samples(OpId::pad_reflect, [](Op& op) {
  add_samples(
      op, [](const Tensor& x, const PadEdgeOptions& options) { return pad_reflect(x, options); },
      [](std::int64_t p, std::int64_t n) { return p < 0    ? -p
                                                  : p >= n ? 2 * n - 2 - p
                                                           : p; }, false);
  op.throws<ShapeError>(
      "low and high must be below the size of the axis: axis 1 of [2, 3] has size 3, low is 0, high is 3",
      [] {
        return pad_reflect(ones({2, 3}), {.axis = 1, .high = 3});
      });
  op.exact({.what = "both sides",
            .inputs = {row({1, 2, 3})},
            .apply = [](const Tensor& x) { return pad_reflect(x, {.low = 2, .high = 1}); },
            .value = row({3, 2, 1, 2, 3, 2}),
            .gradients = {row({1, 3, 2})}});
});

const OpSamples pad_replicate_samples(OpId::pad_replicate, [](Op& op) {
  add_samples(
      op, [](const Tensor& x, const PadEdgeOptions& options) { return pad_replicate(x, options); },
      [](std::int64_t p, std::int64_t n) { return std::clamp<std::int64_t>(p, 0, n - 1); }, true);
  op.throws<ShapeError>(
      "low and high must be 0 where there is nothing to replicate: axis 0 of [0] has size 0, low is 1, high "
      "is "
      "0",
      [] { return pad_replicate(ones({0}), {.low = 1}); });
  op.exact({.what = "further than x is long",
            .inputs = {row({1, 2})},
            .apply = [](const Tensor& x) { return pad_replicate(x, {.low = 3, .high = 1}); },
            .value = row({1, 1, 1, 1, 2, 2}),
            .gradients = {row({4, 2})}});
});

const OpSamples pad_circular_samples(OpId::pad_circular, [](Op& op) {
  add_samples(
      op, [](const Tensor& x, const PadEdgeOptions& options) { return pad_circular(x, options); },
      [](std::int64_t p, std::int64_t n) { return (p + n) % n; }, true);
  op.throws<ShapeError>(
      "low and high must be at most the size of the axis: axis 0 of [3] has size 3, low is 4, high is 0",
      [] { return pad_circular(ones({3}), {.low = 4}); });
  op.exact({.what = "both sides",
            .inputs = {row({1, 2, 3})},
            .apply = [](const Tensor& x) { return pad_circular(x, {.low = 1, .high = 3}); },
            .value = row({3, 1, 2, 3, 1, 2, 3}),
            .gradients = {row({2, 2, 3})}});
});

}}  // namespace xtgrad::testing
