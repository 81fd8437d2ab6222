// Samples of logsumexp, softmax and log_softmax.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

// Every row is shifted by its largest element, so that long double's range is never left.
Real log_of_sum(const std::vector<Real>& values) {
  Real largest = -std::numeric_limits<Real>::infinity();
  for (const Real value : values) {
    if (std::isnan(value)) return value;
    largest = std::max(largest, value);
  }
  if (std::isinf(largest)) return largest;
  Real sum = 0;
  for (const Real value : values) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

/// The rows along `axis`, each through `f`.
SampleReference along(std::size_t axis, const std::function<std::vector<Real>(const std::vector<Real>&)>& f) {
  return [=](std::span<const Values> in) {
    Values out = in[0];
    Shape starts = in[0].shape;
    starts[axis] = 1;
    for_each_index(starts, [&](Index index) {
      std::vector<Real> line;
      for (index[axis] = 0; index[axis] < in[0].shape[axis]; ++index[axis]) line.push_back(in[0].at(index));
      const std::vector<Real> answer = f(line);
      for (index[axis] = 0; index[axis] < in[0].shape[axis]; ++index[axis]) {
        out.at(index) = answer[static_cast<std::size_t>(index[axis])];
      }
    });
    return out;
  };
}

/// x - log(sum(e^x)): x - largest is exact here, and log1p keeps the digits where one element outweighs the
/// rest.
std::vector<Real> log_softmax_of(const std::vector<Real>& line) {
  const Real sum = log_of_sum(line);
  if (!std::isfinite(sum)) {
    std::vector<Real> answer;
    for (const Real value : line) answer.push_back(value - sum);
    return answer;
  }
  const std::size_t best =
      static_cast<std::size_t>(std::max_element(line.begin(), line.end()) - line.begin());
  Real others = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i != best) others += std::exp(line[i] - line[best]);
  }
  std::vector<Real> answer;
  for (const Real value : line) answer.push_back((value - line[best]) - std::log1p(others));
  return answer;
}

/// As SciPy has it: an infinite largest element leaves no probabilities, not even zeros.
std::vector<Real> softmax_of(const std::vector<Real>& line) {
  if (!std::isfinite(log_of_sum(line))) return std::vector<Real>(line.size(), nan);
  std::vector<Real> answer = log_softmax_of(line);
  for (Real& value : answer) value = std::exp(value);
  return answer;
}

using Normalize = Tensor (*)(const Tensor&, std::int64_t);

void rows_samples(Op& op, Normalize normalize, std::vector<Real> (*f)(const std::vector<Real>&)) {
  const auto of = [&](const Shape& shape, std::int64_t axis, std::size_t dim, const Domain& domain,
                      bool derivatives) {
    op.sample({.attributes = to_string(shape) + " axis=" + std::to_string(axis),
               .inputs = {{.shape = shape, .domain = domain}},
               .apply = [=](const Tensor& x) { return normalize(x, axis); },
               .reference = along(dim, f),
               .derivatives = derivatives});
  };
  of({4}, 0, 0, {}, true);
  of({2, 3}, 1, 1, {}, true);
  of({3, 2}, 0, 0, {}, true);
  of({2, 3, 2}, -2, 1, {}, true);
  of({1}, 0, 0, {}, true);
  of({2, 1}, -1, 1, {}, true);
  of({0, 3}, 1, 1, {}, true);
  of({2, 0}, 1, 1, {}, true);
  of({3}, 0, 0, {.low = 998, .high = 1002}, true);
  of({3}, 0, 0, {.low = -1002, .high = -998}, true);
  of({7, 1037}, 1, 1, {.low = -8, .high = 8}, false);
  of({61, 17}, 0, 0, {.low = -8, .high = 8}, false);
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [=] {
    return normalize(ones({2, 3}), 2);
  });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [=] { return normalize(ones({}), 0); });
}

