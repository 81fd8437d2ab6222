#include "xtgrad/autograd/functions/distance.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/kernels/levels/distance.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The dimensions before those of the points.
Shape sets_of(const Shape& points) { return Shape(std::span(points.begin(), points.rank() - 2)); }

/// Of points that have been checked.
PointSets sizes_of(const Shape& a, const Shape& b) {
  return {.batch = sets_of(a).numel(), .n = a[a.rank() - 2], .m = b[b.rank() - 2], .d = a.back()};
}

void check_points(const Spec& a, const Spec& b) {
  check_floating(OpId::cdist, a);
  check_same_dtype(OpId::cdist, a, b);
  if (a.shape.rank() >= 2 && b.shape.rank() >= 2 && a.shape.back() == b.shape.back()) return;
  throw ShapeError(fmt::format("cdist: needs points [..., n, d] and [..., m, d]: a is {}, b is {}",
                               to_string(a.shape), to_string(b.shape)));
}

/// Throws ShapeError unless there is one set of b for each of a.
void check_same_sets(const Spec& a, const Spec& b) {
  check_points(a, b);
  if (sets_of(a.shape) == sets_of(b.shape)) return;
  throw ShapeError(fmt::format("cdist: needs as many sets of b as of a: a is {}, b is {}", to_string(a.shape),
                               to_string(b.shape)));
}

/// With a dimension of size 1 put in before the last one, or the one before that.
Tensor with_one(const Tensor& x, std::size_t before_last) {
  Shape shape;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (d + before_last == x.rank()) shape.push_back(1);
    shape.push_back(x.shape()[d]);
  }
  return reshaped(x, shape);
}

/// All differences, [..., n, m, d].
Tensor differences(const Tensor& a, const Tensor& b) { return with_one(a, 1) - with_one(b, 2); }

/// The gradient of a, or of b, from g, a, b and the distances.
template <bool OfB>
class CdistRule final : public ConstantPrimitive<CdistRule<OfB>> {
 public:
  [[nodiscard]] std::string_view name() const override { return OfB ? "cdist.rule1" : "cdist.rule0"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[OfB ? 2 : 1]; }
  void eval(Inputs in, Outputs out) const override {
    const PointSets sizes = sizes_of(in[1]->shape, in[2]->shape);
    (OfB ? distances_grad_b : distances_grad_a)(*in[0], *in[1], *in[2], *in[3], sizes, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 3 * in[0]->shape.numel() * in[1]->shape.back();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 4);
    check_same_sets(*in[1], *in[2]);
    const PointSets sizes = sizes_of(in[1]->shape, in[2]->shape);
    Shape y = sets_of(in[1]->shape);
    y.push_back(sizes.n);
    y.push_back(sizes.m);
    require_spec(name(), "g", *in[0], {y, in[1]->dtype, {}});
    require_spec(name(), "the distances", *in[3], {y, in[1]->dtype, {}});
  }
};

/// Of p = 2: no difference is kept.
class Cdist final : public PrimitiveOf<Cdist, OpId::cdist> {
 public:
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_same_sets(*in[0], *in[1]);
    const PointSets sizes = sizes_of(in[0]->shape, in[1]->shape);
    *out[0] = {sets_of(in[0]->shape), in[0]->dtype, {}};
    out[0]->shape.push_back(sizes.n);
    out[0]->shape.push_back(sizes.m);
  }
  void eval(Inputs in, Outputs out) const override {
    distances(*in[0], *in[1], sizes_of(in[0]->shape, in[1]->shape), *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return 3 * out[0]->shape.numel() * in[0]->shape.back();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }

  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1) | output_bit; }
  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    const Tensor a = context.input(0), b = context.input(1), y = context.output();
    if (!thread_state.records() || !(wants_gradient(g) || wants_gradient(a) || wants_gradient(b))) {
      if (context.wanted(0)) context.set(0, apply_constant(CdistRule<false>(), g, a, b, y));
      if (context.wanted(1)) context.set(1, apply_constant(CdistRule<true>(), g, a, b, y));
      return;
    }
    // Of a distance that is 0, g / infinity is 0, and so are its derivatives.
    const Tensor share = g / where(y == 0, std::numeric_limits<double>::infinity(), y);
    Shape each = y.shape();
    each.push_back(1);
    const Tensor terms = reshaped(share, each) * differences(a, b);
    if (context.wanted(0)) context.set(0, sum(terms, {.axes = {-2}}));
    if (context.wanted(1)) context.set(1, neg(sum(terms, {.axes = {-3}})));
  }
};

/// Points for as many sets as the others have.
Tensor for_sets(const Tensor& points, Shape sets) {
  sets.push_back(points.shape()[points.rank() - 2]);
  sets.push_back(points.shape().back());
  return stretched_to(points, sets);
}

}}  // namespace detail

Tensor cdist(const Tensor& a, const Tensor& b, double p) {
  constexpr detail::OpId op = detail::OpId::cdist;
  detail::check_points(detail::array_of(a), detail::array_of(b));
  if (!(p >= 0)) throw ValueError(fmt::format("cdist: p must be at least 0: got {}", p));
  const Shape sets = detail::common_shape(op, detail::sets_of(a.shape()), detail::sets_of(b.shape()));
  if (p != 2) return norm(detail::differences(a, b), {.p = p, .axes = {-1}});
  return detail::apply(detail::Cdist(), detail::for_sets(a, sets), detail::for_sets(b, sets));
}

}  // namespace xtgrad::v1
