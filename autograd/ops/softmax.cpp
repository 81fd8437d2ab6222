#include "xtgrad/autograd/ops/softmax.h"

#include <fmt/format.h>

#include <bit>
#include <type_traits>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/reduction.h"
#include "xtgrad/autograd/kernels/levels/softmax.h"
#include "xtgrad/autograd/kernels/levels/softmax_rules.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/merged_axes.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// The softmax over several axes at once.
Tensor softmax_over(const Tensor& x, AxisMask axes) {
  if (std::has_single_bit(axes)) return softmax(x, std::countr_zero(axes));
  return with_parted_axes(softmax(with_merged_axes(x, axes), -1), x.shape(), axes);
}

/// The gradient of logsumexp along one run of axes in one kernel, of g, x and the scales of its rows.
class LogSumExpRule final : public ConstantPrimitive<LogSumExpRule> {
 public:
  explicit LogSumExpRule(const ReducedAxes& axes = {}) : axes_(axes) {}

  // Not rule0, which is the recorded rule's part: that of other operands.
  [[nodiscard]] std::string_view name() const override { return "logsumexp.row_rule0"; }
  void describe(Attributes& a) override { axes_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    logsumexp_vjp_axis(*in[0], *in[1], *in[2], *one_run(in[1]->shape, axes_.mask), *out[0]);
  }
  /// A difference, an exponential, a product.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 3 * in[1]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*with_moved_axes(*this, context.size()), context, {in_front, in_front, 1},
                            {in_front});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 3);
    require_floating(name(), in.first(2));
    const Shape& x = in[1]->shape;
    axes_.check_loaded(name(), x);
    if (x.numel() == 0 || !one_run(x, axes_.mask))
      throw ShapeError(fmt::format("{}: its axes must be one run: x is {}", name(), to_string(x)));
    require_spec(name(), "g", *in[0], {axes_.result(x), in[1]->dtype, {}});
    require_spec(name(), "scales", *in[2], {Shape{2, in[0]->shape.numel()}, Dtype::float64, {}});
  }

 private:
  ReducedAxes axes_;
};

/// Its auxiliary are the scales of its rows (kernels/levels/softmax.h), so that the rule needs one
/// exponential for each element; of nothing where the axes are no single run.
///
/// Two rules: where nothing records, and along one run of axes, one kernel makes the gradient of the scales;
/// the recorded rule makes the softmax a function of x again. The walk compares them to a few ulps.
class LogSumExp final : public PrimitiveOf<LogSumExp, OpId::logsumexp> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit LogSumExp(const ReducedAxes& axes = {}) : axes_(axes) {}

  void describe(Attributes& a) override { axes_.describe(a); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | output_bit; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = axes_.result(in[0]->shape);
    *out[1] = {Shape{2, has_scales(in[0]->shape) ? out[0]->shape.numel() : 0}, Dtype::float64};
  }
  // logsumexp of logsumexps is the whole one, so axes that are not neighbours take several passes.
  void eval(Inputs in, Outputs out) const override {
    const Array& x = *in[0];
    if (out[1] != nullptr && has_scales(x.shape)) {
      logsumexp_and_scales(x, *one_run(x.shape, axes_.mask), *out[0], *out[1]);
    } else {
      reduce_axes(x, axes_.mask, logsumexp_axis, *out[0]);
    }
  }
  /// Largest, difference, exponential, sum.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    axes_.check_loaded(name(), in[0]->shape);
  }

  // The softmax, whose derivatives keep their digits where one term outweighs the others. Where y is -inf, so
  // is every x, and the gradient is 0; elements of +inf share it evenly. Both would be inf - inf.
  void vjp(VjpContext& context) const override {
    const bool records =
        thread_state.records() && (wants_gradient(context.g()) || wants_gradient(context.input(0)));
    if (!records && has_scales(context.shape(0))) {
      Array gradient;
      compute(LogSumExpRule(axes_),
              std::array{&array_of(context.g()), &context.input(0).array(), &context.auxiliary()},
              std::array{&gradient});
      context.set(0, make_constant(std::move(gradient)));
      return;
    }
    const Shape kept = axes_.kept(context.shape(0));
    const Tensor y = make_constant(context.output().array().with_shape(kept));
    const Tensor weights = softmax_over(evaluate<1>(*this, context.input(0), y), axes_.mask);
    context.set(0, evaluate<0>(*this, reshaped(context.g(), kept), weights, y));
  }
  [[nodiscard]] static formulas::LogSumExp formula() { return {}; }
  template <int K>
  using RulePart = std::conditional_t<K == 0, RuleA, RuleB>;

 private:
  /// Not of arrays without elements, whose rule has nothing to do.
  [[nodiscard]] bool has_scales(const Shape& x) const {
    return x.numel() != 0 && one_run(x, axes_.mask).has_value();
  }

  ReducedAxes axes_;
};

