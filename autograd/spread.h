#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

template <std::size_t>
using EachTensor = const Tensor&;

/// A function of `n` tensors, or of a span of them, to one tensor or a vector, as a TensorFunction.
template <std::size_t n, class F>
struct Spread {
  F f;

  /// False for an empty function, so that a Callable of this is empty, too.
  explicit operator bool() const { return !is_empty_function(f); }
  std::vector<Tensor> operator()(std::span<const Tensor> x) { return call(x, std::make_index_sequence<n>()); }

 private:
  template <std::size_t... i>
  std::vector<Tensor> call(std::span<const Tensor> x, std::index_sequence<i...>) {
    if constexpr (std::is_invocable_v<F&, EachTensor<i>...>) {
      return as_list(f(x[i]...));
    } else {
      return as_list(f(x));
    }
  }
  static std::vector<Tensor> as_list(Tensor one) { return {std::move(one)}; }
  static std::vector<Tensor> as_list(std::vector<Tensor> several) { return several; }
};

template <std::size_t n, class F>
Spread<n, F> spread(F f) {
  return {std::move(f)};
}

}  // namespace detail

}}  // namespace xtgrad::v1
