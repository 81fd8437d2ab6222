#include <fmt/format.h>

#include "xtgrad/autograd/ops/elementwise.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The value of a primitive of one tensor and a C++ number, which takes the tensor's dtype: Self offers
/// `value(x, c)`.
template <class Self, OpId Id, bool Integers>
class NumberValue : public PrimitiveOf<Id> {
 public:
  static constexpr bool integers = Integers;
  explicit NumberValue(double number) : number_(number) {}

  [[nodiscard]] Array forward(const Array& x) const {
    if constexpr (Integers) {
      if (x.dtype == Dtype::int64) {
        const Integer c{integer_of(Id, number_)};
        Array out = Array::uninitialized(x.shape, x.dtype);
        scalar_map<Integer, Integer>([c](Integer v) { return Self::value(v, c); }, out, {&x});
        return out;
      }
    }
    return map(
        to_string(Id), [c = number_](const auto& v) { return Self::value(v, c); }, x);
  }
  [[nodiscard]] std::string attributes() const override { return fmt::format("{:.6g}", number_); }

 protected:
  ~NumberValue() = default;

  double number_;
};

/// Its rule, too: Self offers `rule(g, c)` or, with `Saves` = input_bit(0), `rule(g, x, c)`.
template <class Self, OpId Id, Reads Saves, bool Integers>
class WithNumber : public NumberValue<Self, Id, Integers> {
 public:
  using NumberValue<Self, Id, Integers>::NumberValue;
  static Reads reads(Wanted) { return Saves; }

  void vjp(VjpContext& context) const override {
    if constexpr (Saves == reads_nothing) {
      const auto rule = [c = this->number_](const auto& g) { return Self::rule(g, c); };
      context.set(0, evaluate(to_string(Id), rule, context.g));
    } else {
      const auto rule = [c = this->number_](const auto& g, const auto& x) { return Self::rule(g, x, c); };
      context.set(0, evaluate(to_string(Id), rule, context.g, context.input(0)));
    }
  }

 protected:
  ~WithNumber() = default;
};

struct AddNumber final : NumberValue<AddNumber, OpId::add_number, true> {
  using NumberValue::NumberValue;
  static Reads reads(Wanted) { return reads_nothing; }
  static auto value(const auto& x, const auto& c) { return x + c; }
  // The cotangent passes as it is.
  void vjp(VjpContext& context) const override { context.set(0, context.g); }
};

struct MulNumber final : WithNumber<MulNumber, OpId::mul_number, reads_nothing, true> {
  using WithNumber::WithNumber;
  static auto value(const auto& x, const auto& c) { return x * c; }
  static auto rule(const auto& g, double c) { return g * c; }
};

struct DivNumber final : WithNumber<DivNumber, OpId::div_number, reads_nothing, false> {
  using WithNumber::WithNumber;
  static auto value(const auto& x, double c) { return x / c; }
  static auto rule(const auto& g, double c) { return g / c; }
};

struct NumberSub final : WithNumber<NumberSub, OpId::number_sub, reads_nothing, true> {
  using WithNumber::WithNumber;
  static auto value(const auto& x, const auto& c) { return c - x; }
  static auto rule(const auto& g, double) { return -g; }
};

struct NumberDiv final : WithNumber<NumberDiv, OpId::number_div, input_bit(0), false> {
  using WithNumber::WithNumber;
  static auto value(const auto& x, double c) { return c / x; }
  static auto rule(const auto& g, const auto& x, double c) { return g * (-c / x / x); }
};

struct PowNumber final : WithNumber<PowNumber, OpId::pow_number, input_bit(0), false> {
  using WithNumber::WithNumber;
  static auto value(const auto& x, double c) { return pow(x, c); }
  // x^0 is constant even at x = 0, where 0 * x^-1 would be NaN, and at infinity; a NaN stays one.
  static auto rule(const auto& g, const auto& x, double c) {
    return g * (c == 0 ? where(x == x, 0, x) : c * pow(x, c - 1));
  }
};

template <class P>
Tensor apply_with_number(const Tensor& x, double number) {
  if constexpr (P::integers) {
    check_numeric(P::op, x);
  } else {
    check_floating(P::op, x);
  }
  return apply(P(number), x);
}

}}  // namespace detail

Tensor add(const Tensor& x, double number) { return detail::apply_with_number<detail::AddNumber>(x, number); }
Tensor mul(const Tensor& x, double number) { return detail::apply_with_number<detail::MulNumber>(x, number); }
Tensor div(const Tensor& x, double number) { return detail::apply_with_number<detail::DivNumber>(x, number); }
Tensor sub(double number, const Tensor& x) { return detail::apply_with_number<detail::NumberSub>(x, number); }
Tensor div(double number, const Tensor& x) { return detail::apply_with_number<detail::NumberDiv>(x, number); }
Tensor pow(const Tensor& x, double number) { return detail::apply_with_number<detail::PowNumber>(x, number); }

}  // namespace xtgrad::inline v1
