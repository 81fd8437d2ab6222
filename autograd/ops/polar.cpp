#include <string_view>

#include "xtgrad/autograd/formulas/polar.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/binary.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

struct Atan2 final : Binary<Atan2, formulas::Atan2, OpId::atan2, both, both> {};
struct Hypot final : Binary<Hypot, formulas::Hypot, OpId::hypot, both, both> {};

/// The step that a derivative of hypot is on tensors.
class HypotShare final : public DifferentiablePrimitive<HypotShare> {
 public:
  [[nodiscard]] std::string_view name() const override { return "hypot_share"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    out[0]->shape = common_shape(OpId::hypot, in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    map_formula<Value>(formulas::HypotShare{}, *out[0], *in[0], *in[1]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return input_bit(0) | input_bit(1); }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted) const override { return both; }
  void vjp(VjpContext& context) const override {
    const Tensor a = context.input(0), b = context.input(1), other = apply(HypotShare{}, b, a);
    const Tensor slope = context.g() * (other / formulas::HypotShare::not_zero(hypot(a, b)));
    if (context.wanted(0)) context.set(0, summed_to(slope * other, context.shape(0)));
    if (context.wanted(1)) {
      context.set(1, summed_to(slope * -apply(HypotShare{}, a, b), context.shape(1)));
    }
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
  }
};

}  // namespace

Tensor formulas::HypotShare::operator()(const Tensor& a, const Tensor& b) const {
  return apply(detail::HypotShare{}, a, b);
}

}  // namespace detail

Tensor atan2(const Tensor& y, const Tensor& x) { return detail::apply(detail::Atan2{}, y, x); }
Tensor hypot(const Tensor& a, const Tensor& b) { return detail::apply(detail::Hypot{}, a, b); }

}  // namespace xtgrad::v1
