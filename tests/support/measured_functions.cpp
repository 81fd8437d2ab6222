#include "tests/support/measured_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "xtgrad/xtgrad.h"

namespace xtgrad::inline v1::testing {
namespace {

using detail::OpId;

Draw evenly(double low, double high) { return {.low = low, .high = high}; }
/// Sizes of all orders of magnitude.
Draw sizes(double low, double high) { return {.low = low, .high = high, .logarithmic = true}; }
/// The same of both signs.
Draw signed_sizes(double low, double high) {
  return {.low = low, .high = high, .logarithmic = true, .both = true};
}
/// The same below 0.
Draw below(double low, double high) { return {.low = low, .high = high, .logarithmic = true, .sign = -1}; }

/// Distances to a point of all orders of magnitude, from about an ulp on: on both sides, or on the one that
/// `sign` says.
Region near(double point, double reach = 0.1, int sign = 0) {
  const double size = point == 0 ? 1 : std::abs(point);
  const auto draw = [&](double ulp) {
    return Draw{.low = ulp * size,
                .high = reach,
                .logarithmic = true,
                .both = sign == 0,
                .sign = sign == 0 ? 1 : sign,
                .around = point};
  };
  return {fmt::format("near {:.5g}", point), {draw(0x1p-52)}, {draw(0x1p-23)}};
}

Region middle(double low, double high) {
  return {fmt::format("{:g} to {:g}", low, high), {evenly(low, high)}};
}

/// Far out, to where float64 ends or has nothing left, and to where float32 does.
Region tails(const std::string& name, Draw in_float64, Draw in_float32) {
  return {name, {in_float64}, {in_float32}};
}

using OfOne = Tensor (*)(const Tensor&);
using OfTwo = Tensor (*)(const Tensor&, const Tensor&);

std::string label_of(OpId id, const std::string& attributes) {
  return std::string(to_string(id)) + (attributes.empty() ? "" : " ") + attributes;
}

/// What collects the table.
class Table {
 public:
  void one(OpId id, OfOne f, std::vector<Region> regions, const std::string& attributes = "") {
    add({.id = id,
         .label = label_of(id, attributes),
         .apply = [f](std::span<const Tensor> in) { return f(in[0]); },
         .regions = std::move(regions)});
  }
  void two(OpId id, OfTwo f, std::vector<Region> regions) {
    add({.id = id,
         .label = label_of(id, ""),
         .operands = 2,
         .apply = [f](std::span<const Tensor> in) { return f(in[0], in[1]); },
         .regions = std::move(regions)});
  }
  void rows(OpId id, OfOne f, std::vector<Region> regions) {
    add({.id = id,
         .label = label_of(id, ""),
         .of_rows = true,
         .apply = [f](std::span<const Tensor> in) { return f(in[0]); },
         .regions = std::move(regions)});
  }
  std::vector<MeasuredFunction> functions;

