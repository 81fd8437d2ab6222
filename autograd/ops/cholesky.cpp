#include "xtgrad/autograd/kernels/cholesky.h"
#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Cholesky final : public PrimitiveOf<Cholesky, OpId::cholesky> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return output_bit; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override { cholesky(*in[0], *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return in[0]->shape.numel() * in[0]->shape.back() / 3;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }

  // From da = dl l' + l dl': l^-1 dl is the lower triangle of l^-1 da l'^-1 with half its diagonal. The
  // adjoint of that is l'^-1 s l^-1 / 2, where s is symmetric and has the lower triangle of l' g.
  void vjp(VjpContext& context) const override {
    const Tensor l = context.output();
    const Tensor product = transposed_times(l, context.g());
    const std::int64_t n = l.shape().back();
    const Tensor s = where(lower_mask(n, n), product, transposed(product));
    const Tensor left = v1::solve_triangular(l, s, {.transpose = true});                 // l'^-1 s
    const Tensor both = v1::solve_triangular(l, transposed(left), {.transpose = true});  // its transpose
    context.set(0, symmetric_part(both) * 0.5);
  }
};

}}  // namespace detail

Tensor cholesky(const Tensor& a) { return detail::apply(detail::Cholesky{}, a); }

Tensor cholesky_solve(const Tensor& l, const Tensor& b) {
  detail::check_floating(detail::OpId::cholesky_solve, detail::array_of(l));
  return detail::of_column(b, [&](const Tensor& columns) {
    return solve_triangular(l, solve_triangular(l, columns), {.transpose = true});
  });
}

}  // namespace xtgrad::v1
