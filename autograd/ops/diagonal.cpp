#include "xtgrad/autograd/functions/diagonal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/kernels/triangle.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// A diagonal of the matrices along two axes, which count from the front and differ.
struct DiagonalPlace {
  std::size_t rows = 0;     // the axis
  std::size_t columns = 1;  // likewise
  std::int64_t offset = 0;

  [[nodiscard]] bool is_matrix(std::size_t d) const { return d == rows || d == columns; }
  /// Where it begins, in a matrix's own coordinates.
  [[nodiscard]] std::int64_t first_row() const { return std::max<std::int64_t>(0, -offset); }
  [[nodiscard]] std::int64_t first_column() const { return std::max<std::int64_t>(0, offset); }
  [[nodiscard]] std::int64_t length(const Shape& matrices) const {
    return std::max<std::int64_t>(0,
                                  std::min(matrices[rows] - first_row(), matrices[columns] - first_column()));
  }
  [[nodiscard]] Shape result(const Shape& matrices) const {
    Shape shape = reduced_shape(matrices, AxisMask{1} << rows | AxisMask{1} << columns, false);
    shape.push_back(length(matrices));
    return shape;
  }
  void describe(Attributes& a) {
    a("axis1", rows);
    a("axis2", columns);
    a("offset", offset, 0);
  }
  void check_loaded(std::string_view operation, const Shape& matrices) const {
    require_axis(operation, rows, matrices);
    require_axis(operation, columns, matrices);
    require_attribute(rows != columns, operation, "axis2", "another axis than axis1",
                      static_cast<std::int64_t>(columns));
    require_attribute(offset >= -matrices[rows] && offset <= matrices[columns], operation, "offset",
                      "one that has a diagonal", offset);
  }
  /// From the diagonals of matrices to a contiguous array of them.
  [[nodiscard]] StridedMove move(const Shape& matrices) const {
    const Strides from = row_major_strides(matrices);
    const Shape shape = result(matrices);
    const Strides to = row_major_strides(shape);
    StridedMove move;
    std::size_t k = 0;
    for (std::size_t d = 0; d < matrices.rank(); ++d) {
      if (is_matrix(d)) continue;
      move.add_dimension(matrices[d], from[d], to[k]);
      ++k;
    }
    move.add_dimension(shape[k], from[rows] + from[columns], 1);
    move.from_offset = first_row() * from[rows] + first_column() * from[columns];
    return move;
  }
};

Tensor embedded(const Tensor& x, const DiagonalPlace& place, const Shape& matrices);

class Diagonal final : public PrimitiveOf<Diagonal, OpId::diagonal> {
 public:
  explicit Diagonal(const DiagonalPlace& place = {}) : place_(place) {}

