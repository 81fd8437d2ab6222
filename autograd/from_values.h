#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "xtgrad/autograd/core/element.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensor_options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Nested braces of numbers of any types: `{{1, 2.5}, {v.size(), n}}`.
class NestedNumbers {
 public:
  NestedNumbers(Scalar number);  // NOLINT(google-explicit-constructor): braces need it
  /// A template, because braces convert an element but once.
  template <detail::CppNumber T>
  NestedNumbers(T number) : NestedNumbers(Scalar(number)) {}  // NOLINT(google-explicit-constructor)
  NestedNumbers(std::initializer_list<NestedNumbers> list);

  [[nodiscard]] bool is_number() const { return !list_; }
  [[nodiscard]] Scalar number() const { return number_; }
  [[nodiscard]] const std::vector<NestedNumbers>& list() const { return children_; }

 private:
  Scalar number_ = 0;
  bool list_ = false;
  std::vector<NestedNumbers> children_;
};

/// A tensor of the numbers written: `tensor({{1, 2}, {3, 4}})` is [2, 2], `tensor(3)` is 0-d. Throws
/// ShapeError for ragged braces, DtypeError for a number that the dtype cannot hold.
[[nodiscard]] Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options = {});
[[nodiscard]] Tensor tensor(std::initializer_list<NestedNumbers> numbers, const TensorOptions& options = {});

// Copies of C++ values, in row-major order; the shape is the vector's length if none is given. The dtype is
// the element type's, int64 for integers and float64 for floating types that no dtype is stored as, unless
// the options say another. Throw ShapeError if sizes disagree, DtypeError for a value that the dtype cannot
// hold.
[[nodiscard]] Tensor from_span(std::span<const float> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const double> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const std::int64_t> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const std::int32_t> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const std::uint8_t> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const bool> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<float>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<double>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<std::int64_t>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<std::int32_t>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<std::uint8_t>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<bool>& values, const TensorOptions& options = {});

namespace detail {

/// A type of numbers that no dtype is stored as.
template <class T>
concept ForeignNumber = CppNumber<T> && !ElementType<T>;

/// `usual` is the dtype if the options say none.
Tensor from_numbers(std::string_view function, std::span<const Scalar> numbers, const Shape& shape,
                    Dtype usual, const TensorOptions& options);

}  // namespace detail

/// For size_t, short, long double and the rest. Templates, because the element type is the question.
template <class T>
requires detail::ForeignNumber<std::remove_const_t<T>>
[[nodiscard]] Tensor from_span(std::span<T> values, const Shape& shape, const TensorOptions& options = {}) {
  const std::vector<Scalar> numbers(values.begin(), values.end());
  return detail::from_numbers("from_span", numbers, shape,
                              std::is_floating_point_v<T> ? Dtype::float64 : Dtype::int64, options);
}
template <detail::ForeignNumber T>
[[nodiscard]] Tensor from_vector(const std::vector<T>& values, const TensorOptions& options = {}) {
  const std::vector<Scalar> numbers(values.begin(), values.end());
  return detail::from_numbers("from_vector", numbers, {static_cast<std::int64_t>(values.size())},
                              std::is_floating_point_v<T> ? Dtype::float64 : Dtype::int64, options);
}

}}  // namespace xtgrad::v1
