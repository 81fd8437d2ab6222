#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/epsilon.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/kernels/levels/layer_norm.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/normalize.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Throws unless x is floating and ends in the weight's shape.
void check_operands(const Spec& x, const Spec& weight) {
  check_floating(OpId::rms_norm, x);
  check_same_dtype(OpId::rms_norm, x, weight, {"x", "weight"});
  const Shape& end = weight.shape;
  const bool fits =
      end.rank() >= 1 && end.rank() <= x.shape.rank() &&
      std::equal(end.begin(), end.end(), x.shape.end() - static_cast<std::ptrdiff_t>(end.rank()));
  if (fits) return;
  throw ShapeError(
      fmt::format("rms_norm: weight must have the shape of x's last dimensions: x is {}, weight is {}",
                  to_string(x.shape), to_string(end)));
}

Spec squares_of(const Spec& x, const Spec& weight) {
  return {Shape{1, rows_before(x.shape, weight.shape)}, Dtype::float64, {}};
}

/// The gradients of x and weight in one kernel, of g, x, the means of squares, and the weight. Null for those
/// not wanted.
class RmsNormRule final : public ConstantPrimitive<RmsNormRule> {
 public:
  explicit RmsNormRule(double eps = 0) : eps_(eps) {}

  [[nodiscard]] std::string_view name() const override { return "rms_norm.rule0"; }
  void describe(Attributes& a) override { a("eps", eps_); }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 2}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[1];
    *out[1] = *in[3];
  }
  void eval(Inputs in, Outputs out) const override {
    layer_norm_rows_grad(*in[0], *in[1], *in[2], eps_, *in[3],
                         {.x = out[0], .weight = out[1], .bias = nullptr});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 4, true);
    check_operands(*in[1], *in[3]);
    require_spec(name(), "g", *in[0], *in[1]);
    require_spec(name(), "squares", *in[2], squares_of(*in[1], *in[3]));
  }
  /// The products with the weight and with the normalised x, their sums, and from these the gradients.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return (out[0] != nullptr ? 10 : 4) * in[1]->shape.numel();
  }

 private:
  double eps_;
};

/// Its auxiliary are the means of the squares of x's rows, float64 [1, rows]. Two rules, as layer_norm's.
class RmsNorm final : public PrimitiveOf<RmsNorm, OpId::rms_norm> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit RmsNorm(double eps = 0) : eps_(eps) {}

  void describe(Attributes& a) override { a("eps", eps_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_operands(*in[0], *in[1]);
    *out[0] = *in[0];
    *out[1] = squares_of(*in[0], *in[1]);
  }
  void eval(Inputs in, Outputs out) const override {
    Array own;
    if (out[1] == nullptr)
      own = Array::uninitialized({1, rows_before(in[0]->shape, in[1]->shape)}, Dtype::float64);
    layer_norm_rows(*in[0], *in[1], nullptr, eps_, out[1] != nullptr ? *out[1] : own, *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    check_eps(op, eps_);
  }
  /// Two for the squares, two to scale.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }
  /// Examples are rows like any others, if they share the weight.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (context.input(1).is_batched) return false;
    context.set(0, apply(*this, context.input(0).tensor, context.input(1).tensor));
    return true;
  }
  void vjp(VjpContext& context) const override {
    const bool records =
        wants_gradient(context.g()) || wants_gradient(context.input(0)) || wants_gradient(context.input(1));
    if (thread_state.records() && records) return record_vjp(context);
    std::array<Array, 2> gradients;
    std::array<Array*, 2> out{};
    for (std::size_t i = 0; i < 2; ++i) out[i] = context.wanted(i) ? &gradients[i] : nullptr;
    const std::array in{&array_of(context.g()), &context.input(0).array(), &context.auxiliary(),
                        &context.input(1).array()};
    compute_any(RmsNormRule(eps_), in, out);
    for (std::size_t i = 0; i < 2; ++i) {
      if (out[i] != nullptr) context.set(i, make_constant(std::move(gradients[i])));
    }
  }

 private:
  /// The same formulas on tensors: the means of squares are functions of x here.
  void record_vjp(VjpContext& context) const {
    const Tensor weight = context.input(1);
    const Shape &shape = context.g().shape(), &end = weight.shape();
    if (shape.numel() == 0) {  // of nothing there is no mean, and its NaN would meet sums that are 0
      if (context.wanted(1)) context.set(1, summed_to(context.g(), end));
      if (context.wanted(0)) context.set(0, context.g());
      return;
    }
    const std::int64_t rows = context.auxiliary().shape[1];
    const Shape flat{rows, end.numel()};
    const Tensor g = reshaped(context.g(), flat), x = reshaped(context.input(0), flat);
    const auto average = [](const Tensor& v) { return mean(v, {.axes = {1}, .keepdim = true}); };
    const Tensor scale = inverse_deviation(
        x, average, {.shape = {rows, 1}, .variances = context.auxiliary().data<double>(), .eps = eps_});
    const Tensor z = x * scale;
    if (context.wanted(1)) context.set(1, reshaped(sum(g * z, {.axes = {0}}), end));
    if (!context.wanted(0)) return;
    const Tensor t = g * reshaped(weight, {1, flat[1]});
    context.set(0, reshaped(scale * (t - z * average(t * z)), shape));
  }

  double eps_;
};

}  // namespace
}  // namespace detail

Tensor rms_norm(const Tensor& x, const Tensor& weight, const RmsNormOptions& options) {
  if (options.eps.has_value()) detail::check_eps(detail::OpId::rms_norm, *options.eps);
  const bool has_epsilon = x.defined() && detail::FloatingTypes::contains(x.dtype());  // else x is refused
  const double usual = has_epsilon ? detail::epsilon_of(x.dtype()) : 0;
  return detail::apply(detail::RmsNorm(options.eps.value_or(usual)), x, weight);
}

Tensor rms_norm(const Tensor& x, const RmsNormOptions& options) {
  if (!x.defined()) return rms_norm(x, x, options);  // which says so
  const Shape end = x.rank() == 0 ? Shape{} : Shape{x.shape().back()};
  return rms_norm(x, ones(end, {.dtype = x.dtype()}), options);
}

}  // namespace xtgrad::v1
