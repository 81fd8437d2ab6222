#pragma once

#include <type_traits>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensors_in.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// What a module's forward may take and return are the types of autograd/tensors_in.h. Hooks, summaries and
// gradient checks see the tensors in them.

namespace detail {

using xtgrad::detail::for_each_tensor;
using xtgrad::detail::tensors_in;
using xtgrad::detail::TensorsIn;

/// By value, by const or by rvalue reference: an argument that is written to would be a second result.
template <class T>
inline constexpr bool is_argument = TensorsIn<std::remove_cvref_t<T>>::supported &&
                                    (!std::is_lvalue_reference_v<T> ||
                                     std::is_const_v<std::remove_reference_t<T>>);

template <class T>
inline constexpr bool is_result = !std::is_reference_v<T> && TensorsIn<std::remove_cv_t<T>>::supported;

}  // namespace detail
}}}  // namespace xtgrad::v1::nn
