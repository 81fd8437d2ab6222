#include "xtgrad/autograd/kernels/levels/moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/kernels/reduced_rows.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The variance, or its root.
template <class Self, OpId Id, bool IsRoot>
class Spread : public PrimitiveOf<Self, Id> {
 public:
  explicit Spread(const ReducedAxes& axes = {}, std::int64_t correction = 1)
      : axes_(axes), correction_(correction) {}

  void describe(Attributes& a) override {
    axes_.describe(a);
    a("correction", correction_, 1);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(Id, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = axes_.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    const auto [elements, rows, width] = reduced_rows(*in[0], axes_.mask);
    variance_rows(elements, rows, width, divisor(width), IsRoot, *out[0]);
  }
  /// One for the mean, three for the squares.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    axes_.check_loaded(this->name(), in[0]->shape);
  }

 protected:
  ~Spread() = default;

  /// Of nothing to divide by the quotient is NaN or infinite. In double, for a file may say any correction.
  [[nodiscard]] double divisor(std::int64_t count) const {
    return std::max(0.0, static_cast<double>(count) - static_cast<double>(correction_));
  }
  /// The cotangent over the divisor, of a shape that broadcasts against x's.
  [[nodiscard]] Tensor share(const Tensor& g, const Shape& x) const {
    return reshaped(g, axes_.kept(x)) / divisor(axes_.count(x));
  }
  /// Less the mean twice: that of numbers far from 0 is rounded, and what is left of it would cost as many
  /// digits.
  [[nodiscard]] Tensor deviation(const Tensor& x) const {
    const ReduceOptions along{.axes = axes_.dims(), .keepdim = true};
    const Tensor rough = x - mean(x, along);
    return rough - mean(rough, along);
  }

  ReducedAxes axes_;
  std::int64_t correction_;
};

class Var final : public Spread<Var, OpId::var, false> {
 public:
  using Spread::Spread;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0);
    context.set(0, share(context.g() * 2, x.shape()) * deviation(x));
  }
};

class Stddev final : public Spread<Stddev, OpId::stddev, true> {
 public:
  using Spread::Spread;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | output_bit; }
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0);
    const Tensor y = reshaped(context.output(), axes_.kept(x.shape()));
    context.set(0, share(context.g(), x.shape()) * (deviation(x) / y));
  }
};

template <class P>
Tensor spread(const Tensor& x, const VarOptions& options) {
  return apply(P(reduced_axes(P::op, x.shape(), options.axes, options.keepdim), options.correction), x);
}

}}  // namespace detail

Tensor var(const Tensor& x, const VarOptions& options) { return detail::spread<detail::Var>(x, options); }

Tensor stddev(const Tensor& x, const VarOptions& options) {
  return detail::spread<detail::Stddev>(x, options);
}

VarMean var_mean(const Tensor& x, const VarOptions& options) {
  return {var(x, options), mean(x, {.axes = options.axes, .keepdim = options.keepdim})};
}

}  // namespace xtgrad::v1
