#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/kernels/map.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/elementwise.h"

namespace xtgrad::inline v1::detail {

/// The derivative of an activation as a function with a rule of its own. A formula that is right as a value
/// may have terms that cancel once it is differentiated, as (1 - y)(1 + y) has, or round what an exponential
/// then magnifies: a rule that ends in a Slope records the derivative of the slope as it should be computed.
/// Self offers `slope_name`, `value(x)` on lanes, and `rule(g, x)` on tensors.
template <class Self>
class Slope : public DifferentiablePrimitive<Self> {
 public:
  [[nodiscard]] std::string_view name() const override { return Self::slope_name; }

  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    map_to([this](const auto& x) { return self().value(x); }, *out[0], *in[0]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 1; }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override { context.set(0, self().rule(context.g(), context.input(0))); }

  /// The value, and on tensors a step that is recorded.
  template <LaneFloat T>
  [[gnu::always_inline]] Lane<T> operator()(const Lane<T>& x) const {
    return self().value(x);
  }
  Tensor operator()(const Tensor& x) const { return apply(self(), x); }
  /// The same of a slope without attributes.
  static auto of(const auto& x) { return Self{}(x); }

 protected:
  ~Slope() = default;

 private:
  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace xtgrad::v1::detail