 private:
  void add(MeasuredFunction function) { functions.push_back(std::move(function)); }
};

void add_arithmetic(Table& t) {
  t.one(OpId::neg, [](const Tensor& x) { return neg(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::square, [](const Tensor& x) { return square(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::abs, [](const Tensor& x) { return abs(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::sign, [](const Tensor& x) { return sign(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::relu, [](const Tensor& x) { return relu(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::relu6, [](const Tensor& x) { return relu6(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::hardtanh, [](const Tensor& x) { return hardtanh(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-150, 1e150), signed_sizes(1e-18, 1e18))});
  t.one(OpId::sqrt, [](const Tensor& x) { return sqrt(x); },
        {middle(0.01, 10), tails("all sizes", sizes(1e-300, 1e300), sizes(1e-37, 1e37))});
  t.one(OpId::rsqrt, [](const Tensor& x) { return rsqrt(x); },
        {middle(0.01, 10), tails("all sizes", sizes(1e-120, 1e120), sizes(1e-14, 1e14))});
  t.one(OpId::reciprocal, [](const Tensor& x) { return reciprocal(x); },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-100, 1e100), signed_sizes(1e-12, 1e12))});
  t.one(OpId::floor, [](const Tensor& x) { return floor(x); }, {middle(-8, 8), near(1)});
  t.one(OpId::ceil, [](const Tensor& x) { return ceil(x); }, {middle(-8, 8), near(1)});
  t.one(OpId::round, [](const Tensor& x) { return round(x); }, {middle(-8, 8), near(1)});
  t.one(OpId::trunc, [](const Tensor& x) { return trunc(x); }, {middle(-8, 8), near(1)});
  t.one(OpId::frac, [](const Tensor& x) { return frac(x); }, {middle(-8, 8), near(1)});
  t.one(OpId::nan_to_num, [](const Tensor& x) { return nan_to_num(x); }, {middle(-8, 8)});
  t.one(
      OpId::clamp, [](const Tensor& x) { return clamp(x, {.min = -1, .max = 2}); }, {middle(-4, 4)},
      "-1 to 2");
  t.one(
      OpId::add_number, [](const Tensor& x) { return x + 0.75; }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::sub_number, [](const Tensor& x) { return x - 0.75; }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::mul_number, [](const Tensor& x) { return 0.75 * x; }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::div_number, [](const Tensor& x) { return x / 0.75; }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::number_sub, [](const Tensor& x) { return 0.75 - x; }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::number_div, [](const Tensor& x) { return 0.75 / x; }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::maximum_number, [](const Tensor& x) { return maximum(x, 0.75); }, {middle(-4, 4)}, "0.75");
  t.one(
      OpId::minimum_number, [](const Tensor& x) { return minimum(x, 0.75); }, {middle(-4, 4)}, "0.75");
  t.two(OpId::add, [](const Tensor& a, const Tensor& b) { return a + b; }, {middle(-8, 8)});
  t.two(OpId::sub, [](const Tensor& a, const Tensor& b) { return a - b; }, {middle(-8, 8)});
  t.two(OpId::mul, [](const Tensor& a, const Tensor& b) { return a * b; }, {middle(-8, 8)});
  t.two(OpId::maximum, [](const Tensor& a, const Tensor& b) { return maximum(a, b); }, {middle(-8, 8)});
  t.two(OpId::minimum, [](const Tensor& a, const Tensor& b) { return minimum(a, b); }, {middle(-8, 8)});
  t.two(OpId::fmax, [](const Tensor& a, const Tensor& b) { return fmax(a, b); }, {middle(-8, 8)});
  t.two(OpId::fmin, [](const Tensor& a, const Tensor& b) { return fmin(a, b); }, {middle(-8, 8)});
  t.two(OpId::copysign, [](const Tensor& a, const Tensor& b) { return copysign(a, b); }, {middle(-8, 8)});
  t.two(OpId::div, [](const Tensor& a, const Tensor& b) { return a / b; },
        {middle(-8, 8), tails("all sizes", signed_sizes(1e-60, 1e60), signed_sizes(1e-8, 1e8))});
  t.two(OpId::fmod, [](const Tensor& a, const Tensor& b) { return fmod(a, b); },
        {middle(-8, 8), {"large quotients", {signed_sizes(1, 1e6), signed_sizes(0.01, 1)}}});
  t.two(OpId::remainder, [](const Tensor& a, const Tensor& b) { return remainder(a, b); },
        {middle(-8, 8), {"large quotients", {signed_sizes(1, 1e6), signed_sizes(0.01, 1)}}});
  t.two(OpId::floor_divide, [](const Tensor& a, const Tensor& b) { return floor_divide(a, b); },
        {middle(-8, 8), {"large quotients", {signed_sizes(1, 1e6), signed_sizes(0.01, 1)}}});
  t.one(
      OpId::lerp, [](const Tensor& x) { return lerp(x, full_like(x, 3), 0.25); }, {middle(-4, 4)},
      "to 3 by 0.25");
  t.one(
      OpId::prelu, [](const Tensor& x) { return prelu(x, full({1}, 0.25, {.dtype = x.dtype()})); },
      {middle(-4, 4)}, "0.25");
}

void add_exponentials(Table& t) {
  t.one(OpId::exp, [](const Tensor& x) { return exp(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 708), signed_sizes(8, 87)), near(0)});
  t.one(OpId::exp2, [](const Tensor& x) { return exp2(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 1020), signed_sizes(8, 125))});
  t.one(OpId::expm1, [](const Tensor& x) { return expm1(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 700), signed_sizes(8, 87)), near(0)});
  t.one(OpId::log, [](const Tensor& x) { return log(x); },
        {middle(0.01, 10), tails("all sizes", sizes(1e-150, 1e150), sizes(1e-18, 1e18)), near(1)});
  t.one(OpId::log2, [](const Tensor& x) { return log2(x); },
        {middle(0.01, 10), tails("all sizes", sizes(1e-150, 1e150), sizes(1e-18, 1e18)), near(1)});
  t.one(OpId::log10, [](const Tensor& x) { return log10(x); },
        {middle(0.01, 10), tails("all sizes", sizes(1e-150, 1e150), sizes(1e-18, 1e18)), near(1)});
  t.one(OpId::log1p, [](const Tensor& x) { return log1p(x); },
        {middle(-0.9, 10), tails("tail", sizes(10, 1e150), sizes(10, 1e18)), near(0), near(-1, 0.1, 1)});
  t.one(OpId::logit, [](const Tensor& x) { return logit(x); },
        {middle(0.01, 0.99), near(0, 0.1, 1), near(0.5), near(1, 0.1, -1)});
  t.one(OpId::sinh, [](const Tensor& x) { return sinh(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 709), signed_sizes(8, 88)), near(0)});
  t.one(OpId::cosh, [](const Tensor& x) { return cosh(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 709), signed_sizes(8, 88)), near(0)});
  t.one(OpId::tanh, [](const Tensor& x) { return tanh(x); },
        {middle(-4, 4), tails("tails", signed_sizes(4, 300), signed_sizes(4, 40)), near(0)});
  t.one(OpId::asinh, [](const Tensor& x) { return asinh(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 1e100), signed_sizes(8, 1e12)), near(0)});
  t.one(OpId::acosh, [](const Tensor& x) { return acosh(x); },
        {middle(1, 10), tails("tail", sizes(10, 1e100), sizes(10, 1e12)), near(1, 0.1, 1)});
  t.one(OpId::atanh, [](const Tensor& x) { return atanh(x); },
        {middle(-0.99, 0.99), near(0), near(1, 0.1, -1)});
}

void add_trigonometric(Table& t) {
  t.one(OpId::sin, [](const Tensor& x) { return sin(x); },
        {middle(-8, 8), tails("far", signed_sizes(10, 1e12), signed_sizes(10, 1e6)), near(0),
         near(0.5 * std::numbers::pi), near(std::numbers::pi)});
  t.one(OpId::cos, [](const Tensor& x) { return cos(x); },
        {middle(-8, 8), tails("far", signed_sizes(10, 1e12), signed_sizes(10, 1e6)), near(0),
         near(0.5 * std::numbers::pi), near(std::numbers::pi)});
  t.one(OpId::tan, [](const Tensor& x) { return tan(x); },
        {middle(-8, 8), tails("far", signed_sizes(10, 1e12), signed_sizes(10, 1e6)), near(0),
         near(0.5 * std::numbers::pi), near(std::numbers::pi)});
  t.one(OpId::asin, [](const Tensor& x) { return asin(x); },
        {middle(-0.99, 0.99), near(0), near(0.5), near(1, 0.1, -1), near(-1, 0.1, 1)});
  t.one(OpId::acos, [](const Tensor& x) { return acos(x); },
        {middle(-0.99, 0.99), near(0), near(0.5), near(1, 0.1, -1), near(-1, 0.1, 1)});
  t.one(OpId::atan, [](const Tensor& x) { return atan(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 1e60), signed_sizes(8, 1e9)), near(0)});
  t.one(
      OpId::sinc, [](const Tensor& x) { return sinc(x); },
      {middle(-4, 4), tails("far", signed_sizes(4, 1e6), signed_sizes(4, 1e4)), near(0), near(1), near(0.5)});
}

void add_special(Table& t) {
  t.one(OpId::erf, [](const Tensor& x) { return erf(x); },
        {middle(-4, 4), tails("tails", signed_sizes(4, 30), signed_sizes(4, 12)), near(0)});
  t.one(OpId::erfc, [](const Tensor& x) { return erfc(x); },
        {middle(-4, 4), tails("upper tail", sizes(4, 26), sizes(4, 9)), near(0), near(0.5)});
  t.one(OpId::erfcx, [](const Tensor& x) { return erfcx(x); },
        {middle(-4, 4),
         tails("lower tail", below(4, 26), below(4, 9)),
         {"upper tail", {sizes(4, 1e6)}},
         {"near 1e+06", {sizes(9e5, 1.1e6)}},
         near(0),
         near(1)});
  t.one(OpId::erfinv, [](const Tensor& x) { return erfinv(x); },
        {middle(-0.99, 0.99), near(0), near(0.5), near(1, 0.1, -1)});
  t.one(OpId::normal_cdf, [](const Tensor& x) { return normal_cdf(x); },
        {middle(-4, 4), tails("lower tail", below(4, 37), below(4, 12)),
         tails("upper tail", sizes(4, 37), sizes(4, 12)), near(0), near(-0.8)});
  t.one(OpId::log_ndtr, [](const Tensor& x) { return log_ndtr(x); },
        {middle(-4, 4),
         {"lower tail", {below(4, 1e3)}},
         {"near -1e+06", {below(9e5, 1.1e6)}},
         tails("upper tail", sizes(4, 37), sizes(4, 12)),
         near(0)});
  t.one(OpId::lgamma, [](const Tensor& x) { return lgamma(x); },
        {middle(0.1, 8), middle(-8, 0), tails("tail", sizes(8, 1e100), sizes(8, 1e18)), near(1), near(2),
         near(-2.4570247382208006), near(0)});
  t.one(OpId::digamma, [](const Tensor& x) { return digamma(x); },
        {middle(0.1, 8), middle(-8, 0), tails("tail", sizes(8, 1e100), sizes(8, 1e12)),
         near(1.4616321449683623), near(-0.5040830082644554), near(0)});
  t.one(
      OpId::polygamma, [](const Tensor& x) { return polygamma(1, x); },
      {middle(0.1, 8), middle(-8, 0), tails("tail", sizes(8, 1e30), sizes(8, 1e4))}, "1");
  t.one(
      OpId::polygamma, [](const Tensor& x) { return polygamma(2, x); },
      {middle(0.1, 8), middle(-8, 0), tails("tail", sizes(8, 1e30), sizes(8, 1e4))}, "2");
  t.one(
      OpId::polygamma, [](const Tensor& x) { return polygamma(4, x); },
      {middle(0.1, 8), middle(-8, 0), tails("tail", sizes(8, 1e30), sizes(8, 1e4))}, "4");
  t.one(OpId::i0, [](const Tensor& x) { return i0(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 700), signed_sizes(8, 85)), near(0)});
  t.one(OpId::i1, [](const Tensor& x) { return i1(x); },
        {middle(-8, 8), tails("tails", signed_sizes(8, 700), signed_sizes(8, 85)), near(0)});
}

void add_activations(Table& t) {
  t.one(OpId::sigmoid, [](const Tensor& x) { return sigmoid(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)),
         tails("upper tail", sizes(4, 700), sizes(4, 85)), near(0)});
  t.one(OpId::log_sigmoid, [](const Tensor& x) { return log_sigmoid(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)),
         tails("upper tail", sizes(4, 700), sizes(4, 85)), near(0)});
  t.one(OpId::silu, [](const Tensor& x) { return silu(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)),
         tails("upper tail", sizes(4, 700), sizes(4, 85)), near(0), near(-1.2784645427610738)});
  t.one(OpId::mish, [](const Tensor& x) { return mish(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)),
         tails("upper tail", sizes(4, 700), sizes(4, 85)), near(0), near(-1.1924312145135453)});
  t.one(OpId::softplus, [](const Tensor& x) { return softplus(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)),
         tails("upper tail", sizes(4, 700), sizes(4, 85)), near(0)});
  t.one(
      OpId::softplus, [](const Tensor& x) { return softplus(x, {.beta = 3}); },
      {middle(-4, 4), tails("lower tail", below(4, 230), below(4, 28)),
       tails("upper tail", sizes(4, 230), sizes(4, 28)), near(0)},
      "beta 3");
  t.one(OpId::gelu, [](const Tensor& x) { return gelu(x); },
        {middle(-4, 4), tails("lower tail", below(4, 37), below(4, 12)),
         tails("upper tail", sizes(4, 37), sizes(4, 12)), near(0), near(-0.7517915241299617)});
  t.one(OpId::gelu_tanh, [](const Tensor& x) { return gelu_tanh(x); },
        {middle(-4, 4), tails("lower tail", below(4, 20), below(4, 9)),
         tails("upper tail", sizes(4, 20), sizes(4, 9)), near(0), near(-0.7524614220710162)});
  t.one(
      OpId::leaky_relu, [](const Tensor& x) { return leaky_relu(x); }, {middle(-8, 8)}, "0.01");
  t.one(OpId::elu, [](const Tensor& x) { return elu(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)), near(0)});
  t.one(
      OpId::celu, [](const Tensor& x) { return celu(x, 1.5); },
      {middle(-4, 4), tails("lower tail", below(4, 1000), below(4, 120)), near(0)}, "1.5");
  t.one(OpId::selu, [](const Tensor& x) { return selu(x); },
        {middle(-4, 4), tails("lower tail", below(4, 700), below(4, 85)), near(0)});
  t.one(OpId::softsign, [](const Tensor& x) { return softsign(x); },
        {middle(-4, 4), tails("tails", signed_sizes(4, 1e90), signed_sizes(4, 1e10)), near(0)});
  t.one(OpId::tanhshrink, [](const Tensor& x) { return tanhshrink(x); },
        {middle(-4, 4), tails("tails", signed_sizes(4, 300), signed_sizes(4, 40)), near(0), near(1.5)});
  t.one(OpId::hardswish, [](const Tensor& x) { return hardswish(x); }, {middle(-4, 4), near(0), near(-3)});
  t.one(OpId::hardsigmoid, [](const Tensor& x) { return hardsigmoid(x); }, {middle(-4, 4), near(-3)});
  t.one(
      OpId::hardshrink, [](const Tensor& x) { return hardshrink(x); }, {middle(-4, 4)}, "0.5");
  t.one(
      OpId::softshrink, [](const Tensor& x) { return softshrink(x); }, {middle(-4, 4), near(0.5)}, "0.5");
  t.one(
      OpId::threshold, [](const Tensor& x) { return threshold(x, 0.5, 3); }, {middle(-4, 4)}, "0.5 and 3");
}

