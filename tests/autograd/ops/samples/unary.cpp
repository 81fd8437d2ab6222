// Samples of the elementwise operations of one tensor.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input positive{.domain = {.low = 0.3, .high = 3}};
const Input nonzero{.domain = {.avoid = {0}}};

/// log(1 + e^x)
Real softplus_of(Real x) {
  return std::isnan(x) ? x : std::max(x, Real{0}) + std::log1p(std::exp(-std::abs(x)));
}

const OpSamples neg_samples(OpId::neg, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return -x; },
                  .reference = [](Real x) { return -x; },
                  .points = {{{0}, -0.0, {-1}, {0}}, {{-inf}, inf, {-1}, {0}}},
                  .linear_in = {0}});
});

const OpSamples exp_samples(OpId::exp, [](Op& op) {
  // p is good to about half an ulp, and 1 + p is rounded.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return exp(x); },
                  .reference = [](Real x) { return std::exp(x); },
                  .points = {{{0}, 1, {1}, {1}}, {{-inf}, 0, {0}, {0}}, {{inf}, inf, {inf}, {inf}}}});
});

const OpSamples log_samples(OpId::log, [](Op& op) {
  // The leading term is exact: the small ones' roundings, and that of their sum.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return log(x); },
                  .reference = [](Real x) { return std::log(x); },
                  .inputs = {positive},
                  .points = {{{1}, 0, {1}, {-1}},
                             {{0}, -inf, {inf}, {-inf}},
                             {{inf}, inf, {0}, {0}},
                             {{-1}, nan, {-1}, {-1}}}});
});

