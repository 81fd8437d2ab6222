#pragma once

// To and from xtensor. The one public header that includes xtensor, and therefore not part of
// <xtgrad/xtgrad.h>: a file that includes it pays some 1.5 s of compile time.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#if __has_include(<xtensor/containers/xarray.hpp>)  // 0.26 and later
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xarray.hpp>
#endif

#include "xtgrad/autograd/core/element.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A copy of an `xt::xarray`, `xt::xtensor` or any other xtensor expression, which is evaluated once. The
/// dtype is the element type's, as in `from_span`, unless the options say another. Throws ShapeError for more
/// than Shape::max_rank dimensions, DtypeError for a value that the dtype cannot hold. A template, because an
/// expression's type is its formula.
///
///   Tensor x = from_xarray(xt::sin(xt::linspace<double>(0, 1, 5)));
template <class E>
[[nodiscard]] Tensor from_xarray(const xt::xexpression<E>& expression, const TensorOptions& options = {}) {
  using Value = std::decay_t<typename E::value_type>;
  static_assert(detail::CppNumber<Value>,
                "from_xarray: no dtype holds this element type; cast it first, xt::cast<double>(x)");
  const E& source = expression.derived_cast();
  const std::vector<std::int64_t> sizes(source.shape().begin(), source.shape().end());
  const Shape shape{std::span<const std::int64_t>(sizes)};
  // Elements that lie in order are copied from where they are.
  if constexpr (E::static_layout == xt::layout_type::row_major &&
                requires { std::span<const Value>(source.storage().data(), source.data_offset()); }) {
    if (source.data_offset() == 0 && source.storage().size() == source.size()) {
      return from_span(std::span<const Value>(source.storage().data(), source.size()), shape, options);
    }
  }
  // Row-major whatever the expression is: an xarray may be column-major, a view has strides.
  const xt::xarray<Value, xt::layout_type::row_major> values = source;
  return from_span(std::span<const Value>(values.data(), values.size()), shape, options);
}

/// A copy of the elements as an `xt::xarray<T>`; T is float, double, std::int64_t, std::int32_t, std::uint8_t
/// or bool and must be the tensor's dtype. Throws DtypeError otherwise. A template, because the element type
/// is the question.
template <class T>
[[nodiscard]] xt::xarray<T> to_xarray(const Tensor& tensor) {
  static_assert(detail::ElementType<T>, "to_xarray: no dtype has elements of this type");
  if (tensor.dtype() != detail::dtype_of<T>) {
    const std::string asked(to_string(detail::dtype_of<T>));
    throw DtypeError("to_xarray: dtypes differ: T is " + asked + ", the tensor is " +
                     std::string(to_string(tensor.dtype())) + "; convert it with to(" + asked + ")");
  }
  const Shape& shape = tensor.shape();
  std::vector<std::size_t> sizes;
  for (const std::int64_t size : shape) sizes.push_back(static_cast<std::size_t>(size));
  xt::xarray<T> result = xt::xarray<T>::from_shape(sizes);
  const std::span<const T> values = tensor.data<T>();
  std::copy(values.begin(), values.end(), result.template begin<xt::layout_type::row_major>());
  return result;
}

}}  // namespace xtgrad::v1
