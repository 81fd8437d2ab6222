#include "xtgrad/autograd/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/new_tensor.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

namespace detail {

Array new_array(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad) {
  if (requires_grad && !is_floating(dtype)) {
    throw DtypeError(
        fmt::format("{}: requires_grad needs float32 or float64: got {}", function, to_string(dtype)));
  }
  const auto most = std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(item_size(dtype));
  if (shape.numel() > most) {
    throw ShapeError(fmt::format("{}: too large: {} {} has more than 2^63 - 1 bytes", function,
                                 to_string(dtype), to_string(shape)));
  }
  return Array::uninitialized(shape, dtype);
}

Tensor new_leaf(Array array, bool requires_grad) {
  Tensor result = make_constant(std::move(array));
  if (requires_grad) result.set_requires_grad();
  return result;
}

}  // namespace detail

namespace {

using detail::Array;
using detail::checked_cast;

Dtype dtype_or_default(const TensorOptions& options) { return options.dtype.value_or(default_dtype()); }

/// Makes a leaf whose element i is `value(i)`, a double that the dtype must hold.
template <class F>
Tensor generate(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad, F value) {
  Array array = detail::new_array(function, shape, dtype, requires_grad);
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* out = array.mutable_data<T>();
    const std::int64_t n = array.numel();
    for (std::int64_t i = 0; i < n; ++i) out[i] = checked_cast<T>(function, value(i));
  });
  return detail::new_leaf(std::move(array), requires_grad);
}

Tensor constant(std::string_view function, const Shape& shape, double value, Dtype dtype,
                bool requires_grad) {
  Array array = detail::new_array(function, shape, dtype, requires_grad);
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(array.mutable_data<T>(), array.numel(), checked_cast<T>(function, value));
  });
  return detail::new_leaf(std::move(array), requires_grad);
}

template <class From>
Tensor copy_values(std::string_view function, std::span<const From> values, const Shape& shape,
                   const TensorOptions& options) {
  if (static_cast<std::int64_t>(values.size()) != shape.numel()) {
    throw ShapeError(fmt::format("{}: sizes disagree: {} values, shape {} has {}", function, values.size(),
                                 to_string(shape), shape.numel()));
  }
  const Dtype dtype = options.dtype.value_or(detail::dtype_of<From>);
  Array array = detail::new_array(function, shape, dtype, options.requires_grad);
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::transform(values.begin(), values.end(), array.mutable_data<T>(),
                   [&](From value) { return checked_cast<T>(function, value); });
  });
  return detail::new_leaf(std::move(array), options.requires_grad);
}

template <class From>
Tensor copy_vector(const std::vector<From>& values, const TensorOptions& options) {
  return copy_values("from_vector", std::span(values), Shape{static_cast<std::int64_t>(values.size())},
                     options);
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
void flatten_into(std::vector<double>& out, const NestedNumbers& numbers, const Shape& shape,
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

void require_finite(std::string_view function, std::string_view name, double value) {
  if (!std::isfinite(value))
    throw ValueError(fmt::format("{}: {} must be finite: got {}", function, name, value));
}

/// start + i step. fma by name: whether a compiler contracts a product and a sum must not change the bits.
double evenly_spaced(double start, double step, std::int64_t i) {
  return std::fma(static_cast<double>(i), step, start);
}

/// Numbers in start, start + step, ... before `stop`.
std::int64_t arange_count(double stop, const ArangeOptions& range) {
  const double steps = std::ceil((stop - range.start) / range.step);
  if (!(steps < 0x1p63)) {
    throw ShapeError(
        fmt::format("arange: too many numbers from {} to {} in steps of {}", range.start, stop, range.step));
  }
  auto count = static_cast<std::int64_t>(std::max(steps, 0.0));
  // The quotient may round up past an integer, as for (1.3 - 1) / 0.1: the last number would be `stop`
  // itself.
  if (count > 0) {
    const double last = evenly_spaced(range.start, range.step, count - 1);
    if (range.step > 0 ? last >= stop : last <= stop) --count;
  }
  return count;
}

}  // namespace

NestedNumbers::NestedNumbers(double number) : number_(number) {}
NestedNumbers::NestedNumbers(int number) : number_(number) {}
NestedNumbers::NestedNumbers(std::int64_t number) : number_(static_cast<double>(number)) {
  // Braces carry doubles; a number must not change on its way into an int64 tensor.
  if (!detail::holds<std::int64_t>(number_) || static_cast<std::int64_t>(number_) != number) {
    throw DtypeError(fmt::format("tensor: braces hold integers up to 2^53: got {}; use from_vector", number));
  }
}
NestedNumbers::NestedNumbers(bool number) : number_(number ? 1 : 0) {}
NestedNumbers::NestedNumbers(std::initializer_list<NestedNumbers> list) : list_(true), children_(list) {}

Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options) {
  const Shape shape = shape_of(numbers);
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(shape.numel()));
  flatten_into(values, numbers, shape, 0);
  return copy_values("tensor", std::span<const double>(values), shape,
                     {.dtype = dtype_or_default(options), .requires_grad = options.requires_grad});
}

