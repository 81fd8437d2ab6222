#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Size of an operand's last but one dimension (0) or last one (1), as the product sees it.
std::int64_t matrix_size(const Shape& shape, bool transposed, std::size_t dim) {
  return shape[shape.rank() - 2 + (transposed ? 1 - dim : dim)];
}

Shape leading(const Shape& shape) { return Shape(std::span(shape.begin(), shape.rank() - 2)); }

class Matmul final : public PrimitiveOf<OpId::matmul> {
 public:
  explicit Matmul(const MatmulOptions& options) : options_(options) {}

  static Reads reads(Wanted wanted) {
    return (is_wanted(wanted, 0) ? input_bit(1) : reads_nothing) |
           (is_wanted(wanted, 1) ? input_bit(0) : reads_nothing);
  }

  [[nodiscard]] Array forward(const Array& a, const Array& b) const {
    const auto [transpose_a, transpose_b] = options_;
    const GemmOptions sizes{.m = matrix_size(a.shape, transpose_a, 0),
                            .n = matrix_size(b.shape, transpose_b, 1),
                            .k = matrix_size(a.shape, transpose_a, 1),
                            .transpose_a = transpose_a,
                            .transpose_b = transpose_b};
    Shape shape = a.shape.rank() == 2 && b.shape.rank() == 2
                      ? Shape{}
                      : broadcast_shapes(to_string(op), leading(a.shape), leading(b.shape));
    shape.push_back(sizes.m);
    shape.push_back(sizes.n);
    Array out = Array::uninitialized(shape, a.dtype);
    batched_gemm(sizes, a, b, out);
    return out;
  }

  // For the matrices A = a or its transpose, and B likewise: dA = g B', dB = A' g, and where an operand is
  // stored transposed, so is its gradient: (g B')' = B g'.
  void vjp(VjpContext& context) const override {
    const auto [transpose_a, transpose_b] = options_;
    const Tensor& g = context.g;  // [..., m, n]
    if (context.wanted(0)) {
      const Tensor b = context.input(1);
      const Tensor da = transpose_a ? matmul(b, g, {.transpose_a = transpose_b, .transpose_b = true})
                                    : matmul(g, b, {.transpose_b = !transpose_b});
      context.set(0, sum_to(da, context.shape(0)));
    }
    if (context.wanted(1)) context.set(1, gradient_of_b(g, context.input(0), context.shape(1)));
  }

  [[nodiscard]] std::string attributes() const override {
    return fmt::format("{}{}{}", options_.transpose_a ? "transpose_a" : "",
                       options_.transpose_a && options_.transpose_b ? ", " : "",
                       options_.transpose_b ? "transpose_b" : "");
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
      return db.shape() == shape ? db : reshape(db, shape);
    }
    const Tensor db = transpose_b ? matmul(g, a, {.transpose_a = true, .transpose_b = transpose_a})
                                  : matmul(a, g, {.transpose_a = !transpose_a});
    return sum_to(db, shape);
  }

  /// [..., m, k] as [... * m, k].
  static Tensor as_matrix(const Tensor& x) {
    if (x.rank() == 2) return x;
    std::int64_t rows = 1;
    for (std::size_t d = 0; d + 1 < x.rank(); ++d) rows *= x.shape()[d];
    return reshape(x, Shape{rows, x.shape().back()});
  }

  MatmulOptions options_;
};

std::string describe(const Tensor& x, bool transposed) {
  return to_string(x.shape()) + (transposed ? " transposed" : "");
}

[[noreturn]] void throw_misfit(std::string_view rule, const Tensor& a, const Tensor& b,
                               const MatmulOptions& options, std::string_view next_step = "") {
  throw ShapeError(fmt::format("{}: {}: a is {}, b is {}{}", to_string(OpId::matmul), rule,
                               describe(a, options.transpose_a), describe(b, options.transpose_b),
                               next_step));
}

void check_batches(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  const std::size_t common = std::min(a.rank(), b.rank());
  for (std::size_t from_end = 3; from_end <= common; ++from_end) {
    const std::int64_t size_a = a.shape()[a.rank() - from_end];
    const std::int64_t size_b = b.shape()[b.rank() - from_end];
    if (size_a == size_b || size_a == 1 || size_b == 1) continue;
    throw_misfit("leading dimensions do not broadcast", a, b, options);
  }
}

}}  // namespace detail

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  using detail::OpId;
  detail::check_same_dtype(OpId::matmul, a, b);
  detail::check_floating(OpId::matmul, a);
  if (a.rank() < 2 || b.rank() < 2) {
    detail::throw_misfit("operands need at least 2 dimensions", a, b, options,
                         "; reshape a vector to a row [1, n] or a column [n, 1]");
  }
  const std::int64_t inner_a = detail::matrix_size(a.shape(), options.transpose_a, 1);
  const std::int64_t inner_b = detail::matrix_size(b.shape(), options.transpose_b, 0);
  if (inner_a != inner_b) detail::throw_misfit("inner sizes differ", a, b, options);
  detail::check_batches(a, b, options);
  return detail::apply(detail::Matmul{options}, a, b);
}

}  // namespace xtgrad::inline v1
