#include "xtgrad/autograd/kernels/softmax.h"

#include <fmt/format.h>

#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/kernels/evaluate.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class LogSumExp final : public PrimitiveOf<OpId::logsumexp> {
 public:
  explicit LogSumExp(const ReducedAxes& axes) : axes_(axes) {}
  static Reads reads(Wanted) { return input_bit(0) | output_bit; }

  // logsumexp of logsumexps is the whole one, so axes that are not neighbours take several passes.
  [[nodiscard]] Array forward(const Array& x) const {
    return reduce_axes(x, axes_.mask, axes_.result(x.shape), logsumexp_axis);
  }

  // The softmax, as w / sum(w) with w = e^(x - c), which no constant c changes. c = y keeps w in range; w
  // alone would do in exact arithmetic, but y is rounded, and at |y| = 1000 that costs w three digits. Where
  // y is -inf, so is every x, and the gradient is 0; elements of +inf share it evenly. Both would be inf -
  // inf.
  void vjp(VjpContext& context) const override {
    const Shape kept = axes_.kept(context.shape(0));
    const Tensor y = make_constant(context.output().array().with_shape(kept));
    const auto weight = [](const auto& x, const auto& c) {
      constexpr double inf = std::numeric_limits<double>::infinity();
      return exp(where(x == inf, 0, x - where(c == -inf, 0, c)));
    };
    const auto rule = [](const auto& g, const auto& w, const auto& s) {
      return g * (w / where(s == 0, 1, s));
    };
    const Tensor w = evaluate(to_string(op), weight, context.input(0), y);
    context.set(0, evaluate(to_string(op), rule, reshape(context.g, kept), w, sum_to(w, kept)));
  }
  [[nodiscard]] std::string attributes() const override { return axes_.text(); }

 private:
  ReducedAxes axes_;
};

/// What softmax and log_softmax share. Self offers its kernels, and the rule in two parts: `weigh(g, y)`,
/// whose sum along the axis is `s`, and `rule(g, y, s)`.
template <class Self, OpId Id>
class AlongAxis : public PrimitiveOf<Id> {
 public:
  explicit AlongAxis(std::size_t axis) : axis_(axis) {}
  static Reads reads(Wanted) { return output_bit; }

  [[nodiscard]] Array forward(const Array& x) const {
    Array out = Array::uninitialized(x.shape, x.dtype);
    if (x.numel() != 0) Self::kernel(x, AxisView(x.shape, axis_), out);
    return out;
  }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g;
    const SavedValue y = context.output();
    const AxisView view(y.array().shape, axis_);
    const bool records = thread_state.recording && (wants_gradient(g) || y.requires_grad());
    if (view.inner == 1 && !records) {
      Array out = Array::uninitialized(g.shape(), g.dtype());
      if (out.numel() != 0) Self::vjp_kernel(array_of(g), y.array(), view, out);
      context.set(0, make_constant(std::move(out)));
      return;
    }
    const auto axis = static_cast<std::int64_t>(axis_);
    const auto rule = [](const auto&... v) { return Self::rule(v...); };
    context.set(
        0, evaluate(to_string(Id), rule, g, y, sum(Self::weigh(g, y), {.axes = {axis}, .keepdim = true})));
  }

  [[nodiscard]] std::string attributes() const override { return fmt::format("axis={}", axis_); }

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

struct LogSoftmax final : AlongAxis<LogSoftmax, OpId::log_softmax> {
  using AlongAxis::AlongAxis;
  static constexpr auto kernel = log_softmax_axis;
  static constexpr auto vjp_kernel = log_softmax_vjp_rows;
  static Tensor weigh(const Tensor& g, const Tensor&) { return g; }
  static auto rule(const auto& g, const auto& y, const auto& s) { return g - exp(y) * s; }
};

template <class P>
Tensor apply_along_axis(const Tensor& x, std::int64_t axis) {
  check_floating(P::op, x);
  return apply(P(normalize_axis(to_string(P::op), axis, x.rank())), x);
}

}}  // namespace detail

Tensor logsumexp(const Tensor& x, const ReduceOptions& options) {
  using detail::OpId;
  detail::check_floating(OpId::logsumexp, x);
  const auto axes = detail::reduced_axes(OpId::logsumexp, x.shape(), options.axes, options.keepdim);
  return detail::apply(detail::LogSumExp(axes), x);
}

Tensor softmax(const Tensor& x, std::int64_t axis) {
  return detail::apply_along_axis<detail::Softmax>(x, axis);
}

Tensor log_softmax(const Tensor& x, std::int64_t axis) {
  return detail::apply_along_axis<detail::LogSoftmax>(x, axis);
}

}  // namespace xtgrad::inline v1
