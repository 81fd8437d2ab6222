// Samples of logarithms of sums, and products with logarithms.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/functions/special.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input any{};
const Input positive{.domain = {.low = 0.3, .high = 3}};

Real logaddexp_of(Real a, Real b) {
  return a == b ? a + std::numbers::ln2_v<Real> : std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

const OpSamples logaddexp_samples(OpId::logaddexp, [](Op& op) {
  // As softplus, at the size of log(2), for the terms may cancel.
  op.accuracy = {.ulps = 2.5, .floor = 0.7};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return logaddexp(a, b); },
                  .reference = [](Real a, Real b) { return logaddexp_of(a, b); },
                  .inputs = {any, any},
                  .points = {{{0, 0}, std::numbers::ln2, {0.5, 0.5}, {0.25, -0.25, -0.25, 0.25}},
                             {{inf, inf}, inf, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{-inf, 1}, 1, {0, 1}, {0, -0.0, -0.0, 0}},
                             {{1e3, 0}, 1e3, {1, 0}, {0, -0.0, -0.0, 0}}}});
});

const OpSamples xlogy_samples(OpId::xlogy, [](Op& op) {
  // The logarithm's ulp, up to twice as much of the product, which is rounded itself.
  op.accuracy = {.ulps = 2};
  op.elementwise(
      {.apply = [](const Tensor& a, const Tensor& b) { return xlogy(a, b); },
       .reference = [](Real a, Real b) { return a == 0 && !std::isnan(b) ? Real{0} : a * std::log(b); },
       .inputs = {any, positive},
       .points = {{{0, 0}, 0, {0, 0}, {0, 0, 0, 0}},
                  {{0, 2}, 0, {std::numbers::ln2, 0}, {0, 0.5, 0.5, 0}},
                  {{0, -1}, 0, {0, 0}, {0, 0, 0, 0}},
                  {{2, 1}, 0, {0, 2}, {0, 1, 1, -2}},
                  {{0, nan}, nan, {nan, nan}, {0, nan, nan, nan}}}});
});

const OpSamples xlog1py_samples(OpId::xlog1py, [](Op& op) {
  // As xlogy.
  op.accuracy = {.ulps = 2.5};
  op.elementwise(
      {.apply = [](const Tensor& a, const Tensor& b) { return xlog1py(a, b); },
       .reference = [](Real a, Real b) { return a == 0 && !std::isnan(b) ? Real{0} : a * std::log1p(b); },
       .inputs = {any, {.domain = {.low = -0.7, .high = 2}}},
       .points = {{{0, -1}, 0, {0, 0}, {0, 0, 0, 0}},
                  {{0, 1}, 0, {std::numbers::ln2, 0}, {0, 0.5, 0.5, 0}},
                  {{2, 0}, 0, {0, 2}, {0, 1, 1, -2}},
                  {{0, nan}, nan, {nan, nan}, {0, nan, nan, nan}}}});
});

}}  // namespace xtgrad::testing