const OpSamples log1p_samples(OpId::log1p, [](Op& op) {
  // As log, for what 1 + x drops is one of the small terms.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return log1p(x); },
                  .reference = [](Real x) { return std::log1p(x); },
                  .inputs = {{.domain = {.low = -0.7, .high = 2}}},
                  .points = {{{0}, 0, {1}, {-1}},
                             {{-0.0}, -0.0, {1}, {-1}},
                             {{-1}, -inf, {inf}, {-inf}},
                             {{inf}, inf, {0}, {0}},
                             {{-2}, nan, {-1}, {-1}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples expm1_samples(OpId::expm1, [](Op& op) {
  // p is somewhat over half an ulp off, twice as much of a sum with 1 - 2^-k that is smaller than it, and the
  // sum is rounded.
  op.accuracy = {.ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return expm1(x); },
                  .reference = [](Real x) { return std::expm1(x); },
                  .points = {{{0}, 0, {1}, {1}},
                             {{-0.0}, -0.0, {1}, {1}},
                             {{-inf}, -1, {0}, {0}},
                             {{-1e3}, -1, {0}, {0}},
                             {{inf}, inf, {inf}, {inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples sqrt_samples(OpId::sqrt, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.elementwise({.apply = [](const Tensor& x) { return sqrt(x); },
                  .reference = [](Real x) { return std::sqrt(x); },
                  .inputs = {positive},
                  .points = {{{0}, 0, {inf}, {-inf}},
                             {{4}, 2, {0.25}, {-1.0 / 32}},
                             {{inf}, inf, {0}, {0}},
                             {{-1}, nan, {nan}, {nan}}}});
});

const OpSamples rsqrt_samples(OpId::rsqrt, [](Op& op) {
  // The root's rounding is up to an ulp of the quotient, which is rounded itself.
  op.accuracy = {.ulps = 1.5};
  op.elementwise({.apply = [](const Tensor& x) { return rsqrt(x); },
                  .reference = [](Real x) { return 1 / std::sqrt(x); },
                  .inputs = {positive},
                  .points = {{{4}, 0.5, {-0.0625}, {0.0234375}},
                             {{0}, inf, {-inf}, {inf}},
                             {{-1}, nan, {nan}, {nan}},
                             {{inf}, 0, {-0.0}, {0}}}});
});

const OpSamples reciprocal_samples(OpId::reciprocal, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.elementwise({.apply = [](const Tensor& x) { return reciprocal(x); },
                  .reference = [](Real x) { return 1 / x; },
                  .inputs = {nonzero},
                  .points = {{{2}, 0.5, {-0.25}, {0.25}},
                             {{0}, inf, {-inf}, {inf}},
                             {{-0.0}, -inf, {-inf}, {-inf}},
                             {{inf}, 0, {-0.0}, {0}}}});
});

const OpSamples square_samples(OpId::square, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return square(x); },
                  .reference = [](Real x) { return x * x; },
                  .points = {{{0}, 0, {0}, {2}}, {{-3}, 9, {-6}, {2}}, {{inf}, inf, {inf}, {2}}}});
});

const OpSamples abs_samples(OpId::abs, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise(
      {.apply = [](const Tensor& x) { return abs(x); },
       .reference = [](Real x) { return std::abs(x); },
       .inputs = {nonzero},
       .points = {{{0}, 0, {0}, {0}}, {{-0.0}, 0, {0}, {0}}, {{-inf}, inf, {-1}, {0}}, {{2}, 2, {1}, {0}}}});
});

const OpSamples sign_samples(OpId::sign, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise(
      {.apply = [](const Tensor& x) { return sign(x); },
       .reference = [](Real x) -> Real { return x > 0   ? 1
                                                : x < 0 ? -1
                                                        : x + 0; },
       .inputs = {nonzero},
       .points = {{{0}, 0, {0}, {0}}, {{-0.0}, 0, {0}, {0}}, {{-7}, -1, {0}, {0}}, {{inf}, 1, {0}, {0}}}});
});

const OpSamples tanh_samples(OpId::tanh, [](Op& op) {
  // Below 0.55 a numerator and a denominator, each up to an ulp of the quotient off, which is rounded; above
  // it that is the error of what is taken from 1, at most a half.
  op.accuracy = {.ulps = 2.5};
  op.elementwise({.apply = [](const Tensor& x) { return tanh(x); },
                  .reference = [](Real x) { return std::tanh(x); },
                  .points = {{{0}, 0, {1}, {0}},
                             {{1e3}, 1, {0}, {0}},
                             {{-1e3}, -1, {0}, {0}},
                             {{inf}, 1, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples sigmoid_samples(OpId::sigmoid, [](Op& op) {
  // The exponential is up to 1 ulp off, its sum with 1 half a one, each up to twice as much of the quotient
  // where both share their digits; it is rounded.
  op.accuracy = {.ulps = 2.5};
  op.elementwise(
      {.apply = [](const Tensor& x) { return sigmoid(x); },
       .reference = [](Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); },
       .points = {{{0}, 0.5, {0.25}, {0}},
                  {{1e3}, 1, {0}, {0}},
                  {{-1e3}, 0, {0}, {0}},
                  {{-inf}, 0, {0}, {0}},
                  {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples log_sigmoid_samples(OpId::log_sigmoid, [](Op& op) {
  // Far above 0 the definition is 0 - 0.
  // The exponential's ulp and the logarithm's, and half a one of the sum's.
  op.accuracy = {.ulps = 2.5, .signed_zeros = false};
  op.elementwise(
      {.apply = [](const Tensor& x) { return log_sigmoid(x); },
       .reference = [](Real x) { return std::min(x, Real{0}) - std::log1p(std::exp(-std::abs(x))); },
       .points = {{{1e3}, 0, {0}, {0}},
                  {{-1e3}, -1e3, {1}, {0}},
                  {{inf}, 0, {0}, {0}},
                  {{-inf}, -inf, {1}, {0}},
                  {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples relu_samples(OpId::relu, [](Op& op) {
  op.elementwise({.apply = [](const Tensor& x) { return relu(x); },
                  .reference = [](Real x) { return x > 0 || std::isnan(x) ? x : 0; },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {0}, {0}},
                             {{-0.0}, 0, {0}, {0}},
                             {{2}, 2, {1}, {0}},
                             {{-inf}, 0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{nan}, nan, {1}, {0}}}});
});

const OpSamples erf_samples(OpId::erf, [](Op& op) {
  // A fit's last product is rounded, and the sum with its leading term.
  op.accuracy = {.ulps = 1.5};
  op.elementwise({.apply = [](const Tensor& x) { return erf(x); },
                  .reference = [](Real x) { return std::erf(x); },
                  .points = {{{0}, 0, {2 * std::numbers::inv_sqrtpi}, {0}},
                             {{40}, 1, {0}, {0}},
                             {{-inf}, -1, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples sin_samples(OpId::sin, [](Op& op) {
  // The angle is a pair after its reduction: a fit's last steps round alone.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return sin(x); },
                  .reference = [](Real x) { return std::sin(x); },
                  .points = {{{0}, 0, {1}, {0}}, {{-0.0}, -0.0, {1}, {0}}, {{inf}, nan, {nan}, {nan}}}});
});

const OpSamples cos_samples(OpId::cos, [](Op& op) {
  // As sin.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return cos(x); },
                  .reference = [](Real x) { return std::cos(x); },
                  .points = {{{0}, 1, {0}, {-1}}, {{-inf}, nan, {nan}, {nan}}}});
});

const OpSamples softplus_samples(OpId::softplus, [](Op& op) {
  // As log_sigmoid.
  op.accuracy = {.ulps = 2.5};
  op.elementwise({.apply = [](const Tensor& x) { return softplus(x); },
                  .reference = softplus_of,
                  .points = {{{1e3}, 1e3, {1}, {0}},
                             {{-1e3}, 0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{-inf}, 0, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
  op.elementwise({.attributes = "beta=2, threshold=3",
                  .apply = [](const Tensor& x) { return softplus(x, {.beta = 2, .threshold = 3}); },
                  .reference = [](Real x) { return 2 * x > 3 ? x : std::log1p(std::exp(2 * x)) / 2; },
                  .inputs = {{.domain = {.low = -3, .high = 4, .avoid = {1.5}}}},
                  .points = {{{2}, 2, {1}, {0}}}});
  op.elementwise({.attributes = "beta=0.7",
                  .apply = [](const Tensor& x) { return softplus(x, {.beta = 0.7}); },
                  .reference = [](Real x) { return softplus_of(Real{0.7} * x) / Real{0.7}; },
                  .points = {{{1e4}, 1e4, {1}, {0}}, {{-inf}, 0, {0}, {0}}, {{inf}, inf, {1}, {0}}}});
  op.throws<ValueError>("beta must be positive and finite, got 0",
                        [] { return softplus(ones({2}), {.beta = 0}); });
  op.throws<ValueError>("beta must be positive and finite, got inf",
                        [] { return softplus(ones({2}), {.beta = inf}); });
  op.throws<ValueError>("threshold must be a number, got nan",
                        [] { return softplus(ones({2}), {.threshold = nan}); });
});

const OpSamples clamp_samples(OpId::clamp, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.parts = {OpId::maximum, OpId::minimum};
  op.elementwise({.attributes = "min=-1, max=2",
                  .apply = [](const Tensor& x) { return clamp(x, {.min = -1, .max = 2}); },
                  .reference = [](Real x) { return x < -1  ? -1
                                                   : x > 2 ? 2
                                                           : x; },
                  .inputs = {{.domain = {.low = -3, .high = 4, .avoid = {-1, 2}}}},
                  .points = {{{-1}, -1, {0}, {0}},
                             {{2}, 2, {0}, {0}},
                             {{0}, 0, {1}, {0}},
                             {{inf}, 2, {0}, {0}},
                             {{nan}, nan, {1}, {0}}}});
  op.elementwise({.attributes = "min=0",
                  .apply = [](const Tensor& x) { return clamp(x, {.min = 0}); },
                  .reference = [](Real x) { return x > 0 || std::isnan(x) ? x : 0; },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {0}, {0}},
                             {{-0.0}, 0, {0}, {0}},
                             {{3}, 3, {1}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{nan}, nan, {1}, {0}}}});
  op.elementwise({.attributes = "max=0.5",
                  .apply = [](const Tensor& x) { return clamp(x, {.max = 0.5}); },
                  .reference = [](Real x) { return x < 0.5 || std::isnan(x) ? x : Real{0.5}; },
                  .inputs = {{.domain = {.avoid = {0.5}}}},
                  .points = {{{0.5}, 0.5, {0}, {0}},
                             {{-inf}, -inf, {1}, {0}},
                             {{1}, 0.5, {0}, {0}},
                             {{nan}, nan, {1}, {0}}},
                  .integers = false});
  op.throws<ValueError>("min must not exceed max, got min 2 and max 1",
                        [] { return clamp(ones({2}), {.min = 2, .max = 1}); });
  op.throws<ValueError>("min must not exceed max, got min nan",
                        [] { return clamp(ones({2}), {.min = nan}); });
});

const OpSamples maximum_number_samples(OpId::maximum_number, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.parts = {OpId::maximum, OpId::minimum};
  op.elementwise({.attributes = "min=0",
                  .apply = [](const Tensor& x) { return maximum(x, 0); },
                  .reference = [](Real x) { return x > 0 || std::isnan(x) ? x : 0; },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {0}, {0}},
                             {{-0.0}, 0, {0}, {0}},
                             {{3}, 3, {1}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{nan}, nan, {1}, {0}}}});
  op.throws<ValueError>("the number must not be NaN", [] { return maximum(ones({2}), nan); });
});

const OpSamples minimum_number_samples(OpId::minimum_number, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.parts = {OpId::maximum, OpId::minimum};
  op.elementwise({.attributes = "max=0.5",
                  .apply = [](const Tensor& x) { return minimum(x, 0.5); },
                  .reference = [](Real x) { return x < 0.5 || std::isnan(x) ? x : Real{0.5}; },
                  .inputs = {{.domain = {.avoid = {0.5}}}},
                  .points = {{{0.5}, 0.5, {0}, {0}},
                             {{-inf}, -inf, {1}, {0}},
                             {{1}, 0.5, {0}, {0}},
                             {{nan}, nan, {1}, {0}}},
                  .integers = false});
  op.throws<DtypeError>("minimum: int64 cannot hold 0.5; convert the tensor with to(float32)",
                        [] { return minimum(ones({2}, {.dtype = int64}), 0.5); });
});

const OpSamples nan_to_num_samples(OpId::nan_to_num, [](Op& op) {
  op.parts = {OpId::equal_number, OpId::where, OpId::alias};
  op.accepts = Accepts::everything;
  op.elementwise(
      {.attributes = "nan=1, posinf=2, neginf=-3",
       .apply = [](const Tensor& x) { return nan_to_num(x, {.nan = 1, .posinf = 2, .neginf = -3}); },
       .reference = [](Real x) -> Real {
         return std::isnan(x) ? 1 : x == inf ? 2 : x == -inf ? -3 : x;
       },
       .points = {{{nan}, 1, {0}, {0}}, {{inf}, 2, {0}, {0}}, {{-inf}, -3, {0}, {0}}, {{7}, 7, {1}, {0}}}});
});

}}  // namespace xtgrad::testing
