#include "xtgrad/autograd/kernels/eigen.h"
#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/ties.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The gradient of a, v inner v', which is symmetric.
Tensor from_basis(const Tensor& v, const Tensor& inner) {
  return symmetric_part(times_transposed(matmul(v, inner), v));
}

class EighParts final : public PrimitiveOf<EighParts, OpId::eigh> {
 public:
  [[nodiscard]] Counts counts(InputSpecs) const override { return {2, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const override { return 0b11; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = {batch_shape(in[0]->shape, 1), in[0]->dtype};
    *out[1] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override { eigh(to_string(op), *in[0], *out[0], out[1]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 9 * in[0]->shape.numel() * in[0]->shape.back();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  // In the basis of the vectors, dw is the diagonal of da, and v'dv is da, divided by the differences of
  // eigenvalues.
  void vjp(VjpContext& context) const override {
    if (context.shape(0).back() == 0) return set_zeros(context);
    const Tensor w = context.output(0);
    const std::int64_t n = w.shape().back();
    const Tensor v = guarded_vectors(context.output(1), w, n);
    Tensor inner;
    if (context.g(0).defined()) inner = diagonal_matrices(context.g(0));
    if (context.g(1).defined()) {
      const Tensor product = transposed_times(v, context.g(1));
      // Half of what is symmetric goes: `from_basis` keeps the symmetric part of the quotients.
      const Tensor turned = (product - transposed(product)) * 0.5;
      inner = sum_of_defined(inner, turned * inverse_gaps(w, tied_pairs(w, n)));
    }
    context.set(0, from_basis(v, inner));
  }
};

class Eigvalsh final : public PrimitiveOf<Eigvalsh, OpId::eigvalsh> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = {batch_shape(in[0]->shape, 1), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { eigh(to_string(op), *in[0], *out[0], nullptr); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return in[0]->shape.numel() * in[0]->shape.back() * 4 / 3;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  // Vectors cost several times what values do, so they are left to the rule.
  void vjp(VjpContext& context) const override {
    if (context.shape(0).back() == 0) return set_zeros(context);
    const auto [w, v] = v1::eigh(context.input(0));
    const Tensor guarded = guarded_vectors(v, w, w.shape().back());
    context.set(0, from_basis(guarded, diagonal_matrices(context.g())));
  }
};

}}  // namespace detail

Eigh eigh(const Tensor& a) {
  const Tensor* const input = &a;
  std::vector<Tensor> parts = detail::apply_all(detail::EighParts{}, std::span(&input, 1));
  return {std::move(parts[0]), std::move(parts[1])};
}

Tensor eigvalsh(const Tensor& a) { return detail::apply(detail::Eigvalsh{}, a); }

}  // namespace xtgrad::v1
