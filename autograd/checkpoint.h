#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensors_in.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {
/// What a checkpoint of f gives: its result, or a Tensor if that is what it stands for.
template <class F, class... Inputs>
using Checkpointed = std::conditional_t<std::is_invocable_r_v<Tensor, F&, const Inputs&...>, Tensor,
                                        std::remove_cvref_t<std::invoke_result_t<F&, const Inputs&...>>>;

/// Calls f and puts results of one recorded node into the tensors that it points at.
void checkpoint_call(const Callable<std::vector<Tensor*>()>& f);
}  // namespace detail

/// f(inputs...), which keeps none of its intermediate results for the backward: they are computed again when
/// it comes. Costs about one more forward of f, and saves its memory. f is anything that returns a Tensor or
/// a value that tensors are in (see autograd/tensors_in.h), such as a lambda, or a module with two results,
/// and may use tensors beside its inputs, such as parameters; they get their gradients, too.
///
/// f is called once. What is repeated is the list of what it computed, random draws included: a stream, a
/// counter or running statistics that it moves are moved once. Checkpoints nest, and have derivatives of
/// every order. Value and first derivatives have the bits that f(inputs...) would give, recorded
/// (create_graph) or not, unless f hands out intermediate results beside its own. Derivatives of these have
/// those bits where no sum rounds, and else differ by roundings, in the dtypes that f computes in: what an
/// intermediate result gets from first-order rules and what comes from f's result go through its own rule one
/// after the other, and are added up at the inputs.
///
/// Where nothing is recorded, or none of f's results wants a gradient, this is f(inputs...). What f returns
/// without having computed it, such as an argument, comes back by a handle of its own. Throws
/// GraphError if f returns no tensor or an empty handle, or retains the gradient of what is computed again.
///
///   Tensor h = checkpoint(block, x);
///   Tensor y = checkpoint([&](const Tensor& a, const Tensor& b) { return tanh(matmul(a, b) + bias); }, h,
///   w);
///   auto [hidden, cell] = checkpoint(lstm_cell, x, state);
//
// A template, since f may have any signature: it makes a call without arguments of it, and that is all.
template <class F, class... Inputs>
requires detail::TensorsIn<detail::Checkpointed<F, Inputs...>>::supported
    [[nodiscard]] detail::Checkpointed<F, Inputs...>
    checkpoint(F&& f, const Inputs&... inputs) {
  detail::check_function("checkpoint", !detail::is_empty_function(f));
  std::optional<detail::Checkpointed<F, Inputs...>> result;  // which need not have a default
  detail::checkpoint_call([&] {
    result.emplace(f(inputs...));
    std::vector<Tensor*> tensors;
    detail::for_each_tensor(*result, [&](Tensor& tensor) { tensors.push_back(&tensor); });
    return tensors;
  });
  return std::move(*result);
}

}}  // namespace xtgrad::v1