/// v - sum(v p) along an axis, where the p are probabilities: counted from the v of one near 1, so that the
/// others' part keeps its digits.
Tensor less_mean(const Tensor& v, const Tensor& p, std::int64_t axis) {
  const ReduceOptions along{.axes = {axis}, .keepdim = true};
  const Tensor beside_first = v - sum(where(p > dominant_probability, v, 0), along);
  return beside_first - sum(beside_first * p, along);
}

/// The rule of softmax or log_softmax, of the cotangent and the output. It has a rule of its own: a
/// composition would be differentiated term by term, and where a probability is near 1 these terms cancel.
/// P offers its kernel, and how the result depends on the cotangent and on the output.
template <class P>
class AxisRule final : public DifferentiablePrimitive<AxisRule<P>> {
 public:
  explicit AxisRule(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] std::string_view name() const override {
    return {rule_name<P::op, 1>.data(), rule_name<P::op, 1>.size()};
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = in[0]->shape;
    if (shape.numel() != 0) P::vjp_kernel(*in[0], *in[1], AxisView(shape, axis_), *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 2);
    require_floating(name(), in);
    require_spec(name(), "the output", *in[1], *in[0]);
    require_axis(name(), axis_, in[0]->shape);
  }
  /// A product or exponential, a sum, a difference, a product.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 1) ? input_bit(0) | input_bit(1) : input_bit(1);
  }
  void vjp(VjpContext& context) const override {
    const Tensor& u = context.g();
    const bool nothing = u.numel() == 0;
    if (context.wanted(0)) context.set(0, nothing ? u : P::in_cotangent(u, context.input(1), axis_));
    if (context.wanted(1)) {
      context.set(1, nothing ? u : P::in_output(u, context.input(0), context.input(1), axis_));
    }
  }

 private:
  std::size_t axis_;
};

/// What softmax and log_softmax share. Self offers its kernels, and the two parts of its rule's rule.
template <class Self, OpId Id>
class AlongAxis : public PrimitiveOf<Self, Id> {
 public:
  explicit AlongAxis(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Reads reads(Wanted) const override { return output_bit; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(Id, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->shape.numel() != 0) Self::kernel(*in[0], AxisView(in[0]->shape, axis_), *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    require_axis(this->name(), axis_, in[0]->shape);
  }
  /// Largest, difference, exponential, sum, and a quotient or another difference.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 5 * in[0]->shape.numel();
  }
  void vjp(VjpContext& context) const override {
    context.set(0, apply(AxisRule<Self>(axis_), context.g(), Tensor(context.output())));
  }

 protected:
  ~AlongAxis() = default;

 private:
  std::size_t axis_;
};

struct Softmax final : AlongAxis<Softmax, OpId::softmax> {
  using AlongAxis::AlongAxis;
  static constexpr auto kernel = softmax_axis;
  static constexpr auto vjp_kernel = softmax_vjp_axis;
  // y (g - sum(g y)) is linear in g by a symmetric matrix.
  static Tensor in_cotangent(const Tensor& u, const Tensor& y, std::size_t axis) {
    return apply(AxisRule<Softmax>(axis), u, y);
  }
  static Tensor in_output(const Tensor& u, const Tensor& g, const Tensor& y, std::size_t axis) {
    const auto along = static_cast<std::int64_t>(axis);
    return u * less_mean(g, y, along) - g * sum(u * y, {.axes = {along}, .keepdim = true});
  }
};

struct LogSoftmax final : AlongAxis<LogSoftmax, OpId::log_softmax> {
  using AlongAxis::AlongAxis;
  static constexpr auto kernel = log_softmax_axis;
  static constexpr auto vjp_kernel = log_softmax_vjp_axis;
  // of g - e^y sum(g)
  static Tensor in_cotangent(const Tensor& u, const Tensor& y, std::size_t axis) {
    return less_mean(u, exp(y), static_cast<std::int64_t>(axis));
  }
  static Tensor in_output(const Tensor& u, const Tensor& g, const Tensor& y, std::size_t axis) {
    return -(u * exp(y)) * sum(g, {.axes = {static_cast<std::int64_t>(axis)}, .keepdim = true});
  }
};

template <class P>
Tensor apply_along_axis(const Tensor& x, std::int64_t axis) {
  return apply(P(normalize_axis(to_string(P::op), axis, x.rank())), x);
}

}  // namespace

Tensor log_softmax_vjp(const Tensor& g, const Tensor& y, std::size_t axis) {
  return apply(AxisRule<LogSoftmax>(axis), g, y);
}

}  // namespace detail

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
