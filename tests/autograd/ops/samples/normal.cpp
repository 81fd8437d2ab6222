// Samples of the complementary error function and its relatives.
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/functions/special.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

/// Far out by the continued fraction 1 / (x + (1/2) / (x + (2/2) / (x + ...))) / sqrt(pi).
Real erfcx_of(Real x) {
  if (std::isnan(x)) return x;
  if (x < 2) return std::exp(x * x) * std::erfc(x);
  Real rest = x;
  for (int k = 200; k >= 1; --k) rest = x + Real{0.5} * k / rest;
  return std::numbers::inv_sqrtpi_v<Real> / rest;
}

/// By Newton's steps on erf, or far out on the logarithm of erfc, which is nearly straight.
Real erfinv_of(Real x) {
  const Real a = std::abs(x);
  if (!(a < 1)) return a == 1 ? std::copysign(Real{inf}, x) : Real{nan};
  Real y = a < Real{0.7} ? a : std::sqrt(-std::log(1 - a));
  for (int step = 0; step < 60; ++step) {
    const Real slope = 2 * std::numbers::inv_sqrtpi_v<Real> * std::exp(-y * y);
    y -= a < Real{0.7} ? (std::erf(y) - a) / slope
                       : (std::log1p(-a) - std::log(std::erfc(y))) * std::erfc(y) / slope;
  }
  return std::copysign(y, x);
}

Real log_ndtr_of(Real x) {
  const Real y = -x / std::numbers::sqrt2_v<Real>;
  if (x == -std::numeric_limits<Real>::infinity()) return x;
  return x < 0 ? std::log(erfcx_of(y) / 2) - x * x / 2 : std::log1p(-std::erfc(-y) / 2);
}

const OpSamples erfc_samples(OpId::erfc, [](Op& op) {
  // The fit of normal_cdf, without its division by sqrt(2 pi), times an exponential of a pair: 3 roundings in
  // the fit's argument, 1.6 in the fit, 1 in its division and 1 in the exponential.
  op.accuracy = {.ulps = 6};
  op.elementwise({.apply = [](const Tensor& x) { return erfc(x); },
                  .reference = [](Real x) { return std::erfc(x); },
                  .points = {{{0}, 1, {-2 * std::numbers::inv_sqrtpi}, {0}},
                             {{40}, 0, {-0.0}, {0}},
                             {{-40}, 2, {-0.0}, {-0.0}},
                             {{inf}, 0, {-0.0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples erfcx_samples(OpId::erfcx, [](Op& op) {
  // As erfc; below 0 the exponential is twice as large as what is taken from it.
  op.accuracy = {.ulps = 6};
  op.elementwise({.apply = [](const Tensor& x) { return erfcx(x); },
                  .reference = [](Real x) { return erfcx_of(x); },
                  .points = {{{0}, 1, {-2 * std::numbers::inv_sqrtpi}, {2}},
                             {{inf}, 0, {-0.0}, {0}},
                             {{-inf}, inf, {-inf}, {inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples erfinv_samples(OpId::erfinv, [](Op& op) {
  // The step's error is that of erfc, up to 4 ulps of it near 1/2, times erfc / (y erfc'), which is below 1.2
  // there and falls; and half an ulp of the sum.
  op.accuracy = {.ulps = 4};
  op.elementwise({.apply = [](const Tensor& x) { return erfinv(x); },
                  .reference = [](Real x) { return erfinv_of(x); },
                  .inputs = {{.domain = {.low = -0.95, .high = 0.95}}},
                  .points = {{{0}, 0, {0.5 / std::numbers::inv_sqrtpi}, {0}},
                             {{1}, inf, {inf}, {inf}},
                             {{-1}, -inf, {inf}, {-inf}},
                             {{2}, nan, {nan}, {nan}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples log_ndtr_samples(OpId::log_ndtr, [](Op& op) {
  // Below -0.7 the 6 ulps of erfcx, there 0.6, divided by the size of the logarithm, 1.4, are up to 4.8 of
  // it, and the logarithm adds its own; above, those of a probability that is taken from 1 are fewer.
  op.accuracy = {.ulps = 6};
  op.elementwise(
      {.apply = [](const Tensor& x) { return log_ndtr(x); },
       .reference = [](Real x) { return log_ndtr_of(x); },
       .points = {{{inf}, 0, {0}, {-0.0}}, {{-inf}, -inf, {inf}, {nan}}, {{nan}, nan, {nan}, {nan}}}});
});

}}  // namespace xtgrad::testing
