#include <fmt/format.h>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/evaluate.h"
#include "xtgrad/autograd/kernels/sum.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Sum final : public PrimitiveOf<OpId::sum> {
 public:
  explicit Sum(const ReducedAxes& axes) : axes_(axes) {}
  static Reads reads(Wanted) { return reads_nothing; }

  [[nodiscard]] Array forward(const Array& x) const {
    return reduce_axes(x, axes_.mask, axes_.result(x.shape), sum_axis);
  }
  void vjp(VjpContext& context) const override {
    const Shape& shape = context.shape(0);
    context.set(0, broadcast_to(reshape(context.g, axes_.kept(shape)), shape));
  }
  [[nodiscard]] std::string attributes() const override { return axes_.text(); }

 private:
  ReducedAxes axes_;
};

class Mean final : public PrimitiveOf<OpId::mean> {
 public:
  explicit Mean(const ReducedAxes& axes) : axes_(axes) {}
  static Reads reads(Wanted) { return reads_nothing; }

  [[nodiscard]] Array forward(const Array& x) const {
    const Array total = reduce_axes(x, axes_.mask, axes_.result(x.shape), sum_axis);
    const auto count = static_cast<double>(axes_.count(x.shape));
    return map(
        to_string(op), [count](const auto& v) { return v / count; }, total);
  }
  // Divided while it is small, then repeated.
  void vjp(VjpContext& context) const override {
    const Shape& shape = context.shape(0);
    const Tensor share = context.g / static_cast<double>(axes_.count(shape));
    context.set(0, broadcast_to(reshape(share, axes_.kept(shape)), shape));
  }
  [[nodiscard]] std::string attributes() const override { return axes_.text(); }

 private:
  ReducedAxes axes_;
};

class Amax final : public PrimitiveOf<OpId::amax> {
 public:
  explicit Amax(const ReducedAxes& axes) : axes_(axes) {}
  static Reads reads(Wanted) { return input_bit(0) | output_bit; }

  [[nodiscard]] Array forward(const Array& x) const {
    return reduce_axes(x, axes_.mask, axes_.result(x.shape), max_axis);
  }

  // Who ties is piecewise constant: to the rule's own derivatives x and y are constants.
  // `v != v` finds the winners where y is NaN; elsewhere no x is NaN.
  void vjp(VjpContext& context) const override {
    const Tensor x = make_constant(context.input(0).array());
    const Shape kept = axes_.kept(x.shape());
    const Tensor y = make_constant(context.output().array().with_shape(kept));
    const auto is_winner = [](const auto& v, const auto& w) { return where(v == w, 1, where(v != v, 1, 0)); };
    const Array winners = map(to_string(op), is_winner, array_of(x), array_of(y));
    const Tensor ties = make_constant(reduce_axes(winners, axes_.mask, kept, sum_axis));
    const auto rule = [](const auto& g, const auto& v, const auto& w, const auto& n) {
      const auto share = g / n;
      return where(v == w, share, where(v != v, share, 0));
    };
    context.set(0, evaluate(to_string(op), rule, reshape(context.g, kept), x, y, ties));
  }
  [[nodiscard]] std::string attributes() const override { return axes_.text(); }

 private:
  ReducedAxes axes_;
};

/// As in NumPy, a largest of nothing is an error only where the result would need one.
void check_not_empty(OpId op, const Shape& shape, const ReducedAxes& axes) {
  if (axes.count(shape) != 0 || axes.result(shape).numel() == 0) return;
  throw ShapeError(fmt::format("{}: no elements to choose from: x is {}, {}", to_string(op), to_string(shape),
                               axes.text()));
}

}}  // namespace detail

using detail::OpId;

Tensor sum(const Tensor& x, const ReduceOptions& options) {
  detail::check_numeric(OpId::sum, x);
  return detail::apply(detail::Sum(detail::reduced_axes(OpId::sum, x.shape(), options.axes, options.keepdim)),
                       x);
}

Tensor mean(const Tensor& x, const ReduceOptions& options) {
  detail::check_floating(OpId::mean, x);
  return detail::apply(
      detail::Mean(detail::reduced_axes(OpId::mean, x.shape(), options.axes, options.keepdim)), x);
}

Tensor amax(const Tensor& x, const ReduceOptions& options) {
  detail::check_numeric(OpId::amax, x);
  const auto axes = detail::reduced_axes(OpId::amax, x.shape(), options.axes, options.keepdim);
  detail::check_not_empty(OpId::amax, x.shape(), axes);
  return detail::apply(detail::Amax(axes), x);
}

Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim) {
  detail::check_numeric(OpId::argmax, x);
  const Shape& shape = x.shape();
  const auto axes = detail::reduced_axes(OpId::argmax, shape, {&axis, 1}, keepdim);
  detail::check_not_empty(OpId::argmax, shape, axes);
  detail::Array out = detail::Array::uninitialized(axes.result(shape), Dtype::int64);
  const detail::AxisView view(shape, normalize_axis(to_string(OpId::argmax), axis, shape.rank()));
  detail::argmax_axis(detail::array_of(x), view.outer, view.axis, view.inner, out);
  return detail::make_constant(std::move(out));
}

}  // namespace xtgrad::inline v1
