// Samples of reductions over axes.
#include <algorithm>
#include <cmath>
#include <string>

#include "tests/autograd/ops/samples/reductions.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

Real sum_of(const std::vector<Real>& values) {
  Real sum = 0;
  for (const Real value : values) sum += value;
  return sum;
}

Real largest_of(const std::vector<Real>& values) {
  Real largest = values[0];
  for (const Real value : values) {
    if (std::isnan(value)) return value;
    if (value > largest) largest = value;
  }
  return largest;
}

const OpSamples sum_samples(OpId::sum, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  reduction_samples(op, sum, sum_of, {.inputs = {{}}, .linear_in = {0}}, cases_with_and_without_elements());
  op.exact({"empty", {row({})}, [](const Tensor& x) { return sum(x); }, scalar(0), {row({})}});
  op.exact(
      {"inf - inf", {row({inf, -inf})}, [](const Tensor& x) { return sum(x); }, scalar(nan), {row({1, 1})}});
});

const OpSamples mean_samples(OpId::mean, [](Op& op) {
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  const auto fold = [](const std::vector<Real>& values) {
    return sum_of(values) / static_cast<Real>(values.size());
  };
  std::vector<ReductionCase> cases = cases_with_elements();
  reduction_samples(op, mean, fold, {.inputs = {{}}, .linear_in = {0}, .linear_exactly = false}, cases);
  op.exact({"empty", {row({})}, [](const Tensor& x) { return mean(x); }, scalar(nan), {row({})}});
  op.exact({"of 4",
            {row({1, 2, 3, 6})},
            [](const Tensor& x) { return mean(x); },
            scalar(3),
            {row({0.25, 0.25, 0.25, 0.25})}});
});

Real smallest_of(const std::vector<Real>& values) {
  Real smallest = values[0];
  for (const Real value : values) {
    if (std::isnan(value)) return value;
    if (value < smallest) smallest = value;
  }
  return smallest;
}

/// amax if `sign` is 1, amin, its mirror image, if it is -1.
void extremum_samples(Op& op, const Reduce& reduce, const Fold& fold, double sign) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.signed_zeros = false};  // of 0 and -0 either is the largest
  reduction_samples(op, reduce, fold, {.inputs = {{.domain = {.apart = true}}}}, cases_with_elements());
  const auto whole = [reduce](const Tensor& x) { return reduce(x, {}); };
  const auto of = [sign](std::initializer_list<double> elements) {
    Values values = row(elements);
    for (Real& value : values.data) value *= sign;
    return values;
  };
  op.exact({"a tie", {of({3, 1, 3})}, whole, scalar(3 * sign), {row({0.5, 0, 0.5})}});
  op.exact({"NaN wins", {of({1, nan, 5})}, whole, scalar(nan), {row({0, 1, 0})}});
  op.exact({"two NaN", {of({nan, 7, nan})}, whole, scalar(nan), {row({0.5, 0, 0.5})}});
  op.exact({"0 and -0 tie", {row({0, -0.0})}, whole, scalar(0), {row({0.5, 0.5})}});
  op.exact({"all infinite",
            {of({-inf, -inf, -inf, -inf})},
            whole,
            scalar(-inf * sign),
            {row({0.25, 0.25, 0.25, 0.25})}});
  op.exact({"one infinite", {of({1, inf})}, whole, scalar(inf * sign), {row({0, 1})}});
  op.throws<ShapeError>("no elements to choose from: x is [2, 0]", [reduce] {
    return reduce(ones({2, 0}), {});
  });
  op.throws<ShapeError>("no elements to choose from: x is [2, 0]", [reduce] {
    return reduce(ones({2, 0}), {.axes = {1}});
  });
}

const OpSamples amax_samples(OpId::amax, [](Op& op) { extremum_samples(op, amax, largest_of, 1); });
const OpSamples amin_samples(OpId::amin, [](Op& op) { extremum_samples(op, amin, smallest_of, -1); });

/// The first of the best, by `beats`; NaN is.
void index_samples(Op& op, Tensor (*find)(const Tensor&, std::int64_t, bool), bool (*beats)(Real, Real)) {
  op.accepts = Accepts::numbers;
  const auto fold = [beats](const std::vector<Real>& values) -> Real {
    std::size_t best = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) return static_cast<Real>(i);
      if (beats(values[i], values[best])) best = i;
    }
    return static_cast<Real>(best);
  };
  const auto along = [&](const Shape& shape, std::int64_t axis, std::size_t dim, bool keepdim) {
    op.sample(
        {.attributes = to_string(shape) + " axis=" + std::to_string(axis) + (keepdim ? ", keepdim" : ""),
         .inputs = {{.shape = shape, .domain = {.whole = true}}},  // few integers: many ties
         .apply = [=](const Tensor& x) { return find(x, axis, keepdim); },
         .reference = reduced({dim}, keepdim, fold),
         .result = [](Dtype) { return int64; }});
  };
  along({5}, 0, 0, false);
  along({3, 4}, 1, 1, false);
  along({3, 4}, 0, 0, true);
  along({2, 3, 4}, -2, 1, false);
  along({0, 3}, 1, 1, false);
  along({1037}, -1, 0, true);
  along({61, 17}, 0, 0, false);
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [find] { return find(ones({3}), 1, false); });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [find] { return find(ones({}), 0, false); });
  op.throws<ShapeError>("no elements to choose from: x is [2, 0]", [find] {
    return find(ones({2, 0}), 1, false);
  });
}

const OpSamples argmax_samples(OpId::argmax, [](Op& op) {
  index_samples(op, argmax, [](Real a, Real b) { return a > b; });
});
const OpSamples argmin_samples(OpId::argmin, [](Op& op) {
  index_samples(op, argmin, [](Real a, Real b) { return a < b; });
});

void truth_samples(Op& op, const Reduce& reduce, const Fold& fold, double of_nothing) {
  op.accepts = Accepts::everything;
  // Mostly zeros, so that either answer comes.
  const Sample model{.inputs = {{.domain = {.low = 0, .high = 1.4, .whole = true}}},
                     .result = [](Dtype) { return boolean; }};
  reduction_samples(op, reduce, fold, model, cases_with_and_without_elements());
  const auto whole = [reduce](const Tensor& x) { return reduce(x, {}); };
  op.exact({"of nothing", {row({})}, whole, scalar(of_nothing)});
  op.exact({"NaN is not 0", {row({nan})}, whole, scalar(1)});
  op.exact({"-0 is", {row({-0.0})}, whole, scalar(0)});
}

const OpSamples any_samples(OpId::any, [](Op& op) {
  truth_samples(
      op, any,
      [](const std::vector<Real>& values) -> Real {
        return std::any_of(values.begin(), values.end(), [](Real v) { return v != 0; }) ? 1 : 0;
      },
      0);
});
const OpSamples all_samples(OpId::all, [](Op& op) {
  truth_samples(
      op, all,
      [](const std::vector<Real>& values) -> Real {
        return std::all_of(values.begin(), values.end(), [](Real v) { return v != 0; }) ? 1 : 0;
      },
      1);
});

}}  // namespace xtgrad::testing
