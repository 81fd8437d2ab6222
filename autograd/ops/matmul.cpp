#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Size of an operand's last but one dimension (0) or last one (1), as the product sees it.
std::int64_t matrix_size(const Shape& shape, bool transposed, std::size_t dim) {
  return shape[shape.rank() - 2 + (transposed ? 1 - dim : dim)];
}

Shape leading(const Shape& shape) { return Shape(std::span(shape.begin(), shape.rank() - 2)); }

std::string describe(const Shape& x, bool transposed) {
  return to_string(x) + (transposed ? " transposed" : "");
}

[[noreturn]] void throw_misfit(std::string_view rule, const Shape& a, const Shape& b,
                               const MatmulOptions& options) {
  throw ShapeError(fmt::format("{}: {}: a is {}, b is {}", to_string(OpId::matmul), rule,
                               describe(a, options.transpose_a), describe(b, options.transpose_b)));
}

void check_batches(const Shape& a, const Shape& b, const MatmulOptions& options) {
  const std::size_t common = std::min(a.rank(), b.rank());
  for (std::size_t from_end = 3; from_end <= common; ++from_end) {
    const std::int64_t size_a = a[a.rank() - from_end];
    const std::int64_t size_b = b[b.rank() - from_end];
    if (size_a == size_b || size_a == 1 || size_b == 1) continue;
    throw_misfit("leading dimensions do not broadcast", a, b, options);
  }
}

void check_shapes(const Shape& a, const Shape& b, const MatmulOptions& options) {
  if (a.rank() < 2 || b.rank() < 2) throw_misfit("operands need at least 2 dimensions", a, b, options);
  if (matrix_size(a, options.transpose_a, 1) != matrix_size(b, options.transpose_b, 0)) {
    throw_misfit("inner sizes differ", a, b, options);
  }
  check_batches(a, b, options);
}

class Matmul final : public PrimitiveOf<Matmul, OpId::matmul> {
 public:
  explicit Matmul(const MatmulOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("transpose_a", options_.transpose_a, false);
    a("transpose_b", options_.transpose_b, false);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return (is_wanted(wanted, 0) ? input_bit(1) : reads_nothing) |
           (is_wanted(wanted, 1) ? input_bit(0) : reads_nothing);
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_same_dtype(op, *in[0], *in[1]);
    check_floating(op, *in[0]);
    const Shape &a = in[0]->shape, &b = in[1]->shape;
    check_shapes(a, b, options_);
    Shape shape =
        a.rank() == 2 && b.rank() == 2 ? Shape{} : broadcast_shapes(to_string(op), leading(a), leading(b));
    shape.push_back(matrix_size(a, options_.transpose_a, 0));
    shape.push_back(matrix_size(b, options_.transpose_b, 1));
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = shape;
  }

  void eval(Inputs in, Outputs out) const override {
    const auto [transpose_a, transpose_b] = options_;
    const GemmOptions sizes{.m = matrix_size(in[0]->shape, transpose_a, 0),
                            .n = matrix_size(in[1]->shape, transpose_b, 1),
                            .k = matrix_size(in[0]->shape, transpose_a, 1),
                            .transpose_a = transpose_a,
                            .transpose_b = transpose_b};
    batched_gemm(sizes, *in[0], *in[1], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return 2 * out[0]->shape.numel() * matrix_size(in[0]->shape, options_.transpose_a, 1);
  }

  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }

  // For the matrices A = a or its transpose, and B likewise: dA = g B', dB = A' g, and where an operand is
  // stored transposed, so is its gradient: (g B')' = B g'.
  void vjp(VjpContext& context) const override {
    const auto [transpose_a, transpose_b] = options_;
    const Tensor& g = context.g();  // [..., m, n]
    if (context.wanted(0)) {
      const Tensor b = context.input(1);
      const Tensor da = transpose_a ? matmul(b, g, {.transpose_a = transpose_b, .transpose_b = true})
                                    : matmul(g, b, {.transpose_b = !transpose_b});
      context.set(0, summed_to(da, context.shape(0)));
    }
    if (context.wanted(1)) context.set(1, gradient_of_b(g, context.input(0), context.shape(1)));
  }

 private:
  [[nodiscard]] Tensor gradient_of_b(const Tensor& g, const Tensor& a, const Shape& shape) const {
    const auto [transpose_a, transpose_b] = options_;
    if (!transpose_a && shape.numel() == shape[shape.rank() - 2] * shape.back() &&
        leading(a.shape()) == leading(g.shape())) {
      // One b for the whole batch, as in a linear layer over a sequence: the sum over the batch is part of
      // one large product, where summing a product for each matrix would store them all.
      const Tensor rows_a = as_matrix(a);
      const Tensor rows_g = as_matrix(g);
      const Tensor db = transpose_b ? matmul(rows_g, rows_a, {.transpose_a = true})
                                    : matmul(rows_a, rows_g, {.transpose_a = true});
      return reshaped(db, shape);
    }
    const Tensor db = transpose_b ? matmul(g, a, {.transpose_a = true, .transpose_b = transpose_a})
                                  : matmul(a, g, {.transpose_a = !transpose_a});
    return summed_to(db, shape);
  }

  /// [..., m, k] as [... * m, k].
  static Tensor as_matrix(const Tensor& x) {
    if (x.rank() == 2) return x;
    std::int64_t rows = 1;
    for (std::size_t d = 0; d + 1 < x.rank(); ++d) rows *= x.shape()[d];
    return reshaped(x, Shape{rows, x.shape().back()});
  }

  MatmulOptions options_;
};

/// A vector is a row on the left and a column on the right, and that dimension is dropped from the product.
[[gnu::noinline]] Tensor matmul_of_vectors(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  const bool is_row = a.rank() == 1;
  const bool is_column = b.rank() == 1;
  const MatmulOptions own{.transpose_a = options.transpose_a && !is_row,
                          .transpose_b = options.transpose_b && !is_column};
  if (a.rank() == 0 || b.rank() == 0)
    throw_misfit("operands need at least 1 dimension", a.shape(), b.shape(), own);
  const std::int64_t inner_a = is_row ? a.shape()[0] : matrix_size(a.shape(), own.transpose_a, 1);
  const std::int64_t inner_b = is_column ? b.shape()[0] : matrix_size(b.shape(), own.transpose_b, 0);
  // Here, where the shapes are as they were given.
  if (inner_a != inner_b) throw_misfit("inner sizes differ", a.shape(), b.shape(), own);
  const Tensor product = apply(Matmul{own}, is_row ? reshaped(a, Shape{1, inner_a}) : a,
                               is_column ? reshaped(b, Shape{inner_b, 1}) : b);
  const Shape& full = product.shape();
  Shape shape = leading(full);
  if (!is_row) shape.push_back(full[full.rank() - 2]);
  if (!is_column) shape.push_back(full.back());
  return reshaped(product, shape);
}

}}  // namespace detail

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  // An empty handle is refused as ever, in the function's name.
  if (a.defined() && b.defined() && (a.rank() < 2 || b.rank() < 2)) [[unlikely]]
    return detail::matmul_of_vectors(a, b, options);
  return detail::apply(detail::Matmul{options}, a, b);
}

}  // namespace xtgrad::v1
