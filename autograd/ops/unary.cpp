#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lanes_power.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/gaussian.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Neg final : Unary<Neg, OpId::neg, true> {
  static constexpr Reads saves = reads_nothing;
  static auto value(const auto& x) { return -x; }
  static auto rule(const auto& g) { return -g; }
};

struct Exp final : Unary<Exp, OpId::exp> {
  static constexpr Reads saves = output_bit;
  static auto value(const auto& x) { return exp(x); }
  static auto rule(const auto& g, const auto& y) { return g * y; }
};

struct Log final : Unary<Log, OpId::log> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return log(x); }
  static auto rule(const auto& g, const auto& x) { return g / x; }
};

struct Expm1 final : Unary<Expm1, OpId::expm1> {
  // The input: below 0 the output + 1 has lost e^x.
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return expm1(x); }
  static auto rule(const auto& g, const auto& x) { return g * exp(x); }
};

struct Log1p final : Unary<Log1p, OpId::log1p> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return log1p(x); }
  static auto rule(const auto& g, const auto& x) { return g / (1 + x); }
};

struct Sqrt final : Unary<Sqrt, OpId::sqrt> {
  static constexpr Reads saves = output_bit;
  static auto value(const auto& x) { return sqrt(x); }
  static auto rule(const auto& g, const auto& y) { return g * (0.5 / y); }
};

struct Square final : Unary<Square, OpId::square, true> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return square(x); }
  static auto rule(const auto& g, const auto& x) { return g * (2 * x); }
};

struct Abs final : Unary<Abs, OpId::abs, true> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return abs(x); }
  static auto rule(const auto& g, const auto& x) { return g * sign(x); }
};

/// Piecewise constant: no gradient at all, which `grad` tells apart from a zero.
struct Sign final : Elementwise<Sign, OpId::sign, 1, true> {
  static auto value(const auto& x) { return sign(x); }
};

/// tanh' from y = tanh(x).
struct TanhSlope final : Slope<TanhSlope> {
  static constexpr std::string_view slope_name = "tanh_slope";
  // (1 - y)(1 + y), not 1 - y*y: the square would round first and lose digits near |y| = 1
  static auto value(const auto& y) { return (1 - y) * (1 + y); }
  // not (1 - y) - (1 + y), which is what differentiating the product gives: 0 near y = 0
  static Tensor rule(const Tensor& g, const Tensor& y) { return g * (-2 * y); }
};

struct Tanh final : Unary<Tanh, OpId::tanh> {
  static constexpr Reads saves = output_bit;
  static auto value(const auto& x) { return tanh(x); }
  static auto rule(const auto& g, const auto& y) { return g * TanhSlope::of(y); }
};

/// sigmoid' from x: e / (1 + e)^2 with e = e^-|x|, which keeps its digits on both sides.
struct SigmoidSlope final : Slope<SigmoidSlope> {
  static constexpr std::string_view slope_name = "sigmoid_slope";
  static auto value(const auto& x) {
    const auto e = exp(-abs(x));
    return e / square(1 + e);
  }
  // 1 - 2 sigmoid(x) = -tanh(x / 2), without the cancellation near 0
  static Tensor rule(const Tensor& g, const Tensor& x) { return g * (of(x) * -tanh(0.5 * x)); }
};

struct Sigmoid final : Unary<Sigmoid, OpId::sigmoid> {
  // The input: near 0 the output is 1/2 and has lost it, and far above it is 1.
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return sigmoid(x); }
  static auto rule(const auto& g, const auto& x) { return g * SigmoidSlope::of(x); }
};

/// log(1 + e) for e in [0, 1], to log1p's bits, without what that has to ask of other numbers.
template <LaneFloat T>
Lane<T> log1p_of_fraction(Lane<T> e) {
  const Lane<T> v = 1 + e;
  return log_positive(v, (e - (v - 1)) / v);
}

/// log(sigmoid(x)), which near 0 and far below it keeps the digits that the sigmoid has lost.
struct LogSigmoid final : Unary<LogSigmoid, OpId::log_sigmoid> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return minimum(x, 0) - log1p_of_fraction(exp(-abs(x))); }
  static auto rule(const auto& g, const auto& x) { return g * sigmoid(-x); }
};

