#include "xtgrad/autograd/ops/weighted.h"

#include <cstdint>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/formulas/norm.h"
#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"

namespace xtgrad::inline v1::detail {
namespace {

class Weighted final : public DifferentiablePrimitive<Weighted> {
 public:
  [[nodiscard]] std::string_view name() const override { return "weighted"; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    out[0]->shape = broadcast_shapes(name(), in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    map_formula<Value>(formulas::Weighted{}, *out[0], *in[0], *in[1]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b11; }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }

  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 0) ? input_bit(0) | input_bit(1) : input_bit(0);
  }
  void vjp(VjpContext& context) const override {
    const Tensor factor = context.input(0);
    // Of a factor that has no derivatives here, but elsewhere, the mixed ones must agree with those there.
    if (!factor.requires_grad()) {
      context.set(1, sum_to(context.g() * factor, context.shape(1)));
      return;
    }
    const Tensor value = context.input(1);
    const Tensor infinite = abs(value) == std::numeric_limits<double>::infinity();
    const Tensor idle = where(factor == 0, infinite, full({}, false, {.dtype = boolean}));
    if (context.wanted(0)) context.set(0, sum_to(context.g() * where(idle, 0, value), context.shape(0)));
    // 0 there in any case, and a constant, so that mixed derivatives agree.
    if (context.wanted(1)) context.set(1, sum_to(context.g() * where(idle, 0, factor), context.shape(1)));
  }
};

}  // namespace

Tensor weighted(const Tensor& factor, const Tensor& value) { return apply(Weighted{}, factor, value); }

}  // namespace xtgrad::v1::detail
