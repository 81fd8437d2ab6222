#pragma once

#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/kernels/map.h"

namespace xtgrad::inline v1::detail {

inline bool wants_gradient(const Tensor& value) { return node_of(value).requires_grad(); }
inline bool wants_gradient(const SavedValue& value) { return value.requires_grad(); }
inline const Tensor& as_tensor(const Tensor& value) { return value; }
inline Tensor as_tensor(const SavedValue& value) { return value; }

/// One formula, two evaluators: on the tensors themselves where the result must be differentiable, else in
/// one fused pass over lanes. Operands are Tensors or SavedValues; `name` is for errors alone.
template <class F, class... Values>
Tensor evaluate(std::string_view name, const F& formula, const Values&... values) {
  if (thread_state.recording && (wants_gradient(values) || ...)) return formula(as_tensor(values)...);
  return make_constant(map(name, formula, array_of(values)...));
}

}  // namespace xtgrad::inline v1::detail
