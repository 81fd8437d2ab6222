#include "xtgrad/autograd/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1 {

namespace {

using detail::Array;
using detail::checked_cast;

Dtype dtype_or_default(const TensorOptions& options) { return options.dtype.value_or(default_dtype()); }

/// start + i step. fma by name: whether a compiler contracts a product and a sum must not change the bits.
double evenly_spaced(double start, double step, std::int64_t i) {
  return std::fma(static_cast<double>(i), step, start);
}

/// What primitives that make a tensor from numbers alone share; `function` is what the user called.
template <class Self>
class Creation : public detail::ConstantPrimitive<Self> {
 public:
  Creation(std::string_view function, const Shape& shape, Dtype dtype)
      : function_(function), shape_(shape), dtype_(dtype) {}

  [[nodiscard]] std::string_view name() const override { return function_; }
  void describe(Attributes& a) override {
    a("shape", shape_);
    a("dtype", dtype_);
  }
  void infer(detail::InputSpecs, detail::OutputSpecs out) const override { *out[0] = {shape_, dtype_}; }

 protected:
  ~Creation() = default;

  std::string_view function_;  // a literal
  Shape shape_;
  Dtype dtype_;
};

/// Element i is Self's `value(i)`, a double that the dtype must hold.
template <class Self>
class Generated : public Creation<Self> {
 public:
  using Creation<Self>::Creation;

  void eval(detail::Inputs, detail::Outputs out) const override {
    detail::visit(this->dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* to = out[0]->template mutable_data<T>();
      const std::int64_t n = out[0]->numel();
      const auto& self = static_cast<const Self&>(*this);
      for (std::int64_t i = 0; i < n; ++i) to[i] = checked_cast<T>(this->function_, self.value(i));
    });
  }

 protected:
  ~Generated() = default;
};

class Full final : public Creation<Full> {
 public:
  Full(std::string_view function, const Shape& shape, Dtype dtype, double value)
      : Creation(function, shape, dtype), value_(value) {}

  void describe(Attributes& a) override {
    Creation::describe(a);
    a("value", value_);
  }
  void eval(detail::Inputs, detail::Outputs out) const override {
    detail::visit(dtype_, [&](auto zero) {
      using T = decltype(zero);
      std::fill_n(out[0]->mutable_data<T>(), out[0]->numel(), checked_cast<T>(function_, value_));
    });
  }

 private:
  double value_;
};

class Arange final : public Generated<Arange> {
 public:
  Arange(std::int64_t count, Dtype dtype, const ArangeOptions& range)
      : Generated("arange", {count}, dtype), start_(range.start), step_(range.step) {}

  void describe(Attributes& a) override {
    Creation::describe(a);
    a("start", start_);
    a("step", step_);
  }
  [[nodiscard]] double value(std::int64_t i) const { return evenly_spaced(start_, step_, i); }

 private:
  double start_;
  double step_;
};

class Linspace final : public Generated<Linspace> {
 public:
  Linspace(double first, double last, std::int64_t count, Dtype dtype)
      : Generated("linspace", {count}, dtype), first_(first), last_(last) {}

  void describe(Attributes& a) override {
    Creation::describe(a);
    a("first", first_);
    a("last", last_);
  }
  // Counted from the nearer end, so that both ends are exact and a range about 0 is symmetric.
  [[nodiscard]] double value(std::int64_t i) const {
    const std::int64_t count = shape_[0];
    const double step = count > 1 ? (last_ - first_) / static_cast<double>(count - 1) : 0;
    return i < (count + 1) / 2 ? evenly_spaced(first_, step, i) : evenly_spaced(last_, -step, count - 1 - i);
  }

 private:
  double first_;
  double last_;
};

class Eye final : public Creation<Eye> {
 public:
  Eye(std::int64_t rows, std::int64_t columns, Dtype dtype) : Creation("eye", {rows, columns}, dtype) {}

  void eval(detail::Inputs, detail::Outputs out) const override {
    detail::visit(dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* to = out[0]->mutable_data<T>();
      std::fill_n(to, out[0]->numel(), T{0});
      for (std::int64_t i = 0; i < std::min(shape_[0], shape_[1]); ++i) to[i * shape_[1] + i] = T{1};
    });
  }
};

/// Of the labels, one input: its rows are found at run time.
class OneHot final : public detail::ConstantPrimitive<OneHot> {
 public:
  OneHot(std::int64_t classes, Dtype dtype) : classes_(classes), dtype_(dtype) {}

  [[nodiscard]] std::string_view name() const override { return "one_hot"; }
  void describe(Attributes& a) override {
    a("classes", classes_);
    a("dtype", dtype_);
  }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override {
    *out[0] = {in[0]->shape, dtype_};
    out[0]->shape.push_back(classes_);
  }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const auto* label = in[0]->data<std::int64_t>();
    const std::int64_t n = in[0]->numel();
    for (std::int64_t i = 0; i < n; ++i) {
      if (label[i] >= 0 && label[i] < classes_) continue;
      throw ValueError(
          fmt::format("one_hot: label out of range: labels[{}] is {}, classes is {}", i, label[i], classes_));
    }
    detail::visit(dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* row = out[0]->mutable_data<T>();  // [classes]
      std::fill_n(row, out[0]->numel(), T{0});
      for (std::int64_t i = 0; i < n; ++i, row += classes_) row[label[i]] = T{1};
    });
  }

 private:
  std::int64_t classes_;
  Dtype dtype_;
};

/// Runs a primitive without inputs and makes its result a leaf.
template <class P>
Tensor create(const P& primitive, bool requires_grad) {
  return detail::new_leaf(detail::compute_one(primitive), requires_grad);
}

Tensor constant(std::string_view function, const Shape& shape, double value, Dtype dtype,
                bool requires_grad) {
  detail::check_new(function, shape, dtype, requires_grad);
  return create(Full(function, shape, dtype, value), requires_grad);
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
  detail::check_new("arange", {count}, dtype, options.requires_grad);
  return create(Arange(count, dtype, range), options.requires_grad);
}

Tensor linspace(double first, double last, std::int64_t count, const TensorOptions& options) {
  require_finite("linspace", "first", first);
  require_finite("linspace", "last", last);
  require_finite("linspace", "last - first", last - first);
  if (count < 0) throw ValueError(fmt::format("linspace: count must not be negative: got {}", count));
  const Dtype dtype = dtype_or_default(options);
  detail::check_new("linspace", {count}, dtype, options.requires_grad);
  return create(Linspace(first, last, count, dtype), options.requires_grad);
}

Tensor eye(std::int64_t n, std::optional<std::int64_t> m, const TensorOptions& options) {
  const std::int64_t columns = m.value_or(n);
  if (n < 0 || columns < 0) {
    throw ShapeError(fmt::format("eye: sizes must not be negative: got {} and {}", n, columns));
  }
  const Dtype dtype = dtype_or_default(options);
  detail::check_new("eye", {n, columns}, dtype, options.requires_grad);
  return create(Eye(n, columns, dtype), options.requires_grad);
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
  detail::check_new("one_hot", shape, dtype, options.requires_grad);
  Tensor result = detail::apply_constant(OneHot(classes, dtype), labels.to(Dtype::int64));
  if (options.requires_grad) result.set_requires_grad();
  return result;
}

}  // namespace xtgrad::v1
