#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/formulas/slope.h"
#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"

namespace xtgrad::inline v1::detail {

/// The step that a slope (formulas/slope.h) is on tensors.
template <class F>
class SlopeOf final : public DifferentiablePrimitive<SlopeOf<F>> {
 public:
  explicit SlopeOf(const F& formula = F()) : formula_(formula) {}

  [[nodiscard]] std::string_view name() const override { return F::name; }
  void describe(Attributes& a) override { formula_.describe(a); }

  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override { map_formula<Value>(formula_, *out[0], *in[0]); }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 1; }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0);
    context.set(0, formula_.rule(context.g(), x));
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    require_floating(name(), in);
    if constexpr (requires { formula_.check_loaded(name()); }) formula_.check_loaded(name());
  }

 private:
  F formula_;
};

inline const Tensor& unfused(const Tensor& x) { return x; }
inline Tensor within(const Tensor& x, double limit) { return minimum(maximum(x, -limit), limit); }

}  // namespace xtgrad::v1::detail

namespace xtgrad::inline v1::detail::formulas {

template <class Self>
Tensor Slope<Self>::operator()(const Tensor& x) const {
  return apply(SlopeOf<Self>(self()), x);
}

}  // namespace xtgrad::v1::detail::formulas