void add_powers(Table& t) {
  t.one(
      OpId::pow_number, [](const Tensor& x) { return pow(x, 0.5); },
      {middle(0.01, 8), tails("all sizes", sizes(1e-90, 1e90), sizes(1e-9, 1e9))}, "0.5");
  t.one(
      OpId::pow_number, [](const Tensor& x) { return pow(x, 1.75); },
      {middle(0.01, 8), tails("all sizes", sizes(1e-90, 1e90), sizes(1e-9, 1e9))}, "1.75");
  t.one(
      OpId::pow_number, [](const Tensor& x) { return pow(x, 2); },
      {middle(0.01, 8), tails("all sizes", sizes(1e-90, 1e90), sizes(1e-9, 1e9))}, "2");
  t.one(
      OpId::pow_number, [](const Tensor& x) { return pow(x, 3); },
      {middle(0.01, 8), tails("all sizes", sizes(1e-90, 1e90), sizes(1e-9, 1e9))}, "3");
  t.one(
      OpId::pow_number, [](const Tensor& x) { return pow(x, -1.25); },
      {middle(0.01, 8), tails("all sizes", sizes(1e-90, 1e90), sizes(1e-9, 1e9))}, "-1.25");
  t.one(
      OpId::number_pow, [](const Tensor& x) { return pow(1.75, x); },
      {middle(-8, 8), tails("tails", signed_sizes(8, 1200), signed_sizes(8, 150))}, "1.75");
  t.two(OpId::pow, [](const Tensor& a, const Tensor& b) { return pow(a, b); },
        {{"0.01 to 8, -4 to 4", {evenly(0.01, 8), evenly(-4, 4)}},
         {"all sizes", {sizes(1e-30, 1e30), evenly(-8, 8)}, {sizes(1e-4, 1e4), evenly(-8, 8)}},
         {"base near 1",
          {near(1).operands[0], signed_sizes(0.1, 1e3)},
          {near(1).in_float32[0], signed_sizes(0.1, 100)}}});
  t.two(OpId::atan2, [](const Tensor& a, const Tensor& b) { return atan2(a, b); },
        {middle(-8, 8),
         tails("all sizes", signed_sizes(1e-60, 1e60), signed_sizes(1e-8, 1e8)),
         {"near the axis", {signed_sizes(1e-12, 1e-3), evenly(-8, 8)}},
         {"near the diagonal",
          {near(1).operands[0], near(1).operands[0]},
          {near(1).in_float32[0], near(1).in_float32[0]}}});
  t.two(OpId::hypot, [](const Tensor& a, const Tensor& b) { return hypot(a, b); },
        {middle(-8, 8),
         tails("all sizes", signed_sizes(1e-90, 1e90), signed_sizes(1e-10, 1e10)),
         {"near the axis", {signed_sizes(1e-3, 0.1), evenly(-8, 8)}}});
  t.two(OpId::logaddexp, [](const Tensor& a, const Tensor& b) { return logaddexp(a, b); },
        {middle(-8, 8),
         tails("tails", signed_sizes(8, 300), signed_sizes(8, 40)),
         {"large and equal", {evenly(1000, 1001)}}});
  t.two(OpId::xlogy, [](const Tensor& a, const Tensor& b) { return xlogy(a, b); },
        {{"-8 to 8, 0.01 to 8", {evenly(-8, 8), evenly(0.01, 8)}},
         {"y near 1", {evenly(-8, 8), near(1).operands[0]}, {evenly(-8, 8), near(1).in_float32[0]}},
         {"all sizes",
          {signed_sizes(1e-60, 1e60), sizes(1e-60, 1e60)},
          {signed_sizes(1e-8, 1e8), sizes(1e-8, 1e8)}}});
  t.two(OpId::xlog1py, [](const Tensor& a, const Tensor& b) { return xlog1py(a, b); },
        {{"-8 to 8, -0.9 to 8", {evenly(-8, 8), evenly(-0.9, 8)}},
         {"y near 0", {evenly(-8, 8), signed_sizes(1e-12, 0.1)}},
         {"y near -1",
          {evenly(-8, 8), near(-1, 0.1, 1).operands[0]},
          {evenly(-8, 8), near(-1, 0.1, 1).in_float32[0]}}});
}

