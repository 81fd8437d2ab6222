#pragma once

#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {
class Tensor;
}}  // namespace xtgrad::v1

namespace xtgrad::inline v1::detail {

/// On lanes a product that stays one: a fused sum would be rounded otherwise than the steps that record it.
inline const Tensor& unfused(const Tensor& x);

}  // namespace xtgrad::v1::detail

namespace xtgrad::inline v1::detail::formulas {

/// The derivative of an activation as a function with a rule of its own. A formula that is right as a value
/// may have terms that cancel once it is differentiated, as (1 - y)(1 + y) has, or round what an exponential
/// then magnifies: a rule that ends in a Slope records the derivative of the slope as it should be computed.
/// Self offers `name`, `describe(attributes)` if it has any, `value(x)` on lanes, and `rule(g, x)` on
/// tensors.
template <class Self>
class Slope {
 public:
  static void describe(auto&) {}

  /// The value, and on tensors a step that is recorded (ops/slope.h).
  template <class X>
  [[gnu::always_inline]] auto operator()(const X& x) const {
    return self().value(x);
  }
  Tensor operator()(const Tensor& x) const;
  /// The same of a slope without attributes.
  static auto of(const auto& x) { return Self{}(x); }

 private:
  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace xtgrad::v1::detail::formulas
