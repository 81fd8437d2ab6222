#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/spread.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// The derivative rule of a function: from its inputs, its output and the cotangent of the output, the
/// cotangent of each input; an empty handle for one that gets none. Written in differentiable functions and
/// linear in the cotangent, it gives derivatives of every order.
using VjpRule =
    AnyCallable<std::vector<Tensor>(std::span<const Tensor> inputs, const Tensor& output, const Tensor& g)>;
using UnaryVjpRule = AnyCallable<Tensor(const Tensor& x, const Tensor& y, const Tensor& g)>;

struct CustomVjpOptions {
  /// What the function is called in pictures, step lists, profiles and errors; not empty.
  std::string name = "custom_vjp";
};

/// f(inputs), whose derivative is what `rule` says instead of what f's operations would give. f runs once,
/// and nothing in it is recorded. Throws GraphError, with its name, for a tensor that wants a gradient and
/// that f uses without having been given it; when the rule runs, ValueError, ShapeError or DtypeError for
/// cotangents that are not the inputs'.
///
///   // rounds to -1, 0 or 1, and lets the gradient through as if it did not
///   Tensor y = custom_vjp([](const Tensor& x) { return sign(x); },
///                         [](const Tensor&, const Tensor&, const Tensor& g) { return g; }, x,
///                         {.name = "straight_through"});
[[nodiscard]] Tensor custom_vjp(const AnyCallable<Tensor(std::span<const Tensor>)>& f, VjpRule rule,
                                std::span<const Tensor> inputs, const CustomVjpOptions& options = {});
/// The same for inputs in braces, of which f takes as many, or a span.
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] Tensor
    custom_vjp(F f, VjpRule rule, const Tensor (&inputs)[n], const CustomVjpOptions& options = {}) {
  AnyCallable<Tensor(std::span<const Tensor>)> of_span;
  if (auto spread = detail::spread<n>(std::move(f))) {
    of_span = [spread = std::move(spread)](std::span<const Tensor> x) mutable -> Tensor {
      return std::move(spread(x)[0]);
    };
  }
  return custom_vjp(of_span, std::move(rule), std::span<const Tensor>(inputs), options);
}
/// The same for a function of one tensor.
[[nodiscard]] Tensor custom_vjp(const AnyCallable<Tensor(const Tensor&)>& f, UnaryVjpRule rule,
                                const Tensor& x, const CustomVjpOptions& options = {});

}}  // namespace xtgrad::v1
