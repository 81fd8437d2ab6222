#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/layer_norm.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/normalize.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Throws unless a parameter has x's dtype and the shape that x ends in.
void check_end(OpId op, const Spec& x, const Spec& parameter, const char* name) {
  check_same_dtype(op, x, parameter, {"x", name});
  const Shape& end = parameter.shape;
  const bool fits =
      end.rank() >= 1 && end.rank() <= x.shape.rank() &&
      std::equal(end.begin(), end.end(), x.shape.end() - static_cast<std::ptrdiff_t>(end.rank()));
  if (fits) return;
  throw ShapeError(fmt::format("{}: {} must have the shape of x's last dimensions: x is {}, {} is {}",
                               to_string(op), name, to_string(x.shape), name, to_string(end)));
}

/// The gradients of x, weight and bias in one kernel, of g, x, the moments, and the weight, whose shape is
/// that of the parameters. Null for those not wanted.
class LayerNormRule final : public ConstantPrimitive<LayerNormRule> {
 public:
  explicit LayerNormRule(double eps = 0) : eps_(eps) {}

  [[nodiscard]] std::string_view name() const override { return "layer_norm.rule0"; }
  void describe(Attributes& a) override { a("eps", eps_); }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 3}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[1];
    *out[1] = *out[2] = *in[3];
  }
  void eval(Inputs in, Outputs out) const override {
    layer_norm_rows_grad(*in[0], *in[1], *in[2], eps_, *in[3],
                         {.x = out[0], .weight = out[1], .bias = out[2]});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 4, true);
    const Spec &x = *in[1], &weight = *in[3];
    check_floating(OpId::layer_norm, x);
    require_spec(name(), "g", *in[0], x);
    check_end(OpId::layer_norm, x, weight, "weight");
    require_spec(name(), "moments", *in[2],
                 {Shape{2, rows_before(x.shape, weight.shape)}, Dtype::float64, {}});
  }
  /// The products with the weight, their sums and those with the normalised x, and from these the gradients.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return (out[0] != nullptr ? 13 : 5) * in[1]->shape.numel();
  }

 private:
  double eps_;
};

/// The gradient of the bias alone, of g, in the bias's shape.
class LayerNormBiasRule final : public ConstantPrimitive<LayerNormBiasRule> {
 public:
  explicit LayerNormBiasRule(const Shape& shape = {}) : shape_(shape) {}