const OpSamples softmax_samples(OpId::softmax, [](Op& op) {
  // x - max is rounded before the exponential magnifies the error: by 41.2, the most that still counts here.
  // The gradient is y (g - <g, y>), a difference of terms of the cotangent's size.
  op.accuracy = {
      .ulps = 16, .nasty_ulps = 48, .signed_zeros = false, .gradient_ulps = 4, .gradient_floor = 1};
  rows_samples(op, softmax, softmax_of);
  const auto first = [](const Tensor& x) { return softmax(x, 0); };
  op.exact({"far apart", {row({1e3, -1e3})}, first, row({1, 0}), {row({0, 0})}});
  op.exact({"equal", {row({1e3, 1e3})}, first, row({0.5, 0.5}), {row({0, 0})}});
  op.exact({"one -inf", {row({5, -inf})}, first, row({1, 0}), {row({0, 0})}});
  op.exact({"all -inf", {row({-inf, -inf})}, first, row({nan, nan}), {row({nan, nan})}});
});

const OpSamples log_softmax_samples(OpId::log_softmax, [](Op& op) {
  // The gradient is g - y sum(g), again such a difference.
  op.accuracy = {.ulps = 4, .floor = 1, .signed_zeros = false, .gradient_ulps = 4, .gradient_floor = 1};
  rows_samples(op, log_softmax, log_softmax_of);
  const auto first = [](const Tensor& x) { return log_softmax(x, 0); };
  op.exact({"far apart", {row({1e3, -1e3})}, first, row({0, -2e3}), {row({-1, 1})}});
  op.exact({"one -inf", {row({5, -inf})}, first, row({0, -inf}), {row({-1, 1})}});
});

const OpSamples logsumexp_samples(OpId::logsumexp, [](Op& op) {
  // Two rules: that of the kernel divides the cotangent, the recorded one the exponentials.
  op.accuracy = {.ulps = 4, .floor = 1, .signed_zeros = false, .gradient_ulps = 3};
  struct Case {
    Shape shape;
    Axes axes;
    std::size_t rows, columns;  // the reduced axes are the last ones
    Shape result;
    bool keepdim = false;
    Domain domain = {};
    bool derivatives = true;
  };
  const std::vector<Case> cases = {
      {{4}, {}, 1, 4, {}},
      {{}, {}, 1, 1, {}},
      {{2, 3}, {1}, 2, 3, {2}},
      {{2, 3}, {-1}, 2, 3, {2, 1}, true},
      {{2, 3, 2}, {2, 1}, 2, 6, {2}},
      {{2, 2}, {}, 1, 4, {1, 1}, true},
      {{2, 2}, Dims{}, 4, 1, {2, 2}},
      {{0, 3}, {1}, 0, 3, {0}},
      {{3}, {0}, 1, 3, {}, false, {.low = 998, .high = 1002}},
      {{3}, {0}, 1, 3, {}, false, {.low = -1002, .high = -998}},
      {{7, 1037}, {1}, 7, 1037, {7}, false, {.low = -8, .high = 8}, false},
  };
  for (const Case& c : cases) {
    op.sample(
        {.attributes = to_string(c.shape) + " to " + to_string(c.result),
         .inputs = {{.shape = c.shape, .domain = c.domain}},
         .apply = [c](const Tensor& x) { return logsumexp(x, {.axes = c.axes, .keepdim = c.keepdim}); },
         .reference =
             [c](std::span<const Values> in) {
               Values out{c.result, {}};
               for (std::size_t r = 0; r < c.rows; ++r) {
                 const auto begin = in[0].data.begin() + static_cast<std::ptrdiff_t>(r * c.columns);
                 out.data.push_back(log_of_sum({begin, begin + static_cast<std::ptrdiff_t>(c.columns)}));
               }
               return out;
             },
         .derivatives = c.derivatives});
  }
  op.sample({.attributes = "[3, 2] over 0",
             .inputs = {{.shape = {3, 2}}},
             .apply = [](const Tensor& x) { return logsumexp(x, {.axes = {0}}); },
             .reference =
                 [](std::span<const Values> in) {
                   return fill({2}, [&](const Index& j) {
                     return log_of_sum({in[0].at({0, j[0]}), in[0].at({1, j[0]}), in[0].at({2, j[0]})});
                   });
                 }});
  const auto whole = [](const Tensor& x) { return logsumexp(x); };
  op.exact({"far apart", {row({1e3, -1e3})}, whole, scalar(1e3), {row({1, 0})}});
  op.exact({"all -inf", {row({-inf, -inf})}, whole, scalar(-inf), {row({0, 0})}});
  op.exact({"one -inf", {row({-inf, 2})}, whole, scalar(2), {row({0, 1})}});
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [] {
    return logsumexp(ones({2, 3}), {.axes = {2}});
  });
});

}}  // namespace xtgrad::testing
