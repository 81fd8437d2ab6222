#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/kernels/lanes_power.h"
#include "xtgrad/autograd/kernels/lanes_scaled.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The value of a primitive of one tensor and a C++ number, which takes the tensor's dtype: Self offers
/// `value_with(x, c)`, where c is a double, or an Integer for an int64 tensor.
template <class Self, OpId Id, bool Integers>
class NumberValue : public Elementwise<Self, Id, 1, Integers> {
 public:
  explicit NumberValue(Scalar number) : number_(number) {}

  void describe(Attributes& a) override { a("number", number_); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    Elementwise<Self, Id, 1, Integers>::infer(in, out);
    check_number(Id, in[0]->dtype, number_);
  }
  auto value(const auto& x) const { return Self::value_with(x, number_.to_double()); }
  auto integer_formula() const {
    return [c = Integer{number_.to_int64()}](Integer x) { return Self::value_with(x, c); };
  }

 protected:
  ~NumberValue() = default;

  Scalar number_;
};

/// Its rule, too: Self offers `rule(g, c)` or, with `Saves` = input_bit(0), `rule(g, x, c)`.
template <class Self, OpId Id, Reads Saves, bool Integers>
class WithNumber : public NumberValue<Self, Id, Integers> {
 public:
  using NumberValue<Self, Id, Integers>::NumberValue;
  [[nodiscard]] Reads reads(Wanted) const override { return Saves; }
  auto formula(Index<0>, const auto&... v) const { return Self::rule(v..., this->number_.to_double()); }

  void vjp(VjpContext& context) const override {
    if constexpr (Saves == reads_nothing) {
      context.set(0, evaluate_onto(this->self(), context.take_g()));
    } else {
      context.set(0, evaluate_onto(this->self(), context.take_g(), context.input(0)));
    }
  }

 protected:
  ~WithNumber() = default;
};

struct AddNumber final : NumberValue<AddNumber, OpId::add_number, true> {
  using NumberValue::NumberValue;
  static auto value_with(const auto& x, const auto& c) { return x + c; }
  // The cotangent passes as it is.
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};

// Not the addition of -c, which would turn -0 - 0 into 0 and has no name of its own in errors.
struct SubNumber final : NumberValue<SubNumber, OpId::sub_number, true> {
  using NumberValue::NumberValue;
  static auto value_with(const auto& x, const auto& c) { return x - c; }
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};

struct MulNumber final : WithNumber<MulNumber, OpId::mul_number, reads_nothing, true> {
  using WithNumber::WithNumber;
  static auto value_with(const auto& x, const auto& c) { return x * c; }
  static auto rule(const auto& g, double c) { return g * c; }
};

struct DivNumber final : WithNumber<DivNumber, OpId::div_number, reads_nothing, false> {
  using WithNumber::WithNumber;
  static auto value_with(const auto& x, double c) { return x / c; }
  static auto rule(const auto& g, double c) { return g / c; }
};

struct NumberSub final : WithNumber<NumberSub, OpId::number_sub, reads_nothing, true> {
  using WithNumber::WithNumber;
  static auto value_with(const auto& x, const auto& c) { return c - x; }
  static auto rule(const auto& g, double) { return -g; }
};

struct NumberDiv final : WithNumber<NumberDiv, OpId::number_div, input_bit(0), false> {
  using WithNumber::WithNumber;
  static auto value_with(const auto& x, double c) { return c / x; }
  static auto rule(const auto& g, const auto& x, double c) { return g * (-c / x / x); }
};

/// What `power` is on lanes, as a step that can be recorded.
Tensor power(const Tensor& x, double c) { return pow(x, c); }

/// factor x^(c - n). No double need be c - n, whose rounding would be magnified as that of c is, and the
/// power alone may leave the range where the product does not.
class PowerTerm final : public Slope<PowerTerm> {
 public:
  static constexpr std::string_view slope_name = "power_term";
  PowerTerm(double factor, double c, std::int64_t n) : factor_(factor), c_(c), n_(n) {}

  void describe(Attributes& a) override {
    a("factor", factor_);
    a("number", c_);
    a("less", n_);
  }
  template <LaneFloat T>
  [[nodiscard]] Lane<T> value(const Lane<T>& x) const {
    return times_power(factor_, x, high(), low());
  }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const {
    return high() == 0 ? g * zeros_like(x) : g * PowerTerm(factor_ * high(), c_, n_ + 1)(x);
  }

 private:
  [[nodiscard]] double high() const { return c_ - static_cast<double>(n_); }
  /// What c - n lacks as a double (Knuth's sum).
  [[nodiscard]] double low() const {
    const double n = static_cast<double>(n_), taken = c_ - high();
    return (c_ - (high() + taken)) - (n - taken);
  }

