#include "xtgrad/autograd/kernels/matrix_exp.h"
#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/matrices.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class MatrixExp final : public PrimitiveOf<MatrixExp, OpId::matrix_exp> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override { matrix_exp(*in[0], *out[0]); }
  /// Of the largest approximant: nine products and the equations, without squarings, of which nothing is
  /// known here.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 20 * in[0]->shape.numel() * in[0]->shape.back();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void vjp(VjpContext& context) const override;
};

// The exponential of [a' g; 0 a'] has e^a' twice on its diagonal, and above it the derivative of e^a' along
// g, which is the adjoint of that of e^a. It is linear in g, which is scaled: a large one would cost
// squarings, and with them digits.
void MatrixExp::vjp(VjpContext& context) const {
  const Shape& shape = context.shape(0);
  const std::int64_t n = shape.back();
  if (n == 0) return set_zeros(context);
  const Tensor at = transposed(context.input(0));
  const Tensor& g = context.g();
  const std::int64_t rank = static_cast<std::int64_t>(g.rank());
  const Tensor largest = amax(abs(g.detach()), {.axes = {rank - 2, rank - 1}, .keepdim = true});
  const Tensor scale = where(greater(largest, 0), largest, 1);
  const Tensor top = concat({at, g / scale}, rank - 1);
  const Tensor bottom = concat({zeros(shape, {.dtype = g.dtype()}), at}, rank - 1);
  const Tensor y = v1::matrix_exp(concat({top, bottom}, rank - 2));
  context.set(0, column_range(row_range(y, 0, n), n, 2 * n) * scale);
}

}}  // namespace detail

Tensor matrix_exp(const Tensor& a) { return detail::apply(detail::MatrixExp{}, a); }

}  // namespace xtgrad::v1