struct Relu final : Unary<Relu, OpId::relu> {
  // The output says as much as the input, and the next layer keeps it anyway.
  static constexpr Reads saves = output_bit;
  static auto value(const auto& x) { return maximum(x, 0); }
  // NaN is chosen over 0, so the cotangent goes to it, as in maximum: a 0 would end the NaN of derivatives
  static auto rule(const auto& g, const auto& y) { return where(y == 0, 0, g); }
};

struct Erf final : Unary<Erf, OpId::erf> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return erf(x); }
  static auto rule(const auto& g, const auto& x) {
    return g * (2 * std::numbers::inv_sqrtpi * Gaussian(1)(x));
  }
};

struct Sin final : Unary<Sin, OpId::sin> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return sin(x); }
  static auto rule(const auto& g, const auto& x) { return g * cos(x); }
};

struct Cos final : Unary<Cos, OpId::cos> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return cos(x); }
  static auto rule(const auto& g, const auto& x) { return g * -sin(x); }
};

/// Softplus's derivatives are functions of e^-|beta x|, all of whose digits count, and end at the threshold.
class SoftplusPart {
 public:
  explicit SoftplusPart(const SoftplusOptions& options) : options_(options) {}

 protected:
  void describe_options(Attributes& a) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    a("beta", options_.beta, 1);
    a("threshold", options_.threshold, inf);
  }
  template <LaneFloat T>
  [[nodiscard]] Mask<T> is_linear(const Lane<T>& x) const {
    return is_above(x, options_.threshold / options_.beta);
  }
  /// e^-|beta x|
  template <LaneFloat T>
  [[nodiscard]] Lane<T> vanishing(const Lane<T>& x) const {
    return exp_of_product(-options_.beta, abs(x));
  }
  /// Beta, or the largest number that T holds: for all but subnormal x they saturate alike, and no infinity
  /// meets a 0.
  template <class T>
  [[nodiscard]] double bounded_beta() const {
    return std::min<double>(options_.beta, std::numeric_limits<T>::max());
  }

  SoftplusOptions options_;
};

class SoftplusBend final : public Slope<SoftplusBend>, public SoftplusPart {
 public:
  static constexpr std::string_view slope_name = "softplus_bend";
  using SoftplusPart::SoftplusPart;
  void describe(Attributes& a) override { describe_options(a); }

  template <LaneFloat T>
  [[nodiscard]] Lane<T> value(const Lane<T>& x) const {
    const Lane<T> e = vanishing(x);
    return where(is_linear(x), 0, bounded_beta<T>() * (e / square(1 + e)));
  }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const {
    const double beta =
        visit_floating(x.dtype(), [this](auto zero) { return bounded_beta<decltype(zero)>(); });
    return g * ((*this)(x) * (-beta * tanh(0.5 * beta * x)));
  }
};

class SoftplusSlope final : public Slope<SoftplusSlope>, public SoftplusPart {
 public:
  static constexpr std::string_view slope_name = "softplus_slope";
  using SoftplusPart::SoftplusPart;
  void describe(Attributes& a) override { describe_options(a); }

  auto value(const auto& x) const {
    const auto e = vanishing(x);
    return where(is_linear(x), 1, where(x < 0, e, 1) / (1 + e));
  }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const { return g * SoftplusBend(options_)(x); }
};

class Softplus final : public Unary<Softplus, OpId::softplus>, public SoftplusPart {
 public:
  static constexpr Reads saves = input_bit(0);
  using SoftplusPart::SoftplusPart;
  void describe(Attributes& a) override { describe_options(a); }

  template <LaneFloat T>
  [[nodiscard]] Lane<T> value(const Lane<T>& x) const {
    const Lane<T> rest = log1p_of_fraction(vanishing(x));
    return where(is_linear(x), x,
                 maximum(x, 0) + (options_.beta == 1 ? rest : rest / away_from_zero<T>(options_.beta)));
  }
  auto rule(const auto& g, const auto& x) const { return g * SoftplusSlope(options_)(x); }
};

/// `Called` is the function that was called: clamp, or maximum or minimum with a number.
template <OpId Called>
class Clamp final : public Unary<Clamp<Called>, Called, true> {
 public:
  static constexpr Reads saves = input_bit(0);
  explicit Clamp(const ClampOptions& options) : options_(options) {}

