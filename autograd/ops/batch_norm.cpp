#include "xtgrad/autograd/ops/batch_norm.h"
#include "xtgrad/autograd/ops/batching.h"

#include <fmt/format.h>

#include <type_traits>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/reduction.h"
#include "xtgrad/autograd/kernels/levels/batch_norm.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/normalize.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// x [n, c, ...] as [n, c, inner].
Channels channels_of(const Shape& x) {
  Channels at{.n = x[0], .c = x[1], .inner = 1};
  for (std::size_t d = 2; d < x.rank(); ++d) at.inner *= x[d];
  return at;
}

/// A parameter with an element for each channel, of x's dtype.
void check_channel_parameter(OpId op, const Spec& x, const Spec& parameter, const char* name) {
  check_same_dtype(op, x, parameter, {"x", name});
  if (parameter.shape == Shape{x.shape[1]}) return;
  throw ShapeError(fmt::format("{}: {} must have an element for each channel, [{}]: x is {}, {} is {}",
                               to_string(op), name, x.shape[1], to_string(x.shape), name,
                               to_string(parameter.shape)));
}

/// x is floating and has channels.
void check_channels(OpId op, const Spec& x) {
  check_floating(op, x);
  if (x.shape.rank() >= 2) return;
  throw ShapeError(fmt::format("{}: x needs at least 2 dimensions [n, c, ...]: x is {}", to_string(op),
                               to_string(x.shape)));
}

/// The gradients of x, weight and bias in one kernel, of g, x, the moments and, for x's alone, the weight.
/// Null for those not wanted.
class BatchNormRule final : public ConstantPrimitive<BatchNormRule> {
 public:
  explicit BatchNormRule(double eps = 0) : eps_(eps) {}

  [[nodiscard]] std::string_view name() const override { return "batch_norm.rule0"; }
  void describe(Attributes& a) override { a("eps", eps_); }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 3}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    for (Spec* one : out) *one = {Shape{in[1]->shape[1]}, in[1]->dtype};
    out[0]->shape = in[1]->shape;
  }
  void eval(Inputs in, Outputs out) const override {
    const Array &g = *in[0], &x = *in[1], &moments = *in[2];
    // Without the gradient of x nobody reads the weight.
    const Array& weight = in.size() > 3 ? *in[3] : moments;
    normalize_channels_grad(channels_of(x.shape), g, x, moments, eps_, weight,
                            {.x = out[0], .weight = out[1], .bias = out[2]});
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*this, context, {1, 1, 1, 0}, {1, 0, 0});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, in.size() == 3 ? 3 : 4, true);
    require_floating(name(), in.first(2));
    const Spec& x = *in[1];
    check_channels(OpId::batch_norm, x);
    require_spec(name(), "g", *in[0], x);
    require_spec(name(), "moments", *in[2], {Shape{2, x.shape[1]}, Dtype::float64, {}});
    if (out[0] != nullptr) require_call(in, out, 4, true);
    if (in.size() > 3) check_channel_parameter(OpId::batch_norm, x, *in[3], "weight");
  }
  /// The sums of g and of g times the normalised x, and from these the gradient of x.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return (out[0] != nullptr ? 9 : 5) * in[1]->shape.numel();
  }

 private:
  double eps_;
};

