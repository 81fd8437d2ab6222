#pragma once

#include <concepts>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {
namespace detail {

template <class T>
concept CopyableModule = std::derived_from<T, ModuleBase> && std::copy_constructible<T>;

/// A module as a function of the tensors in its arguments.
struct ModuleFunction {
  ModuleBase& module;
  std::vector<Tensor> inputs;
  TensorFunction run;
};

template <class Model>
ModuleFunction function_of(Model& module, const typename Model::Inputs& inputs) {
  const auto run = [&module, inputs](std::span<const Tensor> tensors) {
    typename Model::Inputs arguments = inputs;
    auto next = tensors.begin();
    for_each_tensor(arguments, [&](Tensor& tensor) { tensor = *next++; });
    return tensors_in(
        std::apply([&](auto&... argument) { return module(std::move(argument)...); }, arguments));
  };
  return {module, tensors_in(inputs), run};
}

CheckGradsReport check_copy(const ModuleFunction& copy, CheckGradsOptions options);
void require_copy(const ModuleFunction& copy, CheckGradsOptions options);

}  // namespace detail

/// Checks a model's derivatives in its inputs and in every parameter, frozen ones included, against numerical
/// ones: see autograd/check_grads.h. Works on a float64 copy; buffers, random streams and counters are put
/// back before each evaluation, so dropout drops the same elements every time. Messages call the input
/// "input", several "input 0", "input 1" and so on in the order of the arguments, and the parameters by their
/// names.
///
///   auto report = check_grads(model, x);
///   auto both = check_grads(cell, {x, h}, {.order = 1});  // all arguments of its forward, in braces
///   if (!report) std::cout << report.message << '\n';
///
/// Templates, because only the caller knows the type of which a copy is to be made.
template <detail::CopyableModule Model>
[[nodiscard]] CheckGradsReport check_grads(const Model& model, const typename Model::Inputs& inputs,
                                           const CheckGradsOptions& options = {}) {
  Model copy(model);
  return detail::check_copy(detail::function_of(copy, inputs), options);
}
template <detail::CopyableModule Model>
requires std::derived_from<Model, Module>
[[nodiscard]] CheckGradsReport check_grads(const Model& model, const Tensor& x,
                                           const CheckGradsOptions& options = {}) {
  return check_grads(model, typename Model::Inputs(x), options);
}

/// As `check_grads`, and throws GradientError with the report's message unless the check passed.
template <detail::CopyableModule Model>
void require_grads(const Model& model, const typename Model::Inputs& inputs,
                   const CheckGradsOptions& options = {}) {
  Model copy(model);
  detail::require_copy(detail::function_of(copy, inputs), options);
}
template <detail::CopyableModule Model>
requires std::derived_from<Model, Module>
void require_grads(const Model& model, const Tensor& x, const CheckGradsOptions& options = {}) {
  require_grads(model, typename Model::Inputs(x), options);
}

}}}  // namespace xtgrad::v1::nn
