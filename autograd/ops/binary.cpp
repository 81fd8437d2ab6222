#include <cstdint>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/formulas/binary.h"
#include "xtgrad/autograd/ops/add.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/binary.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

struct Sub final : Elementwise<Sub, formulas::Sub, OpId::sub, 2, true> {
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, summed_to(context.g(), context.shape(0)));
    if (context.wanted(1)) context.set(1, neg(summed_to(context.g(), context.shape(1))));
  }
};

struct Mul final : Binary<Mul, formulas::Mul, OpId::mul, input_bit(1), input_bit(0), true> {};
struct Div final : Binary<Div, formulas::Div, OpId::div, input_bit(1), both> {};
struct Pow final : Binary<Pow, formulas::Pow, OpId::pow, both, both> {};
struct Maximum final : Binary<Maximum, formulas::Maximum, OpId::maximum, both, both, true> {};
struct Minimum final : Binary<Minimum, formulas::Minimum, OpId::minimum, both, both, true> {};

/// The step that a derivative of pow is on tensors.
class PowSlope final : public DifferentiablePrimitive<PowSlope> {
 public:
  explicit PowSlope(PowerOrder order = {}) : order_(order) {}

  void describe(Attributes& a) override {
    a("in_base", order_.in_x);
    a("in_exponent", order_.in_y);
  }
  [[nodiscard]] std::string_view name() const override { return "pow_slope"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    out[0]->shape = common_shape(OpId::pow, in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    map_formula<Call>(formulas::PowSlope(order_), *out[0], *in[0], *in[1]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return input_bit(0) | input_bit(1); }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted) const override { return both; }
  void vjp(VjpContext& context) const override {
    const Tensor a = context.input(0), b = context.input(1);
    const auto [n, m] = order_;
    if (context.wanted(0)) {
      context.set(0, summed_to(context.g() * apply(PowSlope({n + 1, m}), a, b), context.shape(0)));
    }
    if (context.wanted(1)) {
      context.set(1, summed_to(context.g() * apply(PowSlope({n, m + 1}), a, b), context.shape(1)));
    }
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
    // Their number of factors is exponential in the lesser one at the edges.
    constexpr int most = 16;
    require_attribute(order_.in_x >= 0 && order_.in_x <= most, name(), "in_base", "from 0 to 16",
                      order_.in_x);
    require_attribute(order_.in_y >= 0 && order_.in_y <= most, name(), "in_exponent", "from 0 to 16",
                      order_.in_y);
  }

 private:
  PowerOrder order_;
};

}  // namespace

Tensor formulas::PowSlope::operator()(const Tensor& a, const Tensor& b) const {
  return apply(detail::PowSlope(order_), a, b);
}

}  // namespace detail

Tensor add(const Tensor& a, const Tensor& b) { return detail::apply(detail::Add{}, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return detail::apply(detail::Sub{}, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return detail::apply(detail::Mul{}, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return detail::apply(detail::Div{}, a, b); }
Tensor pow(const Tensor& a, const Tensor& b) { return detail::apply(detail::Pow{}, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return detail::apply(detail::Maximum{}, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return detail::apply(detail::Minimum{}, a, b); }

namespace detail { namespace {

void check_ends(const Tensor& start, const Tensor& end) {
  check_floating(OpId::lerp, {start.shape(), start.dtype()});
  check_floating(OpId::lerp, {end.shape(), end.dtype()});
}

}}  // namespace detail

Tensor lerp(const Tensor& start, const Tensor& end, double weight) {
  detail::check_ends(start, end);
  // From the nearer end, so that both ends are met.
  return weight < 0.5 ? start + weight * (end - start) : end - (1 - weight) * (end - start);
}

Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight) {
  detail::check_ends(start, end);
  const Tensor difference = end - start;
  return where(weight < 0.5, start + weight * difference, end - (1 - weight) * difference);
}

}  // namespace xtgrad::v1