/// The bias' gradient alone: the sum of each channel.
class ChannelSum final : public ConstantPrimitive<ChannelSum> {
 public:
  [[nodiscard]] std::string_view name() const override { return "batch_norm.rule1"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {Shape{in[0]->shape[1]}, in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    sum_channels(channels_of(in[0]->shape), *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*this, context, {1}, {0});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    check_channels(OpId::batch_norm, *in[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
};

/// Row `row` of the moments times a factor, as another dtype.
class ChannelMoment final : public ConstantPrimitive<ChannelMoment> {
 public:
  explicit ChannelMoment(std::int64_t row = 0, double factor = 1, Dtype dtype = Dtype::float32)
      : row_(row), factor_(factor), dtype_(dtype) {}

  [[nodiscard]] std::string_view name() const override { return "channel_moment"; }
  void describe(Attributes& a) override {
    a("row", row_);
    a("factor", factor_);
    a("dtype", dtype_);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = {Shape{in[0]->shape[1]}, dtype_}; }
  void eval(Inputs in, Outputs out) const override {
    const std::int64_t c = in[0]->shape[1];
    visit_floating(dtype_, [&](auto zero) {
      using T = decltype(zero);
      const double* row = in[0]->data<double>() + row_ * c;
      T* to = out[0]->mutable_data<T>();
      for (std::int64_t i = 0; i < c; ++i) to[i] = static_cast<T>(row[i] * factor_);
    });
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*this, context, {1}, {0});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    check_channels(OpId::batch_norm, *in[0]);
    require_spec(name(), "moments", *in[0], {Shape{2, in[0]->shape[1]}, Dtype::float64, {}});
    require_attribute(row_ == 0 || row_ == 1, name(), "row", "0 or 1", row_);
    check_floating(OpId::batch_norm, {{}, dtype_, {}});
  }

 private:
  std::int64_t row_;
  double factor_;
  Dtype dtype_;
};

/// Its auxiliary are the moments of x's channels, float64 [2, c], so that neither the layer nor the rule
/// computes them again.
///
/// Two rules after all: where nothing records, one kernel gives all gradients from the moments; the recorded
/// rule makes the moments functions of x again. The walk compares them to a few ulps.
class BatchNorm final : public PrimitiveOf<BatchNorm, OpId::batch_norm> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit BatchNorm(const BatchNormOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override { a("eps", options_.eps); }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    if (is_wanted(wanted, 0)) return input_bit(0) | input_bit(1);
    return is_wanted(wanted, 1) ? input_bit(0) : reads_nothing;
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec& x = *in[0];
    check_channels(op, x);
    check_channel_parameter(op, x, *in[1], "weight");
    check_channel_parameter(op, x, *in[2], "bias");
    if (channels_of(x.shape).count() == 1) {
      throw ShapeError(fmt::format("batch_norm: needs more than one value a channel: x is {}, which has 1",
                                   to_string(x.shape)));
    }
    *out[0] = x;
    *out[1] = {Shape{2, x.shape[1]}, Dtype::float64};
  }
  void eval(Inputs in, Outputs out) const override {
    const Array& x = *in[0];
    const Channels at = channels_of(x.shape);
    Array own;
    if (out[1] == nullptr) own = Array::uninitialized({2, at.c}, Dtype::float64);
    Array& moments = out[1] != nullptr ? *out[1] : own;
    channel_moments(at, x, moments);
    normalize_channels(at, x, moments, options_.eps, *in[1], *in[2], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*this, context, {1, 0, 0}, {1});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 3);
    check_eps(op, options_.eps);
  }
  /// One for the mean, three for the variance, three to normalise.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 7 * in[0]->shape.numel();
  }

  void vjp(VjpContext& context) const override {
    const bool wants_x = context.wanted(0), wants_weight = context.wanted(1);
    // Neither x nor the weight was kept for the bias alone, nor the weight for itself.
    bool records = wants_gradient(context.g());
    if (wants_x || wants_weight) records = records || wants_gradient(context.input(0));
    if (wants_x) records = records || wants_gradient(context.input(1));
    if (thread_state.records() && records) {
      record_vjp(context);
    } else if (wants_x || wants_weight) {
      compute_vjp(context);
    } else {
      context.set(2, apply_constant(ChannelSum{}, context.g()));
    }
  }

 private:
  void compute_vjp(VjpContext& context) const {
    std::array<Array, 3> gradients;
    std::array<Array*, 3> out{};
    for (std::size_t i = 0; i < 3; ++i) out[i] = context.wanted(i) ? &gradients[i] : nullptr;
    const BatchNormRule rule(options_.eps);
    const Array &g = array_of(context.g()), &x = context.input(0).array(), &moments = context.auxiliary();
    if (out[0] != nullptr) {
      compute(rule, std::array{&g, &x, &moments, &context.input(1).array()}, out);
    } else {
      compute(rule, std::array{&g, &x, &moments}, out);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (out[i] != nullptr) context.set(i, make_constant(std::move(gradients[i])));
    }
  }

  /// The same formulas on tensors: the statistics are functions of x here.
  void record_vjp(VjpContext& context) const {
    const Channels at = channels_of(context.g().shape());
    const Shape flat{at.n, at.c, at.inner};
    const Tensor g = reshaped(context.g(), flat);
    if (context.wanted(2)) context.set(2, sum(g, {.axes = {0, 2}}));
    if (g.numel() == 0) {  // of nothing there is no mean, and its NaN would meet sums that are 0
      if (context.wanted(1)) context.set(1, sum(g, {.axes = {0, 2}}));
      if (context.wanted(0)) context.set(0, context.g());
      return;
    }
    if (!context.wanted(0) && !context.wanted(1)) return;

    const auto average = [](const Tensor& v) { return mean(v, {.axes = {0, 2}, .keepdim = true}); };
    const Tensor x = reshaped(context.input(0), flat);
    // Twice: the mean of numbers far from 0 is rounded, and what is left of it would cost as many digits.
    const Tensor rough = x - average(x);
    const Tensor deviation = rough - average(rough);
    const double* variances = context.auxiliary().data<double>() + at.c;
    const Tensor scale = inverse_deviation(  // [1, c, 1]
        deviation, average, {.shape = {1, at.c, 1}, .variances = variances, .eps = options_.eps});
    const Tensor z = deviation * scale;
    if (context.wanted(1)) context.set(1, sum(g * z, {.axes = {0, 2}}));
    if (!context.wanted(0)) return;
    const Tensor weight = reshaped(context.input(1), {1, at.c, 1});
    const Tensor dx = weight * scale * (g - average(g) - z * average(g * z));
    context.set(0, reshaped(dx, context.g().shape()));
  }

