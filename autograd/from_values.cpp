#include "xtgrad/autograd/from_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "xtgrad/autograd/core/ieee_arithmetic.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1 {

namespace {

using detail::Array;
using detail::checked_cast;

/// `From` is an element type or Scalar.
template <class From>
Tensor copy_values(std::string_view function, std::span<const From> values, const Shape& shape, Dtype dtype,
                   bool requires_grad) {
  if (static_cast<std::int64_t>(values.size()) != shape.numel()) {
    throw ShapeError(fmt::format("{}: sizes disagree: {} values, shape {} has {}", function, values.size(),
                                 to_string(shape), shape.numel()));
  }
  Array array = detail::new_array(function, shape, dtype, requires_grad);
  const detail::IeeeArithmetic arithmetic;
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::transform(values.begin(), values.end(), array.mutable_data<T>(),
                   [&](From value) { return checked_cast<T>(function, value); });
  });
  return detail::new_leaf(std::move(array), requires_grad);
}

template <class From>
Tensor copy_span(std::span<const From> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options.dtype.value_or(detail::dtype_of<From>),
                     options.requires_grad);
}

template <class From>
Tensor copy_vector(const std::vector<From>& values, const TensorOptions& options) {
  return copy_values("from_vector", std::span(values), {static_cast<std::int64_t>(values.size())},
                     options.dtype.value_or(detail::dtype_of<From>), options.requires_grad);
}

Shape shape_of(const NestedNumbers& numbers) {
  Shape shape;
  for (const NestedNumbers* at = &numbers; !at->is_number(); at = &at->list().front()) {
    if (shape.rank() == Shape::max_rank) {
      throw ShapeError(fmt::format("tensor: braces nested too deep: at most {} dimensions", Shape::max_rank));
    }
    shape.push_back(static_cast<std::int64_t>(at->list().size()));
    if (at->list().empty()) break;
  }
  return shape;
}

std::string describe(const NestedNumbers& numbers) {
  return numbers.is_number() ? "a number" : fmt::format("a list of {}", numbers.list().size());
}

/// Appends the numbers below `numbers`, which must have the form that the first path through the braces had.
void flatten_into(std::vector<Scalar>& out, const NestedNumbers& numbers, const Shape& shape,
                  std::size_t depth) {
  const bool is_number = depth == shape.rank();
  if (numbers.is_number() != is_number ||
      (!is_number && static_cast<std::int64_t>(numbers.list().size()) != shape[depth])) {
    throw ShapeError(fmt::format("tensor: ragged braces: {} stands beside {} at depth {}", describe(numbers),
                                 is_number ? "a number" : fmt::format("a list of {}", shape[depth]), depth));
  }
  if (is_number) out.push_back(numbers.number());
  for (const NestedNumbers& child : numbers.list()) flatten_into(out, child, shape, depth + 1);
}

}  // namespace

NestedNumbers::NestedNumbers(Scalar number) : number_(number) {}
NestedNumbers::NestedNumbers(std::initializer_list<NestedNumbers> list) : list_(true), children_(list) {}

Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options) {
  const Shape shape = shape_of(numbers);
  std::vector<Scalar> values;
  values.reserve(static_cast<std::size_t>(shape.numel()));
  flatten_into(values, numbers, shape, 0);
  return detail::from_numbers("tensor", values, shape, default_dtype(), options);
}

Tensor tensor(std::initializer_list<NestedNumbers> numbers, const TensorOptions& options) {
  return tensor(NestedNumbers(numbers), options);
}

Tensor from_span(std::span<const float> values, const Shape& shape, const TensorOptions& options) {
  return copy_span(values, shape, options);
}
Tensor from_span(std::span<const double> values, const Shape& shape, const TensorOptions& options) {
  return copy_span(values, shape, options);
}
Tensor from_span(std::span<const std::int64_t> values, const Shape& shape, const TensorOptions& options) {
  return copy_span(values, shape, options);
}
Tensor from_span(std::span<const std::int32_t> values, const Shape& shape, const TensorOptions& options) {
  return copy_span(values, shape, options);
}
Tensor from_span(std::span<const std::uint8_t> values, const Shape& shape, const TensorOptions& options) {
  return copy_span(values, shape, options);
}
Tensor from_span(std::span<const bool> values, const Shape& shape, const TensorOptions& options) {
  return copy_span(values, shape, options);
}

Tensor from_vector(const std::vector<float>& values, const TensorOptions& options) {
  return copy_vector(values, options);
}
Tensor from_vector(const std::vector<double>& values, const TensorOptions& options) {
  return copy_vector(values, options);
}
Tensor from_vector(const std::vector<std::int64_t>& values, const TensorOptions& options) {
  return copy_vector(values, options);
}
Tensor from_vector(const std::vector<std::int32_t>& values, const TensorOptions& options) {
  return copy_vector(values, options);
}
Tensor from_vector(const std::vector<std::uint8_t>& values, const TensorOptions& options) {
  return copy_vector(values, options);
}

Tensor from_vector(const std::vector<bool>& values, const TensorOptions& options) {
  const std::vector<Scalar> numbers(values.begin(), values.end());
  return detail::from_numbers("from_vector", numbers, {static_cast<std::int64_t>(values.size())},
                              Dtype::boolean, options);
}

Tensor detail::from_numbers(std::string_view function, std::span<const Scalar> numbers, const Shape& shape,
                            Dtype usual, const TensorOptions& options) {
  return copy_values(function, numbers, shape, options.dtype.value_or(usual), options.requires_grad);
}

}  // namespace xtgrad::v1