Tensor tensor(std::initializer_list<NestedNumbers> numbers, const TensorOptions& options) {
  return tensor(NestedNumbers(numbers), options);
}

Tensor from_span(std::span<const float> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options);
}
Tensor from_span(std::span<const double> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options);
}
Tensor from_span(std::span<const std::int64_t> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options);
}
Tensor from_span(std::span<const std::int32_t> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options);
}
Tensor from_span(std::span<const std::uint8_t> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options);
}
Tensor from_span(std::span<const bool> values, const Shape& shape, const TensorOptions& options) {
  return copy_values("from_span", values, shape, options);
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

Tensor zeros(const Shape& shape, const TensorOptions& options) {
  return constant("zeros", shape, 0, dtype_or_default(options), options.requires_grad);
}

Tensor ones(const Shape& shape, const TensorOptions& options) {
  return constant("ones", shape, 1, dtype_or_default(options), options.requires_grad);
}

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  return constant("full", shape, value, dtype_or_default(options), options.requires_grad);
}

Tensor zeros_like(const Tensor& x) { return constant("zeros_like", x.shape(), 0, x.dtype(), false); }

Tensor ones_like(const Tensor& x) { return constant("ones_like", x.shape(), 1, x.dtype(), false); }

Tensor arange(double stop, const ArangeOptions& range, const TensorOptions& options) {
  require_finite("arange", "stop", stop);
  require_finite("arange", "start", range.start);
  require_finite("arange", "step", range.step);
  if (range.step == 0) throw ValueError("arange: step must not be 0");
  const std::int64_t count = arange_count(stop, range);
  const Dtype dtype = options.dtype.value_or(Dtype::int64);
  if (!options.dtype &&
      !(detail::holds<std::int64_t>(range.start) && detail::holds<std::int64_t>(range.step))) {
    throw DtypeError(fmt::format("arange: int64 cannot hold start {} with step {}: give a floating dtype",
                                 range.start, range.step));
  }
  return generate("arange", {count}, dtype, options.requires_grad,
                  [&](std::int64_t i) { return evenly_spaced(range.start, range.step, i); });
}

Tensor linspace(double first, double last, std::int64_t count, const TensorOptions& options) {
  require_finite("linspace", "first", first);
  require_finite("linspace", "last", last);
  require_finite("linspace", "last - first", last - first);
  if (count < 0) throw ValueError(fmt::format("linspace: count must not be negative: got {}", count));
  const double step = count > 1 ? (last - first) / static_cast<double>(count - 1) : 0;
  // Counted from the nearer end, so that both ends are exact and a range about 0 is symmetric.
  return generate("linspace", {count}, dtype_or_default(options), options.requires_grad, [&](std::int64_t i) {
    return i < (count + 1) / 2 ? evenly_spaced(first, step, i) : evenly_spaced(last, -step, count - 1 - i);
  });
}

Tensor eye(std::int64_t n, std::optional<std::int64_t> m, const TensorOptions& options) {
  const std::int64_t columns = m.value_or(n);
  if (n < 0 || columns < 0) {
    throw ShapeError(fmt::format("eye: sizes must not be negative: got {} and {}", n, columns));
  }
  const Dtype dtype = dtype_or_default(options);
  Array array = detail::new_array("eye", {n, columns}, dtype, options.requires_grad);
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* out = array.mutable_data<T>();
    std::fill_n(out, array.numel(), T{0});
    for (std::int64_t i = 0; i < std::min(n, columns); ++i) out[i * columns + i] = T{1};
  });
  return detail::new_leaf(std::move(array), options.requires_grad);
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, const TensorOptions& options) {
  if (!detail::IndexTypes::contains(labels.dtype())) {
    throw DtypeError(fmt::format("one_hot: labels must be int64 or int32: got {}; convert with to(int64)",
                                 to_string(labels.dtype())));
  }
  if (classes < 0) throw ValueError(fmt::format("one_hot: classes must not be negative: got {}", classes));
  Shape shape = labels.shape();
  if (shape.rank() == Shape::max_rank) {
    throw ShapeError(
        fmt::format("one_hot: labels leave no dimension for the classes: labels are {}, at most {} "
                    "dimensions",
                    to_string(shape), Shape::max_rank));
  }
  shape.push_back(classes);
  const Dtype dtype = dtype_or_default(options);
  Array array = detail::new_array("one_hot", shape, dtype, options.requires_grad);
  const Tensor wide = labels.to(Dtype::int64);
  const std::span<const std::int64_t> label = wide.data<std::int64_t>();
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* row = array.mutable_data<T>();  // [classes]
    std::fill_n(row, array.numel(), T{0});
    for (std::size_t i = 0; i < label.size(); ++i, row += classes) {
      if (label[i] < 0 || label[i] >= classes) {
        throw ValueError(fmt::format("one_hot: label out of range: labels[{}] is {}, classes is {}", i,
                                     label[i], classes));
      }
      row[label[i]] = T{1};
    }
  });
  return detail::new_leaf(std::move(array), options.requires_grad);
}

}  // namespace xtgrad::inline v1