  BatchNormOptions options_;
};

/// (x - mean) * scale + shift in one pass.
class NormalizeBy final : public PrimitiveOf<NormalizeBy, OpId::normalize_by> {
 public:
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    const Reads for_x_and_mean = input_bit(2), for_scale = input_bit(0) | input_bit(1);
    return (is_wanted(wanted, 0) || is_wanted(wanted, 1) ? for_x_and_mean : reads_nothing) |
           (is_wanted(wanted, 2) ? for_scale : reads_nothing);
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_channels(op, *in[0]);
    check_channel_parameter(op, *in[0], *in[1], "mean");
    check_channel_parameter(op, *in[0], *in[2], "scale");
    check_channel_parameter(op, *in[0], *in[3], "shift");
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape channels = beside(in[0]->shape);
    const Array mean = in[1]->with_shape(channels), scale = in[2]->with_shape(channels),
                shift = in[3]->with_shape(channels);
    map_formula<Value>(formula(), *out[0], *in[0], mean, scale, shift);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 3 * in[0]->shape.numel();
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b0001; }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*this, context, {1, 0, 0, 0}, {1});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 4); }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    const Shape channels = beside(g.shape());
    const auto over_channel = [&](const Tensor& v) {
      return reshaped(summed_to(v, channels), {channels[0]});
    };
    if (context.wanted(0) || context.wanted(1)) {
      const Tensor dx = evaluate<0>(*this, g, reshaped(context.input(2), channels));
      if (context.wanted(0)) context.set(0, dx);
      if (context.wanted(1)) context.set(1, -over_channel(dx));
    }
    if (context.wanted(2)) {
      const Tensor x = context.input(0);
      context.set(2, over_channel(evaluate<1>(*this, g, x, reshaped(context.input(1), channels))));
    }
    if (context.wanted(3)) context.set(3, over_channel(g));
  }
  [[nodiscard]] static formulas::NormalizeBy formula() { return {}; }
  template <int K>
  using RulePart = std::conditional_t<K == 0, RuleA, RuleB>;

 private:
  /// [c] as it broadcasts to x [n, c, ...].
  static Shape beside(const Shape& x) {
    Shape shape{x[1]};
    for (std::size_t d = 2; d < x.rank(); ++d) shape.push_back(1);
    return shape;
  }
};

}  // namespace

BatchNormResult batch_norm_with_moments(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                        const BatchNormOptions& options) {
  check_eps(OpId::batch_norm, options.eps);
  const BatchNorm primitive(options);
  const std::array inputs{&x, &weight, &bias};
  std::array<Array, 2> results;
  compute(primitive, std::array{&array_of(x), &array_of(weight), &array_of(bias)},
          std::array{&results[0], &results[1]});
  const Tensor moments = make_constant(results[1]);
  const Wishes wishes = wishes_of(inputs);
  BatchNormResult result;
  result.y = wishes.first != nullptr
                 ? record(primitive, std::move(results[0]), inputs, wishes, std::span(results).subspan(1))
                 : make_constant(std::move(results[0]));
  const auto count = static_cast<double>(channels_of(x.shape()).count());
  result.mean = apply_constant(ChannelMoment(0, 1, x.dtype()), moments);
  result.variance = apply_constant(ChannelMoment(1, count / (count - 1), x.dtype()), moments);
  return result;
}

}  // namespace detail

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const BatchNormOptions& options) {
  detail::check_eps(detail::OpId::batch_norm, options.eps);
  return detail::apply(detail::BatchNorm(options), x, weight, bias);
}

Tensor normalize_by(const Tensor& x, const Tensor& mean, const Tensor& scale, const Tensor& shift) {
  return detail::apply(detail::NormalizeBy{}, x, mean, scale, shift);
}

}  // namespace xtgrad::v1
