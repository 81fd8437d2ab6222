#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {
Tensor checkpoint_call(const std::function<Tensor()>& f);
}

/// f(inputs...), which keeps none of its intermediate results for the backward: they are computed again when
/// it comes. Costs about one more forward of f, and saves its memory. f is anything that returns a Tensor,
/// such as a lambda or a module, and may use tensors beside its inputs, such as parameters; they get their
/// gradients, too.
///
/// f is called once. What is repeated is the list of what it computed, random draws included: a stream, a
/// counter or running statistics that it moves are moved once. Checkpoints nest, and have derivatives of
/// every order. Value and first derivatives have the bits that f(inputs...) would give, recorded
/// (create_graph) or not, unless f hands out intermediate results beside its own. Derivatives of these have
/// those bits where no sum rounds, and else differ by roundings, in the dtypes that f computes in: what an
/// intermediate result gets from first-order rules and what comes from f's result go through its own rule one
/// after the other, and are added up at the inputs.
///
/// Where nothing is recorded, or f's result wants no gradient, this is f(inputs...). Throws GraphError if f
/// returns an empty handle, or retains the gradient of what is computed again.
///
///   Tensor h = checkpoint(block, x);
///   Tensor y = checkpoint([&](const Tensor& a, const Tensor& b) { return tanh(matmul(a, b) + bias); }, h,
///   w);
//
// A template, since f may have any signature: it makes a call without arguments of it, and that is all.
template <class F, class... Inputs>
requires std::is_invocable_r_v<Tensor, F&, const Inputs&...>
[[nodiscard]] Tensor checkpoint(F&& f, const Inputs&... inputs) {
  return detail::checkpoint_call([&]() -> Tensor { return f(inputs...); });
}

}}  // namespace xtgrad::v1