  double factor_, c_;
  std::int64_t n_;
};

/// Whether the derivatives of x^c are products and roots.
bool is_short(double c) { return std::abs(c) <= 4 && std::floor(2 * c) == 2 * c; }

struct PowNumber final : WithNumber<PowNumber, OpId::pow_number, input_bit(0), false> {
  using WithNumber::WithNumber;
  static auto value_with(const auto& x, double c) { return power(x, c); }
  // x^0 is constant, at x = 0, where 0 * x^-1 would be NaN, at infinity and at NaN, too.
  static auto rule(const auto& g, const auto& x, double c) {
    if (!is_short(c) && std::abs(c) < 0x1p40) return g * PowerTerm(c, c, 1)(x);
    return g * (c == 0 ? where(x == x, 0, where(x != x, 0, x)) : c * power(x, c - 1));
  }
  // Of an exponent that the dtype would take for 0 the power is 1 and its derivative c / x, to the last
  // digit.
  void vjp(VjpContext& context) const override {
    const double c = number_.to_double();
    if (!is_below_normal(context.dtype(0), c)) return WithNumber::vjp(context);
    const Tensor x = context.input(0);
    context.set(0, context.g() * div(c, where(x < 0, std::numeric_limits<double>::quiet_NaN(), x)));
  }
};

Tensor power(double c, const Tensor& x) { return pow(c, x); }

struct NumberPow final : WithNumber<NumberPow, OpId::number_pow, input_bit(0), false> {
  using WithNumber::WithNumber;
  static auto value_with(const auto& x, double c) { return power(c, x); }
  // c^x log(c). Of 0^x these are the limits, and 0 is what 0^0 has been given, as in pow of two tensors.
  static auto rule(const auto& g, const auto& x, double c) {
    if (c == 0) {
      const auto flat = x >= 0;
      return g * where(flat, 0, -std::numeric_limits<double>::infinity() * power(0, where(flat, -1, x)));
    }
    const double slope = c > 0 ? std::log(c) : std::numeric_limits<double>::quiet_NaN();
    return g * (slope * power(c, x));
  }
};

/// Whether an operation with the number takes it in parts: as one element it would be 0, or have few digits.
bool is_in_parts(const Tensor& x, Scalar number) {
  const double c = number.to_double();
  return x.defined() && is_below_normal(x.dtype(), c);
}

[[gnu::noinline, gnu::cold]] Tensor mul_in_parts(const Tensor& x, double number) {
  const auto [digits, half, rest] = parts_of(number);
  return x * digits * half * rest;
}

[[gnu::noinline, gnu::cold]] Tensor div_in_parts(const Tensor& x, double number) {
  const auto [digits, half, rest] = parts_of(number);
  return x / half / rest / digits;  // exact but for the last
}

/// number / x. First the part that a subnormal x does not divide to infinity.
[[gnu::noinline, gnu::cold]] Tensor div_in_parts(double number, const Tensor& x) {
  constexpr double normal = 0x1p-100;
  return mul(normal / x, number / normal);
}

}}  // namespace detail

Tensor add(const Tensor& x, Scalar number) { return detail::apply(detail::AddNumber(number), x); }
Tensor sub(const Tensor& x, Scalar number) { return detail::apply(detail::SubNumber(number), x); }
Tensor mul(const Tensor& x, Scalar number) {
  if (detail::is_in_parts(x, number)) [[unlikely]]
    return detail::mul_in_parts(x, number.to_double());
  return detail::apply(detail::MulNumber(number), x);
}
Tensor div(const Tensor& x, Scalar number) {
  if (detail::is_in_parts(x, number)) [[unlikely]]
    return detail::div_in_parts(x, number.to_double());
  return detail::apply(detail::DivNumber(number), x);
}
Tensor sub(Scalar number, const Tensor& x) { return detail::apply(detail::NumberSub(number), x); }
Tensor div(Scalar number, const Tensor& x) {
  if (detail::is_in_parts(x, number)) [[unlikely]]
    return detail::div_in_parts(number.to_double(), x);
  return detail::apply(detail::NumberDiv(number), x);
}
Tensor pow(const Tensor& x, Scalar number) { return detail::apply(detail::PowNumber(number), x); }
Tensor pow(Scalar number, const Tensor& x) { return detail::apply(detail::NumberPow(number), x); }

Tensor add(Scalar number, const Tensor& x) { return add(x, number); }
Tensor mul(Scalar number, const Tensor& x) { return mul(x, number); }
Tensor maximum(Scalar number, const Tensor& x) { return maximum(x, number); }
Tensor minimum(Scalar number, const Tensor& x) { return minimum(x, number); }

}  // namespace xtgrad::v1
