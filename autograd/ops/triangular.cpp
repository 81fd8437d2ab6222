#include "xtgrad/autograd/kernels/triangular.h"
#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// x of T(a) x = b, where T takes a triangle of a, transposed or not.
class SolveTriangular final : public PrimitiveOf<SolveTriangular, OpId::solve_triangular> {
 public:
  explicit SolveTriangular(const SolveTriangularOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("upper", options_.upper, false);
    a("transpose", options_.transpose, false);
    a("unit_diagonal", options_.unit_diagonal, false);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return input_bit(0) | (is_wanted(wanted, 0) ? output_bit : reads_nothing);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {check_equations(op, *in[0], *in[1]), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    copy_broadcast(*in[1], *out[0]);
    solve_triangular({options_.upper, options_.transpose, options_.unit_diagonal}, *in[0], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return out[0]->shape.numel() * in[0]->shape.back();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }

  // Of a x = b: db = a'^-1 g, and da = -db x'; of a' x = b: da = -x db'. What is not read has no gradient.
  void vjp(VjpContext& context) const override {
    SolveTriangularOptions other = options_;
    other.transpose = !other.transpose;
    const Tensor db = v1::solve_triangular(context.input(0), context.g(), other);
    if (context.wanted(0)) {
      const Tensor x = context.output();
      const Tensor product = options_.transpose ? times_transposed(x, db) : times_transposed(db, x);
      const std::int64_t skipped = options_.unit_diagonal ? 1 : 0;
      const Tensor summed = summed_to(product, context.shape(0));
      context.set(0, -(options_.upper ? upper_part(summed, skipped) : lower_part(summed, -skipped)));
    }
    if (context.wanted(1)) context.set(1, summed_to(db, context.shape(1)));
  }

 private:
  SolveTriangularOptions options_;
};

}}  // namespace detail

Tensor solve_triangular(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options) {
  return detail::of_column(
      b, [&](const Tensor& columns) { return detail::apply(detail::SolveTriangular(options), a, columns); });
}

}  // namespace xtgrad::v1
