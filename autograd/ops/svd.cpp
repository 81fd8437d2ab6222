#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/epsilon.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/kernels/pseudo_inverse.h"
#include "xtgrad/autograd/kernels/svd.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/ties.h"
#include "xtgrad/autograd/where_safe.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

std::int64_t smaller_size(const Shape& a) { return std::min(rows_of(a), a.back()); }
std::int64_t larger_size(const Shape& a) { return std::max(rows_of(a), a.back()); }

/// The singular vectors of [..., m, n] as a rule may use them (ties.h), those of vh in columns, too.
struct GuardedSvd {
  GuardedSvd(const Tensor& left, const Tensor& values, const Tensor& right, const Shape& a)
      : s(values),
        u(guarded_vectors(left, values, larger_size(a), rows_of(a) > a.back())),
        v(guarded_vectors(transposed(right), values, larger_size(a), a.back() > rows_of(a))) {}
  Tensor s, u, v;
};

class SvdParts final : public PrimitiveOf<SvdParts, OpId::svd> {
 public:
  [[nodiscard]] Counts counts(InputSpecs) const override { return {3, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const override { return 0b111; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_matrices(op, *in[0]);
    const Shape& a = in[0]->shape;
    const std::int64_t k = smaller_size(a);
    *out[0] = {with_sizes(batch_shape(a), rows_of(a), k), in[0]->dtype};
    *out[1] = {with_sizes(batch_shape(a), k), in[0]->dtype};
    *out[2] = {with_sizes(batch_shape(a), k, a.back()), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { svd(to_string(op), *in[0], out[0], *out[1], out[2]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 14 * in[0]->shape.numel() * smaller_size(in[0]->shape);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void vjp(VjpContext& context) const override;
};

// In the bases of u and v, ds is the diagonal of da; u'du and v'dv follow from da and its transpose, divided
// by the differences of the squares of the singular values; and what lies outside of the space of u's
// columns, or v's, is divided by the singular value alone.
void SvdParts::vjp(VjpContext& context) const {
  const Shape& a = context.shape(0);
  const std::int64_t size = larger_size(a);
  if (smaller_size(a) == 0) return set_zeros(context);
  const auto [s, u, v] = GuardedSvd(context.output(0), context.output(1), context.output(2), a);
  Tensor inner;
  Tensor outside;
  if (context.g(1).defined()) inner = diagonal_matrices(context.g(1));
  const auto turned = [&, &values = s](const Tensor& x, const Tensor& g) {
    const Tensor product = transposed_times(x, g);
    return (product - transposed(product)) * inverse_square_gaps(values, tied_pairs(values, size));
  };
  // g without its part in the space of x's columns, divided by the singular values.
  const auto beside = [&, &values = s](const Tensor& x, const Tensor& g) {
    return scale_columns(g - matmul(x, transposed_times(x, g)), inverse_values(values, size));
  };
  if (const Tensor& gu = context.g(0); gu.defined()) {
    inner = sum_of_defined(inner, scale_columns(turned(u, gu), s));
    if (rows_of(a) > a.back()) outside = times_transposed(beside(u, gu), v);
  }
  if (context.g(2).defined()) {
    const Tensor gv = transposed(context.g(2));
    inner = sum_of_defined(inner, scale_rows(turned(v, gv), s));
    if (a.back() > rows_of(a)) outside = sum_of_defined(outside, times_transposed(u, beside(v, gv)));
  }
  context.set(0, sum_of_defined(times_transposed(matmul(u, inner), v), outside));
}

class Svdvals final : public PrimitiveOf<Svdvals, OpId::svdvals> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_matrices(op, *in[0]);
    *out[0] = {with_sizes(batch_shape(in[0]->shape), smaller_size(in[0]->shape)), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { svd(to_string(op), *in[0], nullptr, *out[0], nullptr); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 3 * in[0]->shape.numel() * smaller_size(in[0]->shape);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  // Vectors cost several times what values do, so they are left to the rule.
  void vjp(VjpContext& context) const override {
    if (smaller_size(context.shape(0)) == 0) return set_zeros(context);
    const Svd parts = v1::svd(context.input(0));
    const GuardedSvd by(parts.u, parts.s, parts.vh, context.shape(0));
    context.set(0, times_transposed(scale_columns(by.u, context.g()), by.v));
  }
};

class Pinv final : public PrimitiveOf<Pinv, OpId::pinv> {
 public:
  explicit Pinv(double rcond = 0) : rcond_(rcond) {}

  void describe(Attributes& a) override { a("rcond", rcond_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | output_bit; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_matrices(op, *in[0]);
    const Shape& a = in[0]->shape;
    *out[0] = {with_sizes(batch_shape(a), a.back(), rows_of(a)), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { pseudo_inverse(*in[0], rcond_, *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 16 * in[0]->shape.numel() * smaller_size(in[0]->shape);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  // As long as the rank stays: dy = -y da y + y y' da' (1 - a y) + (1 - y a) da' y' y (Golub and Pereyra,
  // 1973).
  void vjp(VjpContext& context) const override {
    const Tensor a = context.input(0);
    const Tensor y = context.output();
    const Tensor gt = transposed(context.g());
    const Tensor first = times_transposed(transposed_times(y, context.g()), y);
    const Tensor left = times_transposed(matmul(gt, y), y);   // g' y y'
    const Tensor right = matmul(transposed_times(y, y), gt);  // y' y g'
    const Tensor second = left - matmul(a, matmul(y, left));
    const Tensor third = right - matmul(matmul(right, y), a);
    context.set(0, second + third - first);
  }

 private:
  double rcond_;
};

double rcond_of(OpId op, const Tensor& a, const PinvOptions& options) {
  check_matrices(op, array_of(a));
  if (options.rcond && !(*options.rcond >= 0)) {
    throw ValueError(fmt::format("{}: rcond must be at least 0: got {}", to_string(op), *options.rcond));
  }
  return options.rcond.value_or(static_cast<double>(larger_size(a.shape())) * epsilon_of(a.dtype()));
}

const Dims matrix_axes = {-2, -1};

/// The root of the sum of squares, scaled so that these neither leave the range nor vanish.
Tensor frobenius_norm(const Tensor& a) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Tensor largest = amax(abs(a.detach()), {.axes = matrix_axes, .keepdim = true});
  const Tensor scale = where(less(largest, infinity), where(greater(largest, 0), largest, 1), 1);
  const Tensor squares = sum(square(a / scale), {.axes = matrix_axes, .keepdim = true});
  const Tensor root = where_safe(
      not_equal(squares, 0), squares, [](const Tensor& x) { return sqrt(x); }, 0);
  return sum(root * scale, {.axes = matrix_axes});
}

}}  // namespace detail

Svd svd(const Tensor& a) {
  const Tensor* const input = &a;
  std::vector<Tensor> parts = detail::apply_all(detail::SvdParts{}, std::span(&input, 1));
  return {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

Tensor svdvals(const Tensor& a) { return detail::apply(detail::Svdvals{}, a); }

Tensor pinv(const Tensor& a, const PinvOptions& options) {
  return detail::apply(detail::Pinv(detail::rcond_of(detail::OpId::pinv, a, options)), a);
}

Tensor lstsq(const Tensor& a, const Tensor& b, const PinvOptions& options) {
  using detail::OpId;
  const double rcond = detail::rcond_of(OpId::lstsq, a, options);
  detail::check_same_dtype(OpId::lstsq, detail::array_of(a), detail::array_of(b));
  return detail::of_column(b, [&](const Tensor& columns) {
    if (columns.rank() < 2 || detail::rows_of(columns.shape()) != detail::rows_of(a.shape())) {
      throw ShapeError(fmt::format("lstsq: b must have as many rows as a: a is {}, b is {}",
                                   to_string(a.shape()), to_string(b.shape())));
    }
    return matmul(pinv(a, {.rcond = rcond}), columns);
  });
}

Tensor matrix_norm(const Tensor& a, MatrixNorm norm) {
  detail::check_matrices(detail::OpId::matrix_norm, detail::array_of(a));
  if (detail::smaller_size(a.shape()) == 0) return sum(abs(a), {.axes = detail::matrix_axes});
  switch (norm) {
    case MatrixNorm::nuclear:
      return sum(svdvals(a), {.axes = -1});
    case MatrixNorm::spectral:
      return amax(svdvals(a), {.axes = -1});
    case MatrixNorm::one:
      return amax(sum(abs(a), {.axes = -2}), {.axes = -1});
    case MatrixNorm::infinity:
      return amax(sum(abs(a), {.axes = -1}), {.axes = -1});
    case MatrixNorm::frobenius:
      break;
  }
  return detail::frobenius_norm(a);
}

}  // namespace xtgrad::v1
