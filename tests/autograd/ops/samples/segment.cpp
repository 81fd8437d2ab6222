// Samples of reductions of segments.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/segment.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

using Fold = std::function<Real(const std::vector<Real>&)>;
using Reduce = Tensor (*)(const Tensor&, const Tensor&, std::int64_t);

SampleReference in_segments(std::int64_t segments, const Fold& fold) {
  return [=](std::span<const Values> in) {
    Shape shape = in[0].shape;
    shape[0] = segments;
    return fill(shape, [&](Index index) {
      std::vector<Real> members;
      const std::int64_t segment = index[0];
      for (index[0] = 0; index[0] < in[0].shape[0]; ++index[0]) {
        if (in[1].at({index[0]}) == static_cast<Real>(segment)) members.push_back(in[0].at(index));
      }
      return fold(members);
    });
  };
}

void segment_samples(Op& op, Reduce reduce, const Fold& fold, const Sample& model) {
  const bool is_finite = std::isfinite(fold({}));
  const auto of = [&](const Shape& shape, std::int64_t segments, bool derivatives = true) {
    Sample sample = model;
    sample.attributes = fmt::format("{} in {}", to_string(shape), segments);
    sample.inputs = {{.shape = shape, .domain = model.inputs[0].domain},
                     index_input({shape[0]}, 0, std::max<std::int64_t>(1, segments))};
    sample.apply = [=](const Tensor& x, const Tensor& ids) { return reduce(x, ids, segments); };
    sample.reference = in_segments(segments, fold);
    // A segment of no entry has no finite result.
    sample.derivatives = derivatives && (is_finite || segments < 2);
    sample.integers = is_finite;
    op.sample(sample);
    if (is_finite || !derivatives || segments < 2) return;
    const auto finite = [=](Values y) {
      for (Real& v : y.data) v = std::clamp<Real>(v, -100, 100);
      return y;
    };
    sample.attributes += ", clamped";
    sample.apply = [=](const Tensor& x, const Tensor& ids) {
      return clamp(reduce(x, ids, segments), {.min = -100, .max = 100});
    };
    sample.reference = [=](std::span<const Values> in) { return finite(in_segments(segments, fold)(in)); };
    sample.derivatives = true;
    sample.nasty = false;
    sample.combined = true;
    op.sample(std::move(sample));
  };
  of({6}, 3);
  of({5, 2}, 4);
  of({4, 2, 2}, 2);
  of({3}, 1);
  of({3, 2}, 1);
  of({0}, 2);
  of({0, 3}, 0);
  of({3, 0}, 2);
  of({300}, 7, false);
  of({64, 200}, 9, false);
  op.throws<ShapeError>("ids must be [n], an id for each of the n entries of x: x is [2, 3], ids are [3]",
                        [=] {
                          return reduce(ones({2, 3}), zeros({3}, {.dtype = int64}), 1);
                        });
  op.throws<ShapeError>("ids must be [n], an id for each of the n entries of x: x is [], ids are []",
                        [=] { return reduce(ones({}), zeros({}, {.dtype = int64}), 1); });
  op.throws<DtypeError>("the index must be int64 or int32, got float32",
                        [=] { return reduce(ones({2}), zeros({2}), 1); });
  op.throws<ValueError>("the number of segments must be at least 0: got -1",
                        [=] { return reduce(ones({2}), zeros({2}, {.dtype = int64}), -1); });
  op.throws<ValueError>("the index is out of range: 3 at [1], but axis 0 of the result has size 3", [=] {
    return reduce(ones({2}), tensor({0, 3}, {.dtype = int32}), 3);
  });
}

Real sum_of(const std::vector<Real>& values) {
  Real sum = 0;
  for (const Real v : values) sum += v;
  return sum;
}

ExactCall exact_call(const char* what, Reduce reduce, const Values& x, const Values& ids,
                     std::int64_t segments, const Values& value, const Values& gradient) {
  return {what,  {x, ids},   [=](const Tensor& v, const Tensor& i) { return reduce(v, i, segments); },
          value, {gradient}, {Role::floating, Role::index}};
}

const OpSamples segment_sum_samples(OpId::segment_sum, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {
      .ulps = correctly_rounded, .by_magnitudes = true, .ulps_per_addition = 0.5, .signed_zeros = false};
  segment_samples(op, segment_sum, sum_of, {.inputs = {{}}, .linear_in = {0}});
  op.exact(exact_call("in any order", segment_sum, row({1, 2, 4, 8}), row({2, 0, 2, 0}), 3, row({10, 0, 5}),
                      row({1, 1, 1, 1})));
});

const OpSamples segment_mean_samples(OpId::segment_mean, [](Op& op) {
  op.parts = {OpId::segment_sum};
  // Up to 16 entries are added one after the other, each of them rounded by half a unit of the sum, which may
  // be a whole one beside the quotient; more are added as a long sum.
  op.accuracy = {.ulps = 16, .by_magnitudes = true, .signed_zeros = false};
  const auto mean = [](const std::vector<Real>& values) -> Real {
    return values.empty() ? 0 : sum_of(values) / static_cast<Real>(values.size());
  };
  segment_samples(op, segment_mean, mean, {.inputs = {{}}, .linear_in = {0}, .linear_exactly = false});
  op.exact(exact_call("of none 0", segment_mean, row({1, 2, 3}), row({2, 0, 2}), 3, row({2, 0, 2}),
                      row({0.5, 1, 0.5})));
});

void extremum_samples(Op& op, Reduce reduce, bool largest) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.signed_zeros = false};
  const auto fold = [largest](const std::vector<Real>& values) {
    Real best = largest ? -infinity : infinity;
    for (const Real v : values) {
      if (std::isnan(v)) return v;
      if (largest ? v > best : v < best) best = v;
    }
    return best;
  };
  segment_samples(op, reduce, fold, {.inputs = {{.domain = {.low = -8, .high = 8, .apart = true}}}});
  const double sign = largest ? 1 : -1;
  const auto of = [=](std::initializer_list<double> elements) {
    Values values = row(elements);
    for (Real& value : values.data) value *= sign;
    return values;
  };
  op.exact(exact_call("ties share", reduce, of({3, 1, 3, 7}), row({0, 0, 0, 2}), 3, of({3, -inf, 7}),
                      row({0.5, 0, 0.5, 1})));
  op.exact(exact_call("NaN wins", reduce, of({3, nan, nan, 7}), row({0, 0, 0, 1}), 2, of({nan, 7}),
                      row({0, 0.5, 0.5, 1})));
}

const OpSamples segment_max_samples(OpId::segment_max,
                                    [](Op& op) { extremum_samples(op, segment_max, true); });
const OpSamples segment_min_samples(OpId::segment_min,
                                    [](Op& op) { extremum_samples(op, segment_min, false); });

}}  // namespace xtgrad::testing
