// Samples of the activations.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input nonzero{.domain = {.avoid = {0}}};
/// Points around a zero of the derivative are left out: its terms cancel there, and each evaluator rounds
/// them in its own way.
Input away_from(double zero) { return {.domain = {.low = -3, .high = 3, .avoid = {zero}}}; }
const double density_at_zero = 1 / std::sqrt(2 * std::numbers::pi);

Real normal_cdf_of(Real x) { return std::erfc(-x / std::numbers::sqrt2_v<Real>) / 2; }

/// x times a weight that vanishes at -inf faster than x grows.
Real weighted(Real x, Real weight) { return x == -inf ? Real{-0.0} : x * weight; }

const OpSamples leaky_relu_samples(OpId::leaky_relu, [](Op& op) {
  op.accuracy = {.ulps = 1};  // the slope is rounded, too
  op.elementwise({.attributes = "slope=0.01",
                  .apply = [](const Tensor& x) { return leaky_relu(x); },
                  .reference = [](Real x) { return x >= 0 ? x : Real{0.01} * x; },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {0.01}, {0}},
                             {{-0.0}, -0.0, {0.01}, {0}},
                             {{2}, 2, {1}, {0}},
                             {{-inf}, -inf, {0.01}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{nan}, nan, {nan}, {0}}}});  // linear on either side: nothing to derive again
  op.elementwise({.attributes = "slope=1.5",
                  .apply = [](const Tensor& x) { return leaky_relu(x, 1.5); },
                  .reference = [](Real x) { return x >= 0 ? x : Real{1.5} * x; },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {1.5}, {0}}, {{-2}, -3, {1.5}, {0}}}});
  op.throws<ValueError>("slope must be finite, got nan", [] { return leaky_relu(ones({2}), nan); });
  op.throws<ValueError>("slope must be finite, got -inf", [] { return leaky_relu(ones({2}), -inf); });
});

const OpSamples elu_samples(OpId::elu, [](Op& op) {
  // As expm1, scaled by alpha, which is exact for 1.
  op.accuracy = {.ulps = 1.5};
  op.elementwise({.attributes = "alpha=1",
                  .apply = [](const Tensor& x) { return elu(x); },
                  .reference = [](Real x) { return x > 0 ? x : std::expm1(x); },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {1}, {0}},
                             {{-0.0}, -0.0, {1}, {0}},
                             {{1e3}, 1e3, {1}, {0}},
                             {{-1e3}, -1, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{-inf}, -1, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
  op.elementwise({.attributes = "alpha=0.5",
                  .apply = [](const Tensor& x) { return elu(x, 0.5); },
                  .reference = [](Real x) { return x > 0 ? x : std::expm1(x) / 2; },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {0.5}, {0}}, {{-1e3}, -0.5, {0}, {0}}}});
  op.elementwise({.attributes = "alpha=2",
                  .apply = [](const Tensor& x) { return elu(x, 2); },
                  .reference = [](Real x) { return x > 0 ? x : 2 * std::expm1(x); },
                  .inputs = {nonzero},
                  .points = {{{0}, 0, {1}, {0}}, {{5}, 5, {1}, {0}}}});
  op.throws<ValueError>("alpha must be finite and not negative, got -1", [] { return elu(ones({2}), -1); });
  op.throws<ValueError>("alpha must be finite and not negative, got inf", [] { return elu(ones({2}), inf); });
  op.throws<ValueError>("alpha must be finite and not negative, got nan", [] { return elu(ones({2}), nan); });
});

