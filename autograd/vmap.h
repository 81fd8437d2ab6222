#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/spread.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// In VmapOptions::in_axes: the input is the same for all examples.
inline constexpr std::nullopt_t not_batched = std::nullopt;

struct VmapOptions {
  /// For each input its axis of examples, or `not_batched`; negative counts from the end. One entry stands
  /// for all inputs, none for axis 0 of all.
  std::vector<std::optional<std::int64_t>> in_axes = {};
  /// For each output where its axis of examples goes. One entry stands for all, none for axis 0.
  std::vector<std::int64_t> out_axes = {};
};

/// What `vmap` returns: f on batches. Called with tensors it returns what f does, a tensor or several in a
/// vector; called with a span, or tensors in braces, for an f that takes a span, always a vector.
template <class F>
class Vmapped;

/// f, which is written for one example, as a function of batches: along an axis of its inputs lie examples,
/// and along one of its outputs what f gives for each. An output that depends on no example is repeated.
///
///   const auto distance = [](const Tensor& a, const Tensor& b) { return norm(a - b); };
///   Tensor d = vmap(distance)(points, others);                                    // [n, 3], [n, 3] to [n]
///   Tensor e = vmap(distance, {.in_axes = {0, not_batched}})(points, ones({3}));  // to one point
///
/// f is called once, on the first example (of zeros, if there is none), and its list of steps is run on the
/// batches: each step at once where its operation has a rule for that, else example by example, to the same
/// bits. The result can be differentiated, to any order, in batched inputs, in those that are not, and in
/// what f captures, whose gradient is the sum over the examples. f may differentiate: `grad`, `vjp`,
/// `jacobian` and `vmap` itself are lists of steps, too.
///
/// A call throws ValueError for a number of axes that is not that of inputs or outputs, and if no input is
/// batched; ShapeError for an axis that an input or output lacks, where inputs differ in the number
/// of examples, and for a batch of more than Shape::max_rank dimensions; GraphError, with the reason, for
/// what cannot be repeated for other examples: an element that depends on the example and is read as a C++
/// number, shapes that depend on elements (`nonzero`, `unique`, `masked_select`), draws of random numbers, a
/// `backward` that adds to a gradient of others, functions that hang on tensors of f's own
/// (autograd/hooks.h).
template <class F>
[[nodiscard]] Vmapped<std::decay_t<F>> vmap(F&& f, VmapOptions options = {}) {
  return Vmapped<std::decay_t<F>>(std::forward<F>(f), std::move(options));
}

namespace detail {
/// f on batches.
[[nodiscard]] std::vector<Tensor> call_vmap(const TensorFunction& f, std::span<const Tensor> inputs,
                                            const VmapOptions& options);
/// Throws ValueError for a function that was to return one tensor.
[[nodiscard]] Tensor only_output(std::vector<Tensor> outputs);
}  // namespace detail

template <class F>
class Vmapped {
 public:
  explicit Vmapped(F f, VmapOptions options) : f_(std::move(f)), options_(std::move(options)) {
    detail::check_function("vmap", !detail::is_empty_function(f_));
  }

  template <class... X>
  requires(sizeof...(X) > 0 && (std::is_same_v<std::remove_cvref_t<X>, Tensor> && ...)) [[nodiscard]] auto
  operator()(const X&... x) const {
    const Tensor inputs[] = {x...};
    std::vector<Tensor> outputs =
        detail::call_vmap(TensorFunction(detail::spread<sizeof...(X)>(f_)), inputs, options_);
    if constexpr (std::is_invocable_r_v<Tensor, F&, const X&...>) {
      return detail::only_output(std::move(outputs));
    } else {
      return outputs;
    }
  }
  [[nodiscard]] std::vector<Tensor> operator()(std::span<const Tensor> x) const {
    return detail::call_vmap(TensorFunction(detail::spread<0>(f_)), x, options_);
  }
  [[nodiscard]] std::vector<Tensor> operator()(std::initializer_list<Tensor> x) const {
    return (*this)(std::span(x.begin(), x.size()));
  }

 private:
  F f_;
  VmapOptions options_;
};

}}  // namespace xtgrad::v1