  void describe(Attributes& a) override {
    a("min", options_.min);
    a("max", options_.max);
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    Unary<Clamp, Called, true>::infer(in, out);
    // An infinity is an absent bound, for integers too.
    if (options_.min.to_double() != -inf) check_number(Called, in[0]->dtype, options_.min);
    if (options_.max.to_double() != inf) check_number(Called, in[0]->dtype, options_.max);
  }

  auto value(const auto& x) const {
    return minimum(maximum(x, options_.min.to_double()), options_.max.to_double());
  }
  auto integer_formula() const {
    using Limits = std::numeric_limits<std::int64_t>;
    const Integer low{options_.min.to_double() == -inf ? Limits::min() : options_.min.to_int64()};
    const Integer high{options_.max.to_double() == inf ? Limits::max() : options_.max.to_int64()};
    return [low, high](Integer x) { return minimum(maximum(x, low), high); };
  }
  // An absent bound has no end point, so relu and clamp from 0 agree at x = inf, too. NaN lies at no bound:
  // it is passed on, and so is the cotangent.
  auto rule(const auto& g, const auto& x) const {
    const double low = options_.min.to_double();
    const double high = options_.max.to_double();
    const auto at_low = low == -inf ? x < low : x <= low;
    const auto at_high = high == inf ? x > high : x >= high;
    return where(at_low, 0, where(at_high, 0, g));
  }

 private:
  static constexpr double inf = std::numeric_limits<double>::infinity();

  ClampOptions options_;
};

void check_not_nan(OpId function, Scalar number) {
  if (std::isnan(number.to_double())) {
    throw ValueError(fmt::format("{}: the number must not be NaN", to_string(function)));
  }
}

}}  // namespace detail

Tensor neg(const Tensor& x) { return detail::apply(detail::Neg{}, x); }
Tensor exp(const Tensor& x) { return detail::apply(detail::Exp{}, x); }
Tensor expm1(const Tensor& x) { return detail::apply(detail::Expm1{}, x); }
Tensor log(const Tensor& x) { return detail::apply(detail::Log{}, x); }
Tensor log1p(const Tensor& x) { return detail::apply(detail::Log1p{}, x); }
Tensor sqrt(const Tensor& x) { return detail::apply(detail::Sqrt{}, x); }
Tensor square(const Tensor& x) { return detail::apply(detail::Square{}, x); }
Tensor abs(const Tensor& x) { return detail::apply(detail::Abs{}, x); }
Tensor tanh(const Tensor& x) { return detail::apply(detail::Tanh{}, x); }
Tensor sigmoid(const Tensor& x) { return detail::apply(detail::Sigmoid{}, x); }
Tensor log_sigmoid(const Tensor& x) { return detail::apply(detail::LogSigmoid{}, x); }
Tensor relu(const Tensor& x) { return detail::apply(detail::Relu{}, x); }
Tensor erf(const Tensor& x) { return detail::apply(detail::Erf{}, x); }
Tensor sin(const Tensor& x) { return detail::apply(detail::Sin{}, x); }
Tensor cos(const Tensor& x) { return detail::apply(detail::Cos{}, x); }

Tensor sign(const Tensor& x) { return detail::apply(detail::Sign{}, x); }

Tensor softplus(const Tensor& x, const SoftplusOptions& options) {
  if (!(options.beta > 0 && options.beta < std::numeric_limits<double>::infinity())) {
    throw ValueError(fmt::format("softplus: beta must be positive and finite, got {}", options.beta));
  }
  if (options.threshold != options.threshold)
    throw ValueError("softplus: threshold must be a number, got nan");
  return detail::apply(detail::Softplus{options}, x);
}

Tensor clamp(const Tensor& x, const ClampOptions& options) {
  if (!(options.min <= options.max)) {
    throw ValueError(fmt::format("clamp: min must not exceed max, got min {} and max {}",
                                 to_string(options.min), to_string(options.max)));
  }
  return detail::apply(detail::Clamp<detail::OpId::clamp>(options), x);
}

Tensor maximum(const Tensor& x, Scalar number) {
  detail::check_not_nan(detail::OpId::maximum, number);
  return detail::apply(detail::Clamp<detail::OpId::maximum_number>({.min = number}), x);
}

Tensor minimum(const Tensor& x, Scalar number) {
  detail::check_not_nan(detail::OpId::minimum, number);
  return detail::apply(detail::Clamp<detail::OpId::minimum_number>({.max = number}), x);
}

}  // namespace xtgrad::v1