  void describe(Attributes& a) override { place_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = place_.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    copy_strided(place_.move(in[0]->shape), *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    place_.check_loaded(name(), in[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, embedded(context.g(), place_, context.shape(0)));
  }

 private:
  DiagonalPlace place_;
};

/// Matrices of any size with a diagonal, and 0 elsewhere.
class DiagEmbed final : public PrimitiveOf<DiagEmbed, OpId::diag_embed> {
 public:
  explicit DiagEmbed(const DiagonalPlace& place = {}, const Shape& matrices = {})
      : place_(place), matrices_(matrices) {}

  void describe(Attributes& a) override {
    place_.describe(a);
    a("shape", matrices_);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = matrices_;
  }
  void eval(Inputs in, Outputs out) const override {
    std::memset(out[0]->buffer.data(), 0, out[0]->buffer.bytes());  // zero bits are 0 in every dtype
    StridedMove move = place_.move(matrices_);
    std::swap(move.from_strides, move.to_strides);
    std::swap(move.from_offset, move.to_offset);
    if (in[0]->numel() > 0) copy_strided(move, *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    place_.check_loaded(name(), matrices_);
    require_spec(name(), "the diagonal", *in[0], {place_.result(matrices_), in[0]->dtype, {}});
  }
  void vjp(VjpContext& context) const override { context.set(0, apply(Diagonal(place_), context.g())); }

 private:
  DiagonalPlace place_;
  Shape matrices_;
};

Tensor embedded(const Tensor& x, const DiagonalPlace& place, const Shape& matrices) {
  return apply(DiagEmbed(place, matrices), x);
}

/// Its own adjoint.
template <OpId Called>
class KeepTriangle final : public PrimitiveOf<KeepTriangle<Called>, Called> {
 public:
  explicit KeepTriangle(std::int64_t offset = 0) : offset_(offset) {}

  void describe(Attributes& a) override { a("offset", offset_, 0); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    if (in[0]->shape.rank() < 2) {
      throw ShapeError(
          fmt::format("{}: needs matrices [..., n, m]: x is {}", to_string(Called), to_string(in[0]->shape)));
    }
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    copy_triangle(*in[0], Called == OpId::tril ? Triangle::lower : Triangle::upper, offset_, *out[0]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b1; }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 1); }
  void vjp(VjpContext& context) const override { context.set(0, apply(*this, context.g())); }

 private:
  std::int64_t offset_;
};

/// The axes of the options, from the front; throws ShapeError where they are one.
DiagonalPlace place_of(OpId op, std::size_t rank, const DiagonalOptions& options) {
  const std::size_t rows = normalize_axis(to_string(op), options.axis1, rank);
  const std::size_t columns = normalize_axis(to_string(op), options.axis2, rank);
  if (rows == columns)
    throw ShapeError(fmt::format("{}: axis1 and axis2 must differ, both are {}", to_string(op), rows));
  return {rows, columns, options.offset};
}

Tensor diagonal_as(OpId op, const Tensor& x, const DiagonalOptions& options) {
  if (x.rank() < 2) {
    throw ShapeError(
        fmt::format("{}: needs matrices [..., n, m]: x is {}", to_string(op), to_string(x.shape())));
  }
  DiagonalPlace place = place_of(op, x.rank(), options);
  // Past the corners all are alike.
  place.offset = std::clamp(place.offset, -x.shape()[place.rows], x.shape()[place.columns]);
  return apply(Diagonal(place), x);
}

Tensor embedded_as(OpId op, const Tensor& x, const DiagonalOptions& options) {
  if (x.rank() == 0 || x.rank() == Shape::max_rank) {
    throw ShapeError(fmt::format("{}: needs from 1 to {} dimensions: x is {}", to_string(op),
                                 Shape::max_rank - 1, to_string(x.shape())));
  }
  const DiagonalPlace place = place_of(op, x.rank() + 1, options);
  const std::int64_t diagonal = x.shape().back();
  std::int64_t size = 0;
  const bool fits =
      options.offset != std::numeric_limits<std::int64_t>::min() &&
      !__builtin_add_overflow(diagonal, options.offset < 0 ? -options.offset : options.offset, &size);
  if (!fits) {
    throw ShapeError(
        fmt::format("{}: more than 2^63 - 1 rows: the diagonal has {} elements, the offset is {}",
                    to_string(op), diagonal, options.offset));
  }
  Shape matrices;
  for (std::size_t d = 0, k = 0; d < x.rank() + 1; ++d)
    matrices.push_back(place.is_matrix(d) ? size : x.shape()[k++]);
  return embedded(x, place, matrices);
}

}}  // namespace detail

using detail::OpId;

Tensor diagonal(const Tensor& x, const DiagonalOptions& options) {
  return detail::diagonal_as(OpId::diagonal, x, options);
}

Tensor diag_embed(const Tensor& x, const DiagonalOptions& options) {
  return detail::embedded_as(OpId::diag_embed, x, options);
}

Tensor diag(const Tensor& x, std::int64_t offset) {
  if (x.rank() == 1) return detail::embedded_as(OpId::diag, x, {.offset = offset});
  if (x.rank() == 2) return detail::diagonal_as(OpId::diag, x, {.offset = offset});
  throw ShapeError(
      fmt::format("diag: needs a vector or a matrix: x is {}; diagonal and diag_embed take batches",
                  to_string(x.shape())));
}

Tensor trace(const Tensor& x, const DiagonalOptions& options) {
  detail::check_numeric(OpId::trace, detail::array_of(x));
  return sum(detail::diagonal_as(OpId::trace, x, options), {.axes = -1});
}

Tensor tril(const Tensor& x, std::int64_t offset) {
  return detail::apply(detail::KeepTriangle<OpId::tril>(offset), x);
}

Tensor triu(const Tensor& x, std::int64_t offset) {
  return detail::apply(detail::KeepTriangle<OpId::triu>(offset), x);
}

}  // namespace xtgrad::v1
