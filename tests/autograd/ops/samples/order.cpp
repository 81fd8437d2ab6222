// Samples of operations that choose elements along an axis and say where they were.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// NaN counts as larger than every number.
bool is_less(Real a, Real b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

/// The first `count` of each row along an axis, in order, where `descending` keeps the order of equals.
SampleReference ordered(std::size_t axis, std::int64_t count, bool descending, bool keep = true) {
  return [=](std::span<const Values> in) {
    Shape shape = in[0].shape;
    shape[axis] = count;
    Values out = fill(shape, [&](Index index) {
      std::vector<Real> row;
      const std::int64_t place = index[axis];
      for (index[axis] = 0; index[axis] < in[0].shape[axis]; ++index[axis]) row.push_back(in[0].at(index));
      std::stable_sort(row.begin(), row.end(),
                       [&](Real a, Real b) { return descending ? is_less(b, a) : is_less(a, b); });
      return row[static_cast<std::size_t>(place)];
    });
    if (!keep) {
      out.shape = {};
      for (std::size_t d = 0; d < shape.rank(); ++d) {
        if (d != axis) out.shape.push_back(shape[d]);
      }
    }
    return out;
  };
}

/// The smallest, where NaN wins.
SampleReference smallest(std::size_t axis, bool keep) {
  return [=](std::span<const Values> in) {
    Shape shape = in[0].shape;
    shape[axis] = 1;
    Values out = fill(shape, [&](Index index) {
      Real best = in[0].at(index);
      for (index[axis] = 0; index[axis] < in[0].shape[axis]; ++index[axis]) {
        const Real value = in[0].at(index);
        if (std::isnan(value)) return value;
        if (value < best) best = value;
      }
      return best;
    });
    if (!keep) out.shape = ordered(axis, 1, false, false)(in).shape;
    return out;
  };
}

const Domain distinct{.low = -8, .high = 8, .apart = true};

template <class F>
void add_extreme_samples(Op& op, F extreme, bool largest) {
  op.accepts = Accepts::numbers;
  const auto along = [&](const Shape& shape, std::int64_t axis, std::size_t dim, bool keepdim) {
    op.sample({.attributes = fmt::format("{} axis={}{}", to_string(shape), axis, keepdim ? ", keepdim" : ""),
               .inputs = {{.shape = shape, .domain = distinct}},
               .apply = [=](const Tensor& x) { return extreme(x, axis, keepdim).values; },
               .reference = largest ? ordered(dim, 1, true, keepdim) : smallest(dim, keepdim)});
  };
  along({5}, 0, 0, false);
  along({3, 4}, 1, 1, false);
  along({3, 4}, 0, 0, true);
  along({2, 3, 2}, -2, 1, false);
  along({0, 3}, 1, 1, false);
  along({1}, 0, 0, true);
  op.exact({.what = "the first of a tie",
            .inputs = {row({2, 5, 5, 2})},
            .apply = [=](const Tensor& x) { return extreme(x, 0, true).values; },
            .value = largest ? row({5}) : row({2}),
            .gradients = {largest ? row({0, 1, 0, 0}) : row({1, 0, 0, 0})}});
  op.exact({.what = "NaN wins, the first one",
            .inputs = {row({1, not_a_number, not_a_number, 0})},
            .apply = [=](const Tensor& x) { return extreme(x, 0, false).values; },
            .value = scalar(not_a_number),
            .gradients = {row({0, 1, 0, 0})}});
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [=] { return extreme(ones({3}), 1, false); });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [=] { return extreme(ones({}), 0, false); });
  op.throws<ShapeError>("no elements to choose from: x is [2, 0], axis=1", [=] {
    return extreme(ones({2, 0}), 1, false);
  });
}

const OpSamples max_samples(OpId::max, [](Op& op) {
  add_extreme_samples(
      op, [](const Tensor& x, std::int64_t axis, bool keep) { return max(x, axis, keep); }, true);
});
const OpSamples min_samples(OpId::min, [](Op& op) {
  add_extreme_samples(
      op, [](const Tensor& x, std::int64_t axis, bool keep) { return min(x, axis, keep); }, false);
});

