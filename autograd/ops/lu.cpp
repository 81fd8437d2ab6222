#include <algorithm>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/kernels/cofactors.h"
#include "xtgrad/autograd/kernels/lu.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

Tensor solve_factored(const Tensor& a, const Tensor& lu, const Tensor& pivots, const Tensor& b,
                      bool transpose);

/// Gradients of x, of a x = b or a' x = b, whose cotangent solved for is db.
void set_gradients(VjpContext& context, std::size_t b, const Tensor& db, const Tensor& x, bool transpose) {
  if (context.wanted(0)) {
    const Tensor product = transpose ? times_transposed(x, db) : times_transposed(db, x);
    context.set(0, -summed_to(product, context.shape(0)));
  }
  if (context.wanted(b)) context.set(b, summed_to(db, context.shape(b)));
}

/// Its auxiliaries are the LU decomposition of a and its pivots: derivatives of every order are solutions of
/// equations with the same matrix.
class Solve final : public PrimitiveOf<Solve, OpId::solve> {
 public:
  static constexpr std::size_t auxiliaries = 2;

  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return input_bit(0) | (is_wanted(wanted, 0) ? output_bit : reads_nothing);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {check_equations(op, *in[0], *in[1]), in[0]->dtype};
    *out[1] = *in[0];
    *out[2] = {batch_shape(in[0]->shape, 1), Dtype::int32};
  }
  void eval(Inputs in, Outputs out) const override {
    Array own_lu, own_pivots;
    Array* lu = out[1];
    Array* pivots = out[2];
    if (lu == nullptr) {
      own_lu = Array::uninitialized(in[0]->shape, in[0]->dtype);
      lu = &own_lu;
    }
    if (pivots == nullptr) {
      own_pivots = Array::uninitialized(batch_shape(in[0]->shape, 1), Dtype::int32);
      pivots = &own_pivots;
    }
    lu_factor(to_string(op), *in[0], *lu, *pivots);
    copy_broadcast(*in[1], *out[0]);
    lu_solve_factored(*lu, *pivots, false, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    const std::int64_t n = in[0]->shape.back();
    return in[0]->shape.numel() * n * 2 / 3 + 2 * out[0]->shape.numel() * n;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void vjp(VjpContext& context) const override {
    const Tensor lu = make_constant(Array(context.auxiliary(0)));
    const Tensor pivots = make_constant(Array(context.auxiliary(1)));
    const Tensor db = solve_factored(context.input(0), lu, pivots, context.g(), true);
    set_gradients(context, 1, db, context.wanted(0) ? Tensor(context.output()) : Tensor(), false);
  }
};

/// The same, of a or its transpose, by a decomposition that is there: a is an input for its derivatives
/// alone.
class SolveFactored final : public DifferentiablePrimitive<SolveFactored> {
 public:
  explicit SolveFactored(bool transpose = false) : transpose_(transpose) {}

  [[nodiscard]] std::string_view name() const override { return "solve_factored"; }
  void describe(Attributes& a) override { a("transpose", transpose_, false); }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return input_bit(0) | input_bit(1) | input_bit(2) | (is_wanted(wanted, 0) ? output_bit : reads_nothing);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {check_equations(OpId::solve, *in[0], *in[3]), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    copy_broadcast(*in[3], *out[0]);
    lu_solve_factored(*in[1], *in[2], transpose_, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return 2 * out[0]->shape.numel() * in[0]->shape.back();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 4);
    check_square(OpId::solve, *in[0]);
    require_spec(name(), "lu", *in[1], *in[0]);
    require_spec(name(), "pivots", *in[2], {batch_shape(in[0]->shape, 1), Dtype::int32, {}});
  }
  /// The matrix and its decomposition are of one shape.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    std::size_t rank = 0;
    bool any = false;
    for (std::size_t i = 0; i < 4; ++i) rank = std::max(rank, example_rank(context.input(i)));
    if (rank >= Shape::max_rank) return false;
    for (std::size_t i = 0; i < 3; ++i) any = any || context.input(i).is_batched;
    const auto part = [&](std::size_t i, std::size_t own) {
      const BatchInput& input = context.input(i);
      return any ? aligned({repeated(input, context.size()), true}, own) : input.tensor;
    };
    context.set(
        0, apply(*this, part(0, rank), part(1, rank), part(2, rank - 1), aligned(context.input(3), rank)));
    return true;
  }
  void vjp(VjpContext& context) const override {
    const Tensor db =
        solve_factored(context.input(0), context.input(1), context.input(2), context.g(), !transpose_);
    set_gradients(context, 3, db, context.wanted(0) ? Tensor(context.output()) : Tensor(), transpose_);
  }

 private:
  bool transpose_;
};

