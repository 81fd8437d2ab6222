#include <fmt/format.h>

#include <numbers>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops/elementwise.h"

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
class Sign final : public PrimitiveOf<OpId::sign> {
 public:
  static Reads reads(Wanted) { return reads_nothing; }
  [[nodiscard]] Array forward(const Array& x) const {
    if (x.dtype == Dtype::int64) {
      Array out = Array::uninitialized(x.shape, x.dtype);
      scalar_map<Integer, Integer>([](Integer v) { return sign(v); }, out, {&x});
      return out;
    }
    return map(
        to_string(op), [](const auto& v) { return sign(v); }, x);
  }
  void vjp(VjpContext&) const override {}
};

struct Tanh final : Unary<Tanh, OpId::tanh> {
  static constexpr Reads saves = output_bit;
  static auto value(const auto& x) { return tanh(x); }
  // (1 - y)(1 + y), not 1 - y*y: the square would round first and lose digits near |y| = 1
  static auto rule(const auto& g, const auto& y) { return g * ((1 - y) * (1 + y)); }
};

struct Sigmoid final : Unary<Sigmoid, OpId::sigmoid> {
  static constexpr Reads saves = output_bit;
  static auto value(const auto& x) { return sigmoid(x); }
  static auto rule(const auto& g, const auto& y) { return g * (y * (1 - y)); }
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
    return g * (2 * std::numbers::inv_sqrtpi * exp(-square(x)));
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

class Softplus final : public PrimitiveOf<OpId::softplus> {
 public:
  explicit Softplus(const SoftplusOptions& options) : options_(options) {}
  static Reads reads(Wanted) { return input_bit(0); }

  [[nodiscard]] Array forward(const Array& x) const {
    const auto [beta, threshold] = options_;
    const auto value = [beta = beta, threshold = threshold](const auto& v) {
      const auto z = beta * v;
      return where(z > threshold, v, log1p(exp(z)) / beta);
    };
    return map(to_string(op), value, x);
  }

  void vjp(VjpContext& context) const override {
    const auto [beta, threshold] = options_;
    const auto rule = [beta = beta, threshold = threshold](const auto& g, const auto& x) {
      const auto z = beta * x;
      return g * where(z > threshold, 1, sigmoid(z));
    };
    context.set(0, evaluate(to_string(op), rule, context.g, context.input(0)));
  }

  [[nodiscard]] std::string attributes() const override {
    return fmt::format("beta={}, threshold={}", options_.beta, options_.threshold);
  }

 private:
  SoftplusOptions options_;
};

class Clamp final : public PrimitiveOf<OpId::clamp> {
 public:
  explicit Clamp(const ClampOptions& options) : options_(options) {}
  static Reads reads(Wanted) { return input_bit(0); }

  [[nodiscard]] Array forward(const Array& x) const {
    const auto [low, high] = options_;
    if (x.dtype == Dtype::int64) return forward_integers(x);
    const auto value = [low = low, high = high](const auto& v) { return minimum(maximum(v, low), high); };
    return map(to_string(op), value, x);
  }

  void vjp(VjpContext& context) const override {
    const auto [low, high] = options_;
    // An absent bound has no end point, so relu and clamp from 0 agree at x = inf, too. NaN lies at no bound:
    // it is passed on, and so is the cotangent.
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto rule = [low = low, high = high](const auto& g, const auto& x) {
      const auto at_low = low == -inf ? x < low : x <= low;
      const auto at_high = high == inf ? x > high : x >= high;
      return where(at_low, 0, where(at_high, 0, g));
    };
    context.set(0, evaluate(to_string(op), rule, context.g, context.input(0)));
  }

  [[nodiscard]] std::string attributes() const override {
    return fmt::format("min={}, max={}", options_.min, options_.max);
  }

 private:
  [[nodiscard]] Array forward_integers(const Array& x) const {
    constexpr auto limits = std::numeric_limits<std::int64_t>();
    const bool open_below = options_.min == -std::numeric_limits<double>::infinity();
    const bool open_above = options_.max == std::numeric_limits<double>::infinity();
    const Integer low{open_below ? limits.min() : integer_of(op, options_.min)};
    const Integer high{open_above ? limits.max() : integer_of(op, options_.max)};
    Array out = Array::uninitialized(x.shape, x.dtype);
    scalar_map<Integer, Integer>([=](Integer v) { return minimum(maximum(v, low), high); }, out, {&x});
    return out;
  }

  ClampOptions options_;
};

}}  // namespace detail

Tensor neg(const Tensor& x) { return detail::apply_unary<detail::Neg>(x); }
Tensor exp(const Tensor& x) { return detail::apply_unary<detail::Exp>(x); }
Tensor log(const Tensor& x) { return detail::apply_unary<detail::Log>(x); }
Tensor sqrt(const Tensor& x) { return detail::apply_unary<detail::Sqrt>(x); }
Tensor square(const Tensor& x) { return detail::apply_unary<detail::Square>(x); }
Tensor abs(const Tensor& x) { return detail::apply_unary<detail::Abs>(x); }
Tensor tanh(const Tensor& x) { return detail::apply_unary<detail::Tanh>(x); }
Tensor sigmoid(const Tensor& x) { return detail::apply_unary<detail::Sigmoid>(x); }
Tensor relu(const Tensor& x) { return detail::apply_unary<detail::Relu>(x); }
Tensor erf(const Tensor& x) { return detail::apply_unary<detail::Erf>(x); }
Tensor sin(const Tensor& x) { return detail::apply_unary<detail::Sin>(x); }
Tensor cos(const Tensor& x) { return detail::apply_unary<detail::Cos>(x); }

Tensor sign(const Tensor& x) {
  detail::check_numeric(detail::OpId::sign, x);
  return detail::apply(detail::Sign{}, x);
}

Tensor softplus(const Tensor& x, const SoftplusOptions& options) {
  detail::check_floating(detail::OpId::softplus, x);
  if (!(options.beta > 0 && options.beta < std::numeric_limits<double>::infinity())) {
    throw ValueError(fmt::format("softplus: beta must be positive and finite, got {}", options.beta));
  }
  if (options.threshold != options.threshold)
    throw ValueError("softplus: threshold must be a number, got nan");
  return detail::apply(detail::Softplus{options}, x);
}

Tensor clamp(const Tensor& x, const ClampOptions& options) {
  detail::check_numeric(detail::OpId::clamp, x);
  if (!(options.min <= options.max)) {
    throw ValueError(
        fmt::format("clamp: min must not exceed max, got min {} and max {}", options.min, options.max));
  }
  return detail::apply(detail::Clamp{options}, x);
}

Tensor maximum(const Tensor& x, double number) { return clamp(x, {.min = number}); }
Tensor minimum(const Tensor& x, double number) { return clamp(x, {.max = number}); }

}  // namespace xtgrad::inline v1