const OpSamples sort_samples(OpId::sort, [](Op& op) {
  op.accepts = Accepts::numbers;
  const auto along = [&](const Shape& shape, std::int64_t axis, std::size_t dim, bool descending) {
    op.sample(
        {.attributes = fmt::format("{} axis={}{}", to_string(shape), axis, descending ? ", descending" : ""),
         .inputs = {{.shape = shape, .domain = distinct}},
         .apply = [=](const Tensor& x) { return sort(x, {.axis = axis, .descending = descending}).values; },
         .reference = ordered(dim, shape[dim], descending)});
  };
  along({5}, 0, 0, false);
  along({5}, -1, 0, true);
  along({3, 4}, 1, 1, true);
  along({4, 2}, 0, 0, false);
  along({2, 3, 2}, 1, 1, false);
  along({0, 3}, 1, 1, false);
  along({3, 0}, 1, 1, false);
  along({1}, 0, 0, false);
  op.sample({.attributes = "values, those from behind twice",
             .inputs = {{.shape = {6}, .domain = distinct}},
             .apply =
                 [](const Tensor& x) {
                   const auto [values, indices] = sort(x);
                   return where(indices > 2, values * 2, values);
                 },
             .reference =
                 [](std::span<const Values> in) {
                   Values out = ordered(0, 6, false)(in);
                   for (Real& value : out.data) {
                     const auto place = std::find(in[0].data.begin(), in[0].data.end(), value);
                     if (place - in[0].data.begin() > 2) value *= 2;
                   }
                   return out;
                 },
             .integers = false,  // they tie
             .nasty = false,
             .combined = true});
  op.exact({.what = "each gradient goes back to its place",
            .inputs = {row({3, 1, 3, 2})},
            .apply =
                [](const Tensor& x) {
                  return sort(x).values * tensor({1, 2, 4, 8}, {.dtype = x.dtype()});
                },
            .value = row({1, 4, 12, 24}),
            .gradients = {row({4, 1, 8, 2})}});
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [] { return sort(ones({3}), {.axis = 1}); });
  op.throws<ShapeError>("axis -1 is out of range: a 0-d tensor has no axes", [] { return sort(ones({})); });
});

const OpSamples topk_samples(OpId::topk, [](Op& op) {
  op.accepts = Accepts::numbers;
  const auto of = [&](const Shape& shape, std::int64_t k, const TopkOptions& options, std::size_t dim) {
    op.sample({.attributes = fmt::format("{} k={}, axis={}{}", to_string(shape), k, options.axis,
                                         options.largest ? "" : ", smallest"),
               .inputs = {{.shape = shape, .domain = distinct}},
               .apply = [=](const Tensor& x) { return topk(x, k, options).values; },
               .reference = ordered(dim, k, options.largest)});
  };
  of({6}, 2, {}, 0);
  of({6}, 3, {.largest = false}, 0);
  of({3, 4}, 4, {}, 1);
  of({4, 3}, 2, {.axis = 0}, 0);
  of({2, 5, 2}, 1, {.axis = 1, .largest = false}, 1);
  of({4}, 0, {}, 0);
  of({0, 3}, 2, {}, 1);
  op.exact({.what = "of a tie the first ones",
            .inputs = {row({1, 3, 3, 2, 3})},
            .apply =
                [](const Tensor& x) {
                  return topk(x, 2).values * tensor({1, 2}, {.dtype = x.dtype()});
                },
            .value = row({3, 6}),
            .gradients = {row({0, 1, 2, 0, 0})}});
  op.throws<ValueError>("k must be from 0 to the size of the axis: k is 4, axis 0 of x has size 3",
                        [] { return topk(ones({3}), 4); });
  op.throws<ValueError>("k must be from 0 to the size of the axis: k is -1, axis 0 of x has size 3",
                        [] { return topk(ones({3}), -1); });
  op.throws<ShapeError>("axis 2 is out of range: 1 dimensions have the axes -1 to 0",
                        [] { return topk(ones({3}), 1, {.axis = 2}); });
});

}}  // namespace xtgrad::testing
