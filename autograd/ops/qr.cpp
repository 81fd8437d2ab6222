#include <algorithm>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/kernels/qr.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/matrices.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class QrParts final : public PrimitiveOf<QrParts, OpId::qr> {
 public:
  [[nodiscard]] Counts counts(InputSpecs) const override { return {2, 0}; }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  [[nodiscard]] OutputSet reads_outputs() const override { return 0b11; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_matrices(op, *in[0]);
    const Shape& a = in[0]->shape;
    const std::int64_t k = std::min(rows_of(a), a.back());
    *out[0] = {with_sizes(batch_shape(a), rows_of(a), k), in[0]->dtype};
    *out[1] = {with_sizes(batch_shape(a), k, a.back()), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { qr(*in[0], *out[0], *out[1]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return 4 * in[0]->shape.numel() * out[0]->shape.back();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void vjp(VjpContext& context) const override;
};

// Of a = q r with a square r: with m = r gr' - gq' q, da is (gq + q s) r'^-1, where s is symmetric and has
// the lower triangle of m. A wide a is [x y] with x = q r1 and y = q r2, so r2 = q'y: what is due to r2 goes
// to q and to y.
void QrParts::vjp(VjpContext& context) const {
  const Tensor q = context.output(0);
  const Tensor r = context.output(1);
  const std::int64_t k = q.shape().back();
  const std::int64_t n = r.shape().back();
  Tensor gq = context.g(0);
  const Tensor& gr = context.g(1);
  Tensor beside;
  if (gr.defined() && n > k) {
    const Tensor gr2 = column_range(gr, k, n);
    gq = sum_of_defined(gq, times_transposed(column_range(context.input(0), k, n), gr2));
    beside = matmul(q, gr2);
  }
  const Tensor r1 = n > k ? column_range(r, 0, k) : r;
  Tensor m;
  if (gr.defined()) m = times_transposed(r1, n > k ? column_range(gr, 0, k) : gr);
  if (gq.defined()) m = sum_of_defined(m, -transposed_times(gq, q));
  const Tensor s = where(lower_mask(k, k), m, transposed(m));
  const Tensor inner = sum_of_defined(gq, matmul(q, s));
  // inner r1'^-1, by its transpose.
  Tensor da = transposed(v1::solve_triangular(r1, transposed(inner), {.upper = true}));
  if (n > k) {
    if (!beside.defined()) {
      Shape rest = context.shape(0);
      rest[rest.rank() - 1] = n - k;
      beside = zeros(rest, {.dtype = context.dtype(0)});
    }
    da = concat({da, beside}, static_cast<std::int64_t>(da.rank()) - 1);
  }
  context.set(0, da);
}

}}  // namespace detail

Qr qr(const Tensor& a) {
  const Tensor* const input = &a;
  std::vector<Tensor> parts = detail::apply_all(detail::QrParts{}, std::span(&input, 1));
  return {std::move(parts[0]), std::move(parts[1])};
}

}  // namespace xtgrad::v1
