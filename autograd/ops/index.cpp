#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstring>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/gather.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Gather final : public PrimitiveOf<OpId::gather> {
 public:
  explicit Gather(std::size_t axis) : axis_(axis) {}
  static Reads reads(Wanted) { return input_bit(1); }

  [[nodiscard]] Array forward(const Array& x, const Array& index) const {
    Array out = Array::uninitialized(index.shape, x.dtype);
    gather_elements(x, axis_, index, out);
    return out;
  }

  void vjp(VjpContext& context) const override {
    const Tensor zero = zeros(context.shape(0), {.dtype = context.g.dtype()});
    context.set(0, scatter_add(zero, static_cast<std::int64_t>(axis_), context.input(1), context.g));
  }

  [[nodiscard]] std::string attributes() const override { return fmt::format("axis={}", axis_); }

 private:
  std::size_t axis_;
};

class ScatterAdd final : public PrimitiveOf<OpId::scatter_add> {
 public:
  explicit ScatterAdd(std::size_t axis) : axis_(axis) {}
  static Reads reads(Wanted wanted) { return is_wanted(wanted, 2) ? input_bit(1) : reads_nothing; }

  [[nodiscard]] Array forward(const Array& x, const Array& index, const Array& source) const {
    Array out = Array::uninitialized(x.shape, x.dtype);
    std::memcpy(out.buffer.data(), x.buffer.data(), x.buffer.bytes());
    scatter_add_elements(out, axis_, index, source);
    return out;
  }

  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, context.g);
    if (context.wanted(2)) {
      context.set(2, gather(context.g, static_cast<std::int64_t>(axis_), context.input(1)));
    }
  }

  [[nodiscard]] std::string attributes() const override { return fmt::format("axis={}", axis_); }

 private:
  std::size_t axis_;
};

/// Throws ShapeError unless `index` has x's rank and is no larger than x off the axis.
void check_index_shape(OpId op, const Shape& x, std::size_t axis, const Shape& index) {
  if (index.rank() != x.rank()) {
    throw ShapeError(fmt::format("{}: the index must have as many dimensions as x: x is {}, the index is {}",
                                 to_string(op), to_string(x), to_string(index)));
  }
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (d == axis || index[d] <= x[d]) continue;
    throw ShapeError(
        fmt::format("{}: the index must be no larger than x outside axis {}: x is {}, the index is {}",
                    to_string(op), axis, to_string(x), to_string(index)));
  }
}

[[noreturn]] void throw_out_of_range(OpId op, const Array& index, std::int64_t position, std::size_t axis,
                                     std::int64_t size) {
  const std::int64_t value = index.data<std::int64_t>()[position];
  std::vector<std::int64_t> place(index.shape.rank());
  for (std::size_t d = place.size(); d-- > 0; position /= index.shape[d])
    place[d] = position % index.shape[d];
  throw ValueError(fmt::format("{}: the index is out of range: {} at [{}], but axis {} of x has size {}",
                               to_string(op), value, fmt::join(place, ", "), axis, size));
}

/// Throws ValueError for the first entry that is no position along the axis.
void check_index_range(OpId op, const Array& index, std::size_t axis, std::int64_t size) {
  const auto* values = index.data<std::int64_t>();
  const std::int64_t n = index.numel();
  const auto in_range = [size](std::int64_t value) { return value >= 0 && value < size; };
  bool all = true;  // without an early exit, so that the compiler can use SIMD
  for (std::int64_t i = 0; i < n; ++i) all = all & in_range(values[i]);
  if (all) return;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!in_range(values[i])) throw_out_of_range(op, index, i, axis, size);
  }
}

/// All checks that gather and scatter_add share; returns the axis.
std::size_t check_index(OpId op, const Tensor& x, std::int64_t axis, const Tensor& index) {
  const std::size_t dim = normalize_axis(to_string(op), axis, x.rank());
  check_index_shape(op, x.shape(), dim, index.shape());
  check_index_range(op, array_of(index), dim, x.shape()[dim]);
  return dim;
}

}}  // namespace detail

Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const Tensor places = detail::index_of(detail::OpId::gather, index);
  const std::size_t dim = detail::check_index(detail::OpId::gather, x, axis, places);
  return detail::apply(detail::Gather(dim), x, places);
}

Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  using detail::OpId;
  detail::check_numeric(OpId::scatter_add, x);
  if (source.dtype() != x.dtype()) {
    throw DtypeError(fmt::format("scatter_add: dtypes differ: x is {}, source is {}; convert one with to()",
                                 to_string(x.dtype()), to_string(source.dtype())));
  }
  const Tensor places = detail::index_of(OpId::scatter_add, index);
  const std::size_t dim = detail::check_index(OpId::scatter_add, x, axis, places);
  if (source.shape() != index.shape()) {
    throw ShapeError(
        fmt::format("scatter_add: source and index must have one shape: source is {}, index is {}",
                    to_string(source.shape()), to_string(index.shape())));
  }
  return detail::apply(detail::ScatterAdd(dim), x, places, source);
}

}  // namespace xtgrad::inline v1
