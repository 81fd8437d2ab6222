#include "xtgrad/autograd/kernels/softmax.h"

#include <fmt/format.h>

#include <limits>

#include "xtgrad/autograd/kernels/lanes_exp_both.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class LogSumExp final : public PrimitiveOf<LogSumExp, OpId::logsumexp> {
 public:
  explicit LogSumExp(const ReducedAxes& axes) : axes_(axes) {}

  void describe(Attributes& a) override { axes_.describe(a); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | output_bit; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = axes_.result(in[0]->shape);
  }
  // logsumexp of logsumexps is the whole one, so axes that are not neighbours take several passes.
  void eval(Inputs in, Outputs out) const override {
    reduce_axes(*in[0], axes_.mask, logsumexp_axis, *out[0]);
  }
  /// Largest, difference, exponential, sum.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }

  // The softmax, as w / sum(w) with w = e^(x - c), which no constant c changes. c = y keeps w in range; w
  // alone would do in exact arithmetic, but y is rounded, and at |y| = 1000 that costs w three digits. Where
  // y is -inf, so is every x, and the gradient is 0; elements of +inf share it evenly. Both would be inf -
  // inf.
  void vjp(VjpContext& context) const override {
    const Shape kept = axes_.kept(context.shape(0));
    const Tensor y = make_constant(context.output().array().with_shape(kept));
    const Tensor w = evaluate<1>(*this, context.input(0), y);
    context.set(0, evaluate<0>(*this, reshaped(context.g(), kept), w, summed_to(w, kept)));
  }
  static auto formula(Index<0>, const auto& g, const auto& w, const auto& s) {
    return g * (w / where(s == 0, 1, s));
  }
  static auto formula(Index<1>, const auto& x, const auto& c) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return exp(where(x == inf, 0, x - where(c == -inf, 0, c)));
  }

 private:
  ReducedAxes axes_;
};

/// The rule of softmax or log_softmax along an innermost axis in one visit to each row, of the cotangent and
/// the output.
template <class P>
class RowsRule final : public ConstantPrimitive<RowsRule<P>> {
 public:
  explicit RowsRule(std::size_t axis) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] std::string_view name() const override {
    return {rule_name<P::op, 1>.data(), rule_name<P::op, 1>.size()};
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = in[0]->shape;
    if (shape.numel() != 0) P::vjp_kernel(*in[0], *in[1], AxisView(shape, axis_), *out[0]);
  }
  /// A product or exponential, a sum, a difference, a product.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }

 private:
  std::size_t axis_;
};

/// What softmax and log_softmax share. Self offers its kernels, and the rule in two parts: `weigh(g, y)`,
/// whose sum along the axis is `s`, and `rule(g, y, s)`.
///
/// Two rules after all: along an innermost axis, where nothing records, a kernel reads each row once instead
/// of three times. The walk compares them to a few ulps.
template <class Self, OpId Id>
class AlongAxis : public PrimitiveOf<Self, Id> {
 public:
  explicit AlongAxis(std::size_t axis) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Reads reads(Wanted) const override { return output_bit; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(Id, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->shape.numel() != 0) Self::kernel(*in[0], AxisView(in[0]->shape, axis_), *out[0]);
  }
  /// Largest, difference, exponential, sum, and a quotient or another difference.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 5 * in[0]->shape.numel();
  }

  auto formula(Index<0>, const auto&... v) const { return Self::rule(v...); }
  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    // Along an axis of 0 the sums below would be more than nothing.
    if (g.numel() == 0) return context.set(0, g);
    const SavedValue y = context.output();
    const bool records = thread_state.records() && (wants_gradient(g) || y.requires_grad());
    if (AxisView(y.array().shape, axis_).inner == 1 && !records) {
      context.set(0, apply_constant(RowsRule<Self>(axis_), g, y));
      return;
    }
    const auto axis = static_cast<std::int64_t>(axis_);
    const auto& self = static_cast<const Self&>(*this);
    context.set(0, evaluate(self, g, y, sum(Self::weigh(g, y), {.axes = {axis}, .keepdim = true})));
  }

 protected:
  ~AlongAxis() = default;

 private:
  std::size_t axis_;
};

struct Softmax final : AlongAxis<Softmax, OpId::softmax> {
  using AlongAxis::AlongAxis;
  static constexpr auto kernel = softmax_axis;
  static constexpr auto vjp_kernel = softmax_vjp_rows;
  static Tensor weigh(const Tensor& g, const Tensor& y) { return g * y; }
  static auto rule(const auto& g, const auto& y, const auto& s) { return y * (g - s); }
};

/// What `exp_both` is on lanes, as steps that can be recorded.
ExpBoth<Tensor> exp_both(const Tensor& x) { return {exp(x), expm1(x)}; }

struct LogSoftmax final : AlongAxis<LogSoftmax, OpId::log_softmax> {
  using AlongAxis::AlongAxis;
  static constexpr auto kernel = log_softmax_axis;
  static constexpr auto vjp_kernel = log_softmax_vjp_rows;
  static Tensor weigh(const Tensor& g, const Tensor&) { return g; }
  static auto rule(const auto& g, const auto& y, const auto& s) {
    return log_softmax_gradient(g, exp_both(y), s);
  }
};

template <class P>
Tensor apply_along_axis(const Tensor& x, std::int64_t axis) {
  return apply(P(normalize_axis(to_string(P::op), axis, x.rank())), x);
}

}}  // namespace detail

Tensor logsumexp(const Tensor& x, const ReduceOptions& options) {
  using detail::OpId;
  const auto axes = detail::reduced_axes(OpId::logsumexp, x.shape(), options.axes, options.keepdim);
  return detail::apply(detail::LogSumExp(axes), x);
}

Tensor softmax(const Tensor& x, std::int64_t axis) {
  return detail::apply_along_axis<detail::Softmax>(x, axis);
}

Tensor log_softmax(const Tensor& x, std::int64_t axis) {
  return detail::apply_along_axis<detail::LogSoftmax>(x, axis);
}

}  // namespace xtgrad::v1
