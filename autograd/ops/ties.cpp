#include "xtgrad/autograd/ops/ties.h"

#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/epsilon.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The largest difference that is none, [..., 1].
Tensor tolerance(const Tensor& w, std::int64_t size) {
  return amax(abs(w), {.axes = -1, .keepdim = true}) * (static_cast<double>(size) * epsilon_of(w.dtype()));
}

/// w [..., n] as a row [..., 1, n].
Tensor row_of(const Tensor& w) {
  return reshaped(w, with_sizes(batch_shape(w.shape(), 1), 1, w.shape().back()));
}
Tensor gaps(const Tensor& w) { return row_of(w) - column_of(w); }

/// The first input. Its derivatives in columns whose value, in the second, is tied are NaN.
class GuardedVectors final : public DifferentiablePrimitive<GuardedVectors> {
 public:
  explicit GuardedVectors(std::int64_t size = 0, bool zero = false) : size_(size), zero_(zero) {}

  [[nodiscard]] std::string_view name() const override { return "guarded_vectors"; }
  void describe(Attributes& a) override {
    a("size", size_);
    a("zero", zero_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void eval(Inputs, Outputs) const override {}
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    check_matrices(OpId::eigh, *in[0]);
    check_same_dtype(OpId::eigh, *in[0], *in[1]);
    static_cast<void>(broadcast_shapes(name(), in[0]->shape,
                                       with_sizes(batch_shape(in[1]->shape, 1), 1, in[1]->shape.back())));
  }
  /// Vectors are as many as matrices, and values as many as rows of them.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const std::size_t rank = example_rank(context.input(0));
    if (rank >= Shape::max_rank) return false;
    const Tensor x = repeated(context.input(0), context.size());
    context.set(0, apply(*this, x, aligned(context.input(1), rank - 1)));
    return true;
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }
  void vjp(VjpContext& context) const override {
    if (!context.wanted(0)) return;
    const Tensor w = Tensor(context.input(1)).detach();
    Tensor tied = any_of(tied_pairs(w, size_));
    if (zero_) tied = where(less_equal(abs(w), tolerance(w, size_)), 1, tied);
    // A product, so that whatever the cotangent is becomes NaN.
    const Tensor factor = where(equal(tied, 0), 1, std::numeric_limits<double>::quiet_NaN()).to(w.dtype());
    context.set(0, scale_columns(context.g(), factor));
  }

 private:
  /// 1 in the columns where one is true, else 0.
  static Tensor any_of(const Tensor& pairs) { return amax(where(pairs, 1, 0), {.axes = -2}); }

  std::int64_t size_;
  bool zero_;
};

}  // namespace

Tensor tied_pairs(const Tensor& w, std::int64_t size) {
  const Tensor values = w.detach();
  const Tensor limit = column_of(tolerance(values, size));
  return where(diagonal_mask(w.shape().back()), zeros({}, {.dtype = boolean}),
               less_equal(abs(gaps(values)), limit));
}

Tensor inverse_gaps(const Tensor& w, const Tensor& tied) {
  const Tensor diagonal = diagonal_mask(w.shape().back());
  // 1 in place of what must not be divided by.
  const Tensor safe = where(diagonal, 1, where(tied, 1, gaps(w)));
  return where(tied, 0, 1 / safe);
}

Tensor inverse_square_gaps(const Tensor& w, const Tensor& tied) {
  const Tensor skipped = where(diagonal_mask(w.shape().back()), ones({}, {.dtype = boolean}), tied);
  const Tensor safe = where(skipped, 1, gaps(w) * (row_of(w) + column_of(w)));
  return where(skipped, 0, 1 / safe);
}

Tensor inverse_values(const Tensor& w, std::int64_t size) {
  const Tensor values = w.detach();
  const Tensor none = less_equal(abs(values), tolerance(values, size));
  return where(none, 0, 1 / where(none, 1, w));
}

Tensor guarded_vectors(const Tensor& x, const Tensor& w, std::int64_t size, bool zero) {
  return apply(GuardedVectors(size, zero), x, w);
}

}  // namespace xtgrad::v1::detail