  [[nodiscard]] std::string_view name() const override { return "layer_norm.rule1"; }
  void describe(Attributes& a) override { a("shape", shape_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = {shape_, in[0]->dtype}; }
  void eval(Inputs in, Outputs out) const override { layer_norm_bias_grad(*in[0], *out[0]); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    check_floating(OpId::layer_norm, *in[0]);
    check_end(OpId::layer_norm, *in[0], {shape_, in[0]->dtype, {}}, "bias");
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 private:
  Shape shape_;
};

/// Its auxiliary are the moments of x's rows, float64 [2, rows], so that the rule need not compute them
/// again.
///
/// Two rules: where nothing records, one kernel gives all gradients from the moments; the recorded rule makes
/// the moments functions of x again. The walk compares them to a few ulps.
class LayerNorm final : public PrimitiveOf<LayerNorm, OpId::layer_norm> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit LayerNorm(double eps = 0) : eps_(eps) {}

  void describe(Attributes& a) override { a("eps", eps_); }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 0) || is_wanted(wanted, 1) ? input_bit(0) | input_bit(1) : reads_nothing;
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec& x = *in[0];
    check_floating(op, x);
    check_end(op, x, *in[1], "weight");
    check_end(op, x, *in[2], "bias");
    if (!(in[1]->shape == in[2]->shape)) {
      throw ShapeError(fmt::format("{}: weight and bias must have one shape: weight is {}, bias is {}",
                                   to_string(op), to_string(in[1]->shape), to_string(in[2]->shape)));
    }
    *out[0] = x;
    *out[1] = {Shape{2, rows_before(x.shape, in[1]->shape)}, Dtype::float64};
  }
  void eval(Inputs in, Outputs out) const override {
    const Array& x = *in[0];
    Array own;
    if (out[1] == nullptr)
      own = Array::uninitialized({2, rows_before(x.shape, in[1]->shape)}, Dtype::float64);
    layer_norm_rows(x, *in[1], in[2], eps_, out[1] != nullptr ? *out[1] : own, *out[0]);
  }
  /// Examples are rows like any others, if they share weight and bias.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (context.input(1).is_batched || context.input(2).is_batched) return false;
    context.set(0, apply(*this, context.input(0).tensor, context.input(1).tensor, context.input(2).tensor));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 3);
    check_eps(op, eps_);
  }
  /// One for the mean, three for the variance, four to normalise, scale and shift.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 8 * in[0]->shape.numel();
  }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    if (!context.wanted(0) && !context.wanted(1)) {  // nothing was kept for the bias alone
      context.set(2, thread_state.records() && wants_gradient(g)
                         ? summed_to(g, context.shape(2))
                         : apply_constant(LayerNormBiasRule(context.shape(2)), g));
      return;
    }
    const bool records =
        wants_gradient(g) || wants_gradient(context.input(0)) || wants_gradient(context.input(1));
    if (thread_state.records() && records) {
      record_vjp(context);
    } else {
      compute_vjp(context);
    }
  }

 private:
  void compute_vjp(VjpContext& context) const {
    std::array<Array, 3> gradients;
    std::array<Array*, 3> out{};
    for (std::size_t i = 0; i < 3; ++i) out[i] = context.wanted(i) ? &gradients[i] : nullptr;
    compute(LayerNormRule(eps_),
            std::array{&array_of(context.g()), &context.input(0).array(), &context.auxiliary(),
                       &context.input(1).array()},
            out);
    for (std::size_t i = 0; i < 3; ++i) {
      if (out[i] != nullptr) context.set(i, make_constant(std::move(gradients[i])));
    }
  }

  /// The same formulas on tensors: the statistics are functions of x here.
  void record_vjp(VjpContext& context) const {
    const Tensor weight = context.input(1);
    const Shape &shape = context.g().shape(), &end = weight.shape();
    if (shape.numel() == 0) {  // of nothing there is no mean, and its NaN would meet sums that are 0
      if (context.wanted(2)) context.set(2, summed_to(context.g(), end));
      if (context.wanted(1)) context.set(1, summed_to(context.g(), end));
      if (context.wanted(0)) context.set(0, context.g());
      return;
    }
    const std::int64_t rows = context.auxiliary().shape[1];
    const Shape flat{rows, end.numel()};
    const Tensor g = reshaped(context.g(), flat);
    const auto of_columns = [&](const Tensor& v) { return reshaped(sum(v, {.axes = {0}}), end); };
    if (context.wanted(2)) context.set(2, of_columns(g));
    const auto average = [](const Tensor& v) { return mean(v, {.axes = {1}, .keepdim = true}); };
    const Tensor x = reshaped(context.input(0), flat);
    // Twice: the mean of numbers far from 0 is rounded, and what is left of it would cost as many digits.
    const Tensor rough = x - average(x);
    const Tensor deviation = rough - average(rough);
    const double* variances = context.auxiliary().data<double>() + rows;
    const Tensor scale =
        inverse_deviation(deviation, average, {.shape = {rows, 1}, .variances = variances, .eps = eps_});
    const Tensor z = deviation * scale;
    if (context.wanted(1)) context.set(1, of_columns(g * z));
    if (!context.wanted(0)) return;
    const Tensor t = g * reshaped(weight, {1, flat[1]});
    context.set(0, reshaped(scale * (t - average(t) - z * average(t * z)), shape));
  }

  double eps_;
};

}  // namespace
}  // namespace detail

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const NormalizeOptions& options) {
  detail::check_eps(detail::OpId::layer_norm, options.eps);
  return detail::apply(detail::LayerNorm(options.eps), x, weight, bias);
}

}  // namespace xtgrad::v1