void add_rows(Table& t) {
  t.rows(OpId::softmax, [](const Tensor& x) { return softmax(x, 1); },
         {middle(-4, 4),
          {"one far above", {evenly(10, 30), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}},
          {"one far below", {evenly(-70, -20), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}},
          {"offset of 1000", {evenly(996, 1004)}}});
  t.rows(OpId::log_softmax, [](const Tensor& x) { return log_softmax(x, 1); },
         {middle(-4, 4),
          {"one far above", {evenly(10, 30), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}},
          {"one far below", {evenly(-70, -20), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}},
          {"offset of 1000", {evenly(996, 1004)}}});
  t.rows(OpId::logsumexp, [](const Tensor& x) { return logsumexp(x, {.axes = {1}}); },
         {middle(-4, 4),
          {"one far above", {evenly(10, 30), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}},
          {"one far below", {evenly(-70, -20), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}},
          {"offset of 1000", {evenly(996, 1004)}}});
  t.rows(OpId::norm, [](const Tensor& x) { return norm(x, {.axes = {1}}); },
         {middle(-4, 4),
          tails("tiny", signed_sizes(1e-200, 1e-190), signed_sizes(1e-30, 1e-25)),
          tails("huge", signed_sizes(1e190, 1e200), signed_sizes(1e25, 1e30)),
          {"one far above", {signed_sizes(1e5, 1e6), evenly(-4, 4), evenly(-4, 4), evenly(-4, 4)}}});
}

}  // namespace

bool is_measured_family(std::string_view family) {
  constexpr auto families = std::to_array<std::string_view>(
      {"unary", "exponential", "trigonometric", "hyperbolic", "rounding", "normal", "gamma", "bessel",
       "activation", "number", "binary", "polar", "division", "logarithmic", "extremes"});
  return std::find(families.begin(), families.end(), family) != families.end();
}

std::vector<MeasuredFunction> measured_functions() {
  Table table;
  add_arithmetic(table);
  add_exponentials(table);
  add_trigonometric(table);
  add_special(table);
  add_activations(table);
  add_powers(table);
  add_rows(table);
  return std::move(table.functions);
}

}  // namespace xtgrad::v1::testing
