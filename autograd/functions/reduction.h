// Reductions over axes.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Reductions. Negative axes count from the end.
struct ReduceOptions {
  Axes axes = {};        ///< all unless some are named; `Dims{}` names none
  bool keepdim = false;  ///< keep reduced dimensions with size 1
};
/// The sum over `axes`; 0 for no elements.
[[nodiscard]] Tensor sum(const Tensor& x, const ReduceOptions& options = {});
/// The mean over `axes`; NaN for no elements, as in NumPy.
[[nodiscard]] Tensor mean(const Tensor& x, const ReduceOptions& options = {});
/// The product over `axes`; 1 for no elements. Its gradient is made of products of the other elements, and is
/// right at every order with one zero, with two, and with more.
[[nodiscard]] Tensor prod(const Tensor& x, const ReduceOptions& options = {});
/// Largest element; the gradient is split evenly among ties; NaN wins. Throws ShapeError for no elements.
[[nodiscard]] Tensor amax(const Tensor& x, const ReduceOptions& options = {});
/// Smallest element; the gradient is split evenly among ties; NaN wins. Throws ShapeError for no elements.
[[nodiscard]] Tensor amin(const Tensor& x, const ReduceOptions& options = {});
/// log(sum(e^x)), finite wherever the result is; -inf, with gradient 0, if all are -inf; inf where one is.
[[nodiscard]] Tensor logsumexp(const Tensor& x, const ReduceOptions& options = {});
/// Index of the first largest element along an axis, int64; NaN wins; no gradient.
[[nodiscard]] Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// Index of the first smallest element along an axis, int64; NaN wins; no gradient.
[[nodiscard]] Tensor argmin(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// Whether any element is other than 0, as NaN is; bool, for every dtype; false for no elements.
[[nodiscard]] Tensor any(const Tensor& x, const ReduceOptions& options = {});
/// Whether all elements are other than 0, as NaN is; bool, for every dtype; true for no elements.
[[nodiscard]] Tensor all(const Tensor& x, const ReduceOptions& options = {});

}}  // namespace xtgrad::v1