const OpSamples normal_cdf_samples(OpId::normal_cdf, [](Op& op) {
  // Roundings below 0, each less than an ulp of the result: 3 in the fit's argument, magnified 1.2 times; 1.6
  // in the fit, 2 in its division, 1 in the exponential, and half a one at the end. They seldom agree:
  // activation_test.cpp holds it to 4.5 at 20001 points.
  op.accuracy = {.ulps = 9};
  op.elementwise({.apply = [](const Tensor& x) { return normal_cdf(x); },
                  .reference = normal_cdf_of,
                  .points = {{{0}, 0.5, {density_at_zero}, {0}},
                             {{1e3}, 1, {0}, {0}},
                             {{-1e3}, 0, {0}, {0}},
                             {{inf}, 1, {0}, {0}},
                             {{-inf}, 0, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples gelu_samples(OpId::gelu, [](Op& op) {
  op.accuracy = {.ulps = 10, .gradient_ulps = 8};  // normal_cdf's, and the product's
  op.elementwise({.apply = [](const Tensor& x) { return gelu(x); },
                  .reference = [](Real x) { return weighted(x, normal_cdf_of(x)); },
                  .inputs = {away_from(-0.752)},
                  .points = {{{0}, 0, {0.5}, {2 * density_at_zero}},
                             {{1e3}, 1e3, {1}, {0}},
                             {{-1e3}, -0.0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{-inf}, -0.0, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples gelu_tanh_samples(OpId::gelu_tanh, [](Op& op) {
  // The argument is a pair, so what is left are the roundings of silu.
  op.accuracy = {.ulps = 5.5, .gradient_ulps = 8};
  op.elementwise({.apply = [](const Tensor& x) { return gelu_tanh(x); },
                  .reference =
                      [](Real x) {
                        const Real u = std::sqrt(2 / std::numbers::pi_v<Real>) * (x + 0.044715L * x * x * x);
                        return weighted(x, 1 / (1 + std::exp(-2 * u)));  // (1 + tanh(u)) / 2
                      },
                  .inputs = {away_from(-0.753)},
                  .points = {{{0}, 0, {0.5}, {2 * density_at_zero}},
                             {{1e3}, 1e3, {1}, {0}},
                             {{-1e3}, -0.0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{-inf}, -0.0, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples silu_samples(OpId::silu, [](Op& op) {
  // sigmoid's 2.5 ulps are up to 5 of a product with smaller leading digits, which is rounded itself.
  op.accuracy = {.ulps = 5.5, .gradient_ulps = 8};
  op.elementwise({.apply = [](const Tensor& x) { return silu(x); },
                  .reference = [](Real x) { return weighted(x, 1 / (1 + std::exp(-x))); },
                  .inputs = {away_from(-1.278)},
                  .points = {{{0}, 0, {0.5}, {0.5}},
                             {{1e3}, 1e3, {1}, {0}},
                             {{-1e3}, -0.0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{-inf}, -0.0, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

/// x - tanh(x), and near 0 the first terms of its series.
Real tanhshrink_of(Real x) {
  if (std::abs(x) > Real{0.1} || std::isnan(x)) return x - std::tanh(x);
  constexpr Real terms[] = {
      1.0L / 3,         -2.0L / 15,          17.0L / 315,           -62.0L / 2835,
      1382.0L / 155925, -21844.0L / 6081075, 929569.0L / 638512875, -6404582.0L / 10854718875};
  Real sum = 0;
  for (std::size_t k = std::size(terms); k-- > 0;) sum = sum * x * x + terms[k];
  return x == 0 ? x : sum * x * x * x;
}

/// x tanh(log(1 + e^x)), whose tangent is e (e + 2) / (e (e + 2) + 2) with e = e^x.
Real mish_of(Real x) {
  if (std::isnan(x) || x > 5000) return x;
  if (std::isinf(x)) return -0.0;
  const Real e = std::exp(x), n = e * (e + 2);
  return x * (n / (n + 2));
}

const OpSamples mish_samples(OpId::mish, [](Op& op) {
  // 2 ulps of a numerator below 0, whose error the denominator takes back up to 3/5 of near 0; the quotient
  // and the product are rounded, each up to an ulp of a result that leads with smaller digits.
  op.accuracy = {.ulps = 5};
  op.elementwise({.apply = [](const Tensor& x) { return mish(x); },
                  .reference = [](Real x) { return mish_of(x); },
                  .points = {{{1e3}, 1e3, {1}, {0}},
                             {{-1e3}, -0.0, {0}, {0}},
                             {{-inf}, -0.0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples softsign_samples(OpId::softsign, [](Op& op) {
  // The sum's rounding is up to an ulp of the quotient, which is rounded itself.
  op.accuracy = {.ulps = 1.5};
  op.elementwise(
      {.apply = [](const Tensor& x) { return softsign(x); },
       .reference = [](Real x) { return std::isinf(x) ? std::copysign(Real{1}, x) : x / (1 + std::abs(x)); },
       .inputs = {{.domain = {.avoid = {0}}}},
       .points = {{{0}, 0, {1}, {0}},
                  {{-0.0}, -0.0, {1}, {0}},
                  {{1}, 0.5, {0.25}, {-0.25}},
                  {{-inf}, -1, {0}, {0}},
                  {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples tanhshrink_samples(OpId::tanhshrink, [](Op& op) {
  // Above 1.5 the tangent's roundings are magnified 2.5 times.
  op.accuracy = {.ulps = 7};
  op.elementwise({.apply = [](const Tensor& x) { return tanhshrink(x); },
                  .reference = [](Real x) { return tanhshrink_of(x); },
                  .points = {{{0}, 0, {0}, {0}},
                             {{-0.0}, -0.0, {0}, {0}},
                             {{1e3}, 999, {1}, {0}},
                             {{-inf}, -inf, {1}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples hardswish_samples(OpId::hardswish, [](Op& op) {
  // The sum, the product and the quotient by 6: half an ulp each, twice as much where the digits lead so.
  op.accuracy = {.ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return hardswish(x); },
                  .reference = [](Real x) { return x <= -3  ? Real{-0.0}
                                                   : x >= 3 ? x
                                                            : x * (x + 3) / 6; },
                  .inputs = {{.domain = {.low = -5, .high = 5, .avoid = {-3, 3}}}},
                  .points = {{{-3}, -0.0, {0}, {0}},
                             {{3}, 3, {1}, {0}},
                             {{0}, 0, {0.5}, {1.0 / 3}},
                             {{-inf}, -0.0, {0}, {0}},
                             {{inf}, inf, {1}, {0}},
                             {{nan}, nan, {nan}, {1.0 / 3}}}});
});

const OpSamples hardsigmoid_samples(OpId::hardsigmoid, [](Op& op) {
  // As softsign, with a quotient by 6.
  op.accuracy = {.ulps = 1.5};
  op.elementwise({.apply = [](const Tensor& x) { return hardsigmoid(x); },
                  .reference = [](Real x) { return x <= -3  ? Real{0}
                                                   : x >= 3 ? Real{1}
                                                            : (x + 3) / 6; },
                  .inputs = {{.domain = {.low = -5, .high = 5, .avoid = {-3, 3}}}},
                  .points = {{{-3}, 0, {0}, {0}},
                             {{3}, 1, {0}, {0}},
                             {{0}, 0.5, {1.0 / 6}, {0}},
                             {{-inf}, 0, {0}, {0}},
                             {{inf}, 1, {0}, {0}}}});
});

const OpSamples hardshrink_samples(OpId::hardshrink, [](Op& op) {
  op.throws<ValueError>("hardshrink: lambda must be finite and not negative, got -1",
                        [] { return hardshrink(ones({2}), -1); });
  op.elementwise({.apply = [](const Tensor& x) { return hardshrink(x); },
                  .reference = [](Real x) { return std::abs(x) <= Real{0.5} ? Real{0} : x; },
                  .inputs = {{.domain = {.avoid = {-0.5, 0.5}}}},
                  .points = {{{0.5}, 0, {0}, {0}},
                             {{-0.5}, 0, {0}, {0}},
                             {{2}, 2, {1}, {0}},
                             {{-inf}, -inf, {1}, {0}},
                             {{nan}, nan, {1}, {0}}}});
});

const OpSamples softshrink_samples(OpId::softshrink, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.throws<ValueError>("softshrink: lambda must be finite and not negative, got inf",
                        [] { return softshrink(ones({2}), inf); });
  op.elementwise(
      {.apply = [](const Tensor& x) { return softshrink(x); },
       .reference =
           [](Real x) { return std::abs(x) <= Real{0.5} ? Real{0} : x - std::copysign(Real{0.5}, x); },
       .inputs = {{.domain = {.avoid = {-0.5, 0.5}}}},
       .points = {{{0.5}, 0, {0}, {0}},
                  {{-0.5}, 0, {0}, {0}},
                  {{2}, 1.5, {1}, {0}},
                  {{-inf}, -inf, {1}, {0}},
                  {{nan}, nan, {1}, {0}}}});
});

const OpSamples celu_samples(OpId::celu, [](Op& op) {
  op.throws<ValueError>("celu: alpha must be finite and positive, got 0", [] { return celu(ones({2}), 0); });
  op.elementwise({.attributes = "alpha=0.5",
                  .apply = [](const Tensor& x) { return celu(x, 0.5); },
                  .reference = [](Real x) { return x > 0 ? x : std::expm1(x * 2) / 2; },
                  .inputs = {{.domain = {.avoid = {0}}}}});
  // expm1's 1.5 ulps, of an argument whose rounding it does not magnify while it counts, and the product's
  // half.
  op.accuracy = {.ulps = 2.5};
  op.elementwise(
      {.apply = [](const Tensor& x) { return celu(x, 1); },
       .reference = [](Real x) { return x > 0 ? x : std::expm1(x); },
       .inputs = {{.domain = {.avoid = {0}}}},
       .points = {{{0}, 0, {1}, {0}}, {{2}, 2, {1}, {0}}, {{-inf}, -1, {0}, {0}}, {{inf}, inf, {1}, {0}}}});
});

const OpSamples selu_samples(OpId::selu, [](Op& op) {
  // expm1's 1.5 ulps, and half an ulp of the constants' product and of the last one.
  op.accuracy = {.ulps = 3};
  op.elementwise(
      {.apply = [](const Tensor& x) { return selu(x); },
       .reference =
           [](Real x) {
             return 1.0507009873554804934L * (x > 0 ? x : 1.6732632423543772848L * std::expm1(x));
           },
       .inputs = {{.domain = {.avoid = {0}}}},
       .points = {{{0}, 0, {1.0507009873554804934}, {0}}, {{inf}, inf, {1.0507009873554804934}, {0}}}});
});

const OpSamples relu6_samples(OpId::relu6, [](Op& op) {
  op.parts = {OpId::clamp};
  op.accepts = Accepts::numbers;
  op.elementwise(
      {.apply = [](const Tensor& x) { return relu6(x); },
       .reference = [](Real x) { return x > 0 || std::isnan(x) ? (x > 6 ? Real{6} : x) : Real{0}; },
       .inputs = {{.domain = {.low = -3, .high = 9, .avoid = {0, 6}}}},
       .points = {{{0}, 0, {0}, {0}}, {{6}, 6, {0}, {0}}, {{3}, 3, {1}, {0}}, {{nan}, nan, {1}, {0}}}});
});

const OpSamples hardtanh_samples(OpId::hardtanh, [](Op& op) {
  op.parts = {OpId::clamp};
  op.accepts = Accepts::numbers;
  op.elementwise(
      {.apply = [](const Tensor& x) { return hardtanh(x); },
       .reference = [](Real x) { return std::isnan(x) ? x : std::min(std::max(x, Real{-1}), Real{1}); },
       .inputs = {{.domain = {.avoid = {-1, 1}}}},
       .points = {{{-1}, -1, {0}, {0}}, {{1}, 1, {0}, {0}}, {{0.5}, 0.5, {1}, {0}}, {{nan}, nan, {1}, {0}}}});
});

const OpSamples threshold_samples(OpId::threshold, [](Op& op) {
  op.elementwise({.apply = [](const Tensor& x) { return threshold(x, 0.25, -7.5); },
                  .reference = [](Real x) { return x <= Real{0.25} ? Real{-7.5} : x; },
                  .inputs = {{.domain = {.avoid = {0.25}}}},
                  .points = {{{0.25}, -7.5, {0}, {0}}, {{0.5}, 0.5, {1}, {0}}, {{nan}, nan, {1}, {0}}}});
});

/// The weight of a channel, or the one that broadcasts.
Values prelu_of(std::span<const Values> in) {
  const Values& x = in[0];
  const Values& w = in[1];
  const bool by_channel = w.shape.rank() == 1 && x.shape.rank() > 1;
  return fill(x.shape, [&](const Index& at) {
    const Real slope = by_channel ? w.data[w.shape[0] == 1 ? 0 : static_cast<std::size_t>(at[1])]
                                  : w.at(broadcast_index(at, w.shape));
    return x.at(at) > 0 ? x.at(at) : slope * x.at(at);
  });
}

const OpSamples prelu_samples(OpId::prelu, [](Op& op) {
  op.parts = {OpId::greater_number, OpId::mul, OpId::where, OpId::reshape};
  op.accuracy = {.ulps = correctly_rounded, .signed_zeros = false};
  const auto of_shapes = [&op](const std::string& name, const Shape& x, const Shape& w) {
    op.sample({.attributes = name,
               .inputs = {{.shape = x, .domain = {.avoid = {0}}}, {.shape = w}},
               .apply = [](const Tensor& a, const Tensor& b) { return prelu(a, b); },
               .reference = prelu_of});
  };
  of_shapes("a channel each", {2, 3, 2}, {3});
  of_shapes("one for all", {2, 3}, {1});
  of_shapes("0-d", {}, {});
  of_shapes("an element each", {2, 3}, {2, 3});
  of_shapes("empty", {0, 3}, {3});
  op.exact({.what = "at 0 the slope is the weight",
            .inputs = {row({0, -0.0, -2, 2}), row({0.25})},
            .apply = [](const Tensor& a, const Tensor& b) { return prelu(a, b); },
            .value = row({0, 0, -0.5, 2}),
            .gradients = {row({0.25, 0.25, 0.25, 1}), row({-2})}});
  op.throws<ShapeError>("prelu: needs a weight for each of the 3 channels of x [2, 3], got weight [2]", [] {
    return prelu(ones({2, 3}), ones({2}));
  });
});

}}  // namespace xtgrad::testing
