#pragma once

#include <concepts>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {
namespace detail {

template <class T>
concept CopyableModule = std::derived_from<T, Module> && std::copy_constructible<T>;

CheckGradsReport check_copy(Module& copy, const Tensor& x, CheckGradsOptions options);
void require_copy(Module& copy, const Tensor& x, CheckGradsOptions options);

}  // namespace detail

/// Checks a model's derivatives in its input and in every parameter, frozen ones included, against numerical
/// ones: see autograd/check_grads.h. Works on a float64 copy; buffers, random streams and counters are put
/// back before each evaluation, so dropout drops the same elements every time. Messages call the input
/// "input" and the parameters by their names.
///
///   auto report = check_grads(model, x);
///   if (!report) std::cout << report.message << '\n';
///
/// Templates, because only the caller knows the type of which a copy is to be made.
template <detail::CopyableModule Model>
[[nodiscard]] CheckGradsReport check_grads(const Model& model, const Tensor& x,
                                           const CheckGradsOptions& options = {}) {
  Model copy(model);
  return detail::check_copy(copy, x, options);
}

/// As `check_grads`, and throws GradientError with the report's message unless the check passed.
template <detail::CopyableModule Model>
void require_grads(const Model& model, const Tensor& x, const CheckGradsOptions& options = {}) {
  Model copy(model);
  detail::require_copy(copy, x, options);
}

}}}  // namespace xtgrad::v1::nn