Tensor solve_factored(const Tensor& a, const Tensor& lu, const Tensor& pivots, const Tensor& b,
                      bool transpose) {
  return apply(SolveFactored(transpose), a, lu, pivots, b);
}

/// `allow_singular`: the inverse of a singular matrix is NaN, for a gradient that is so by definition.
class Inverse final : public PrimitiveOf<Inverse, OpId::inverse> {
 public:
  explicit Inverse(bool allow_singular = false) : allow_singular_(allow_singular) {}

  void describe(Attributes& a) override { a("allow_singular", allow_singular_, false); }
  [[nodiscard]] Reads reads(Wanted) const override { return output_bit; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override { inverse(*in[0], allow_singular_, *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * in[0]->shape.numel() * in[0]->shape.back();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  // d(a^-1) = -a^-1 da a^-1
  void vjp(VjpContext& context) const override {
    const Tensor y = context.output();
    context.set(0, -times_transposed(transposed_times(y, context.g()), y));
  }

 private:
  bool allow_singular_;
};

/// a'^-1, the gradient of log |det a|; NaN for a singular matrix.
Tensor inverse_or_nan_transposed(const Tensor& a) { return transposed(apply(Inverse(true), a)); }

/// Sums of a * b over each matrix, as a factor of matrices.
Tensor inner_products(const Tensor& a, const Tensor& b) {
  const Tensor product = a * b;
  const std::int64_t rank = static_cast<std::int64_t>(product.rank());
  return sum(product, {.axes = {rank - 2, rank - 1}, .keepdim = true});
}

/// The derivative of the cofactors of a along h: linear in h, and its own adjoint there, as the second
/// derivative of a function is.
class CofactorsAlong final : public DifferentiablePrimitive<CofactorsAlong> {
 public:
  [[nodiscard]] std::string_view name() const override { return "cofactors_along"; }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return input_bit(0) | (is_wanted(wanted, 0) ? input_bit(1) : reads_nothing);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override { cofactors_along(*in[0], *in[1], *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 30 * in[0]->shape.numel() * in[0]->shape.back();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    check_square(OpId::det, *in[0]);
    require_spec(name(), "h", *in[1], *in[0]);
  }
  void vjp(VjpContext& context) const override;
};

// With w = a'^-1 and d = det a it is d (<w, h> w - w h' w), and <it, g> = d (<w, h> <w, g> - tr(h' w g' w)),
// whose derivative in a is below. Third derivatives alone divide by what is 0 in a singular matrix, and are
// NaN there.
void CofactorsAlong::vjp(VjpContext& context) const {
  const Tensor a = context.input(0);
  const Tensor& g = context.g();
  if (context.wanted(1)) context.set(1, apply(CofactorsAlong{}, a, g));
  if (!context.wanted(0)) return;
  const Tensor h = context.input(1);
  const Tensor w = inverse_or_nan_transposed(a);
  const Tensor whw = matmul(times_transposed(w, h), w);
  const Tensor wgw = matmul(times_transposed(w, g), w);
  const Tensor along_h = inner_products(w, h);
  const Tensor along_g = inner_products(w, g);
  const Tensor second = along_h * along_g - inner_products(h, wgw);
  const Tensor mixed = matmul(times_transposed(wgw, h), w) + matmul(times_transposed(whw, g), w);
  context.set(0, as_factor(v1::det(a)) * (second * w - along_g * whw - along_h * wgw + mixed));
}

/// The gradient of the determinant.
class Cofactors final : public DifferentiablePrimitive<Cofactors> {
 public:
  [[nodiscard]] std::string_view name() const override { return "cofactors"; }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override { cofactors(*in[0], *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 24 * in[0]->shape.numel() * in[0]->shape.back();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    check_square(OpId::det, *in[0]);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, apply(CofactorsAlong{}, Tensor(context.input(0)), context.g()));
  }
};

class Det final : public PrimitiveOf<Det, OpId::det> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = {batch_shape(in[0]->shape), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { determinant(*in[0], *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return in[0]->shape.numel() * in[0]->shape.back() * 2 / 3;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void vjp(VjpContext& context) const override {
    context.set(0, as_factor(context.g()) * apply(Cofactors{}, Tensor(context.input(0))));
  }
};

class SignAndLogDet final : public PrimitiveOf<SignAndLogDet, OpId::slogdet> {
 public:
  [[nodiscard]] Counts counts(InputSpecs) const override { return {2, 0}; }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_square(op, *in[0]);
    *out[0] = *out[1] = {batch_shape(in[0]->shape), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { sign_and_log_of_determinant(*in[0], *out[0], *out[1]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return in[0]->shape.numel() * in[0]->shape.back() * 2 / 3;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  // The sign is constant wherever it has a derivative.
  void vjp(VjpContext& context) const override {
    if (!context.g(1).defined()) return set_zeros(context);
    context.set(0, as_factor(context.g(1)) * inverse_or_nan_transposed(context.input(0)));
  }
};

class LuParts final : public PrimitiveOf<LuParts, OpId::lu> {
 public:
  [[nodiscard]] Counts counts(InputSpecs) const override { return {3, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const override { return 0b111; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_matrices(op, *in[0]);
    const Shape& a = in[0]->shape;
    const std::int64_t k = std::min(rows_of(a), a.back());
    *out[0] = {with_sizes(batch_shape(a), rows_of(a), rows_of(a)), in[0]->dtype};
    *out[1] = {with_sizes(batch_shape(a), rows_of(a), k), in[0]->dtype};
    *out[2] = {with_sizes(batch_shape(a), k, a.back()), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override { lu_parts(*in[0], *out[0], *out[1], *out[2]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return in[0]->shape.numel() * std::min(rows_of(in[0]->shape), in[0]->shape.back()) * 2 / 3;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void vjp(VjpContext& context) const override;
};

// p'a = l u. What of l or u lies beside the square of the first k rows and columns follows from it by l u2 =
// (p'a)2, or l2 u = (p'a)2, and of the square itself l^-1 d(p'a) u^-1 = l^-1 dl + du u^-1, whose triangles
// are known to be the one's or the other's.
void LuParts::vjp(VjpContext& context) const {
  const Tensor l = context.output(1);
  const Tensor u = context.output(2);
  const std::int64_t m = rows_of(l.shape());
  const std::int64_t n = u.shape().back();
  const std::int64_t k = std::min(m, n);
  const Tensor l1 = row_range(l, 0, k);
  const Tensor u1 = column_range(u, 0, k);
  const SolveTriangularOptions by_l{.transpose = true, .unit_diagonal = true};
  // x u1'^-1, by its transpose.
  const auto behind_u = [&](const Tensor& x) {
    return transposed(v1::solve_triangular(u1, transposed(x), {.upper = true}));
  };
  const auto or_zeros = [](const Tensor& g, const Tensor& like) {
    return g.defined() ? g : zeros(like.shape(), {.dtype = like.dtype()});
  };
  const Tensor gl = or_zeros(context.g(1), l);
  const Tensor gu = or_zeros(context.g(2), u);
  Tensor gl1 = row_range(gl, 0, k);
  Tensor gu1 = column_range(gu, 0, k);
  Tensor beside;
  if (n > k) {
    beside = v1::solve_triangular(l1, column_range(gu, k, n), by_l);
    gl1 = gl1 - times_transposed(beside, column_range(u, k, n));
  } else if (m > k) {
    beside = behind_u(row_range(gl, k, m));
    gu1 = gu1 - transposed_times(row_range(l, k, m), beside);
  }
  const Tensor inner = where(lower_mask(k, k, -1), transposed_times(l1, gl1), times_transposed(gu1, u1));
  Tensor square = behind_u(v1::solve_triangular(l1, inner, by_l));
  const std::int64_t rank = static_cast<std::int64_t>(square.rank());
  if (beside.defined()) square = concat({square, beside}, n > k ? rank - 1 : rank - 2);
  context.set(0, matmul(context.output(0).detach(), square));
}

}}  // namespace detail

Tensor solve(const Tensor& a, const Tensor& b) {
  return detail::of_column(b,
                           [&](const Tensor& columns) { return detail::apply(detail::Solve{}, a, columns); });
}

Tensor inverse(const Tensor& a) { return detail::apply(detail::Inverse{}, a); }

Tensor det(const Tensor& a) { return detail::apply(detail::Det{}, a); }

Slogdet slogdet(const Tensor& a) {
  const Tensor* const input = &a;
  std::vector<Tensor> both = detail::apply_all(detail::SignAndLogDet{}, std::span(&input, 1));
  return {std::move(both[0]), std::move(both[1])};
}

Lu lu(const Tensor& a) {
  const Tensor* const input = &a;
  std::vector<Tensor> parts = detail::apply_all(detail::LuParts{}, std::span(&input, 1));
  return {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

}  // namespace xtgrad::v1
