#include "xtgrad/autograd/functions/normalization.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/group_norm.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/normalize.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Throws unless x is floating and has channels.
void check_channels(OpId op, const Spec& x) {
  check_floating(op, x);
  if (x.shape.rank() >= 2) return;
  throw ShapeError(fmt::format("{}: x needs at least 2 dimensions [n, c, ...]: x is {}", to_string(op),
                               to_string(x.shape)));
}

/// Throws unless a parameter has x's dtype and an element for each channel.
void check_parameter(OpId op, const Spec& x, const Spec& parameter, const char* name) {
  check_same_dtype(op, x, parameter, {"x", name});
  if (parameter.shape == Shape{x.shape[1]}) return;
  throw ShapeError(fmt::format("{}: {} must have an element for each channel, [{}]: x is {}, {} is {}",
                               to_string(op), name, x.shape[1], to_string(x.shape), name,
                               to_string(parameter.shape)));
}

/// Throws unless x has channels that the groups divide.
void check_groups(const Spec& x, std::int64_t groups) {
  check_channels(OpId::group_norm, x);
  if (groups < 1) throw ValueError(fmt::format("group_norm: groups must be at least 1, got {}", groups));
  if (x.shape[1] % groups == 0) return;
  throw ValueError(fmt::format("group_norm: groups must divide the channels: got {} groups, x is {}", groups,
                               to_string(x.shape)));
}

ChannelGroups groups_of(const Shape& x, std::int64_t groups) {
  ChannelGroups at{.n = x[0], .groups = groups, .channels = x[1] / groups, .inner = 1};
  for (std::size_t d = 2; d < x.rank(); ++d) at.inner *= x[d];
  return at;
}

/// Of the moments; without rows where there is nothing to normalise, however many groups that are.
Spec moments_of(const Shape& x, std::int64_t groups) {
  return {Shape{2, x.numel() == 0 ? 0 : x[0] * groups}, Dtype::float64, {}};
}

/// The gradients of x, weight and bias in one kernel, of g, x, the moments and the weight. Null for those not
/// wanted; that of the bias alone is of g alone.
class GroupNormRule final : public ConstantPrimitive<GroupNormRule> {
 public:
  explicit GroupNormRule(std::int64_t groups = 1, double eps = 0) : groups_(groups), eps_(eps) {}

  [[nodiscard]] std::string_view name() const override { return "group_norm.rule0"; }
  void describe(Attributes& a) override {
    a("groups", groups_);
    a("eps", eps_);
  }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 3}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    *out[1] = *out[2] = {Shape{in[0]->shape[1]}, in[0]->dtype, {}};
  }
  void eval(Inputs in, Outputs out) const override {
    if (in.size() == 1) return group_norm_bias_grad(groups_of(in[0]->shape, groups_), *in[0], *out[2]);
    group_norm_rows_grad(groups_of(in[1]->shape, groups_), *in[0], *in[1], *in[2], eps_, *in[3],
                         {.x = out[0], .weight = out[1], .bias = out[2]});
  }
  /// Examples are more groups: their moments stand beside each other for each sample.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (context.inputs() == 1 || example_rank(context.input(0)) >= Shape::max_rank) return false;
    const std::int64_t size = context.size();
    const auto part = [&](std::size_t i) { return repeated(context.input(i), size); };
    const Tensor moments = part(2);  // [size, 2, n * groups]
    const std::int64_t rows = moments.size(2), n = part(0).size(1);
    const Tensor of_samples =
        merged_into(reshaped(moments, {size, 2, rows == 0 ? 0 : n, rows == 0 ? 0 : groups_}), 2);
    const std::array operands{merged_into(part(0), 1), merged_into(part(1), 1),
                              reshaped(of_samples, {2, size * rows}), merged_into(part(3), 0)};
    const std::array<const Tensor*, 4> pointers{&operands[0], &operands[1], &operands[2], &operands[3]};
    std::vector<Tensor> gradients = apply_all(GroupNormRule(groups_ * size, eps_), pointers);
    for (std::size_t k = 0; k < gradients.size(); ++k)
      context.set(k, parted_from(gradients[k], k == 0 ? 1 : 0, size));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    const bool is_bias = in.size() == 1;
    require_call(in, out, is_bias ? 1 : 4, true);
    if (is_bias && (out[0] != nullptr || out[1] != nullptr || out[2] == nullptr))
      throw ValueError(
          fmt::format("{}: makes the bias's gradient, its third result, of g alone, and no other", name()));
    check_groups(*in[0], groups_);
    if (is_bias) return;
    const Spec& x = *in[1];
    require_spec(name(), "x", x, *in[0]);
    require_spec(name(), "moments", *in[2], moments_of(x.shape, groups_));
    check_parameter(OpId::group_norm, x, *in[3], "weight");
  }
  /// The sums of g and of g times the normalised x, and from these the gradient of x.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return (out[0] != nullptr ? 11 : in.size() > 1 ? 5 : 1) * in[0]->shape.numel();
  }

 private:
  std::int64_t groups_;
  double eps_;
};

/// Its auxiliary are the moments of x's groups, float64 [2, rows]. Two rules, as layer_norm's.
class GroupNorm final : public PrimitiveOf<GroupNorm, OpId::group_norm> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit GroupNorm(std::int64_t groups = 1, double eps = 0) : groups_(groups), eps_(eps) {}

  void describe(Attributes& a) override {
    a("groups", groups_);
    a("eps", eps_);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 0) || is_wanted(wanted, 1) ? input_bit(0) | input_bit(1) : reads_nothing;
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec& x = *in[0];
    check_groups(x, groups_);
    check_parameter(op, x, *in[1], "weight");
    check_parameter(op, x, *in[2], "bias");
    *out[0] = x;
    *out[1] = moments_of(x.shape, groups_);
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape& x = in[0]->shape;
    Array own;
    if (out[1] == nullptr) own = Array::uninitialized(moments_of(x, groups_).shape, Dtype::float64);
    group_norm_rows(groups_of(x, groups_), *in[0], *in[1], *in[2], eps_, out[1] != nullptr ? *out[1] : own,
                    *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 3);
    check_eps(op, eps_);
  }
  /// One for the mean, three for the variance, four to normalise, scale and shift.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 8 * in[0]->shape.numel();
  }
  /// Examples are samples like any others, if they share weight and bias, and else more groups.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (context.input(1).is_batched || context.input(2).is_batched)
      return batch_by_merging(GroupNorm(groups_ * context.size(), eps_), context, {1, 0, 0}, {1});
    const Tensor joined = merged_into(context.input(0).tensor, 0);
    const Tensor y = apply(*this, joined, context.input(1).tensor, context.input(2).tensor);
    context.set(0, parted_from(y, 0, context.size()));
    return true;
  }
  void vjp(VjpContext& context) const override {
    const bool bias_alone = !context.wanted(0) && !context.wanted(1);  // for which nothing was kept
    bool records = wants_gradient(context.g());
    for (std::size_t i = 0; i < 2 && !bias_alone; ++i) records = records || wants_gradient(context.input(i));
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
    const GroupNormRule rule(groups_, eps_);
    const Array& g = array_of(context.g());
    if (out[0] == nullptr && out[1] == nullptr) {
      compute_any(rule, std::array{&g}, out);
    } else {
      const std::array in{&g, &context.input(0).array(), &context.auxiliary(), &context.input(1).array()};
      compute_any(rule, in, out);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (out[i] != nullptr) context.set(i, make_constant(std::move(gradients[i])));
    }
  }

  /// The same formulas on tensors: the statistics are functions of x here.
  void record_vjp(VjpContext& context) const {
    const Shape& shape = context.g().shape();
    const auto of_channels = [&](const Tensor& v) { return reshaped(sum(v, {.axes = {0, 3}}), {shape[1]}); };
    const ChannelGroups at = groups_of(shape, groups_);
    const Shape flat{at.n, at.groups, at.channels, at.inner};
    const Tensor g = reshaped(context.g(), flat);
    if (context.wanted(2)) context.set(2, of_channels(g));
    if (!context.wanted(0) && !context.wanted(1)) return;
    if (shape.numel() == 0) {  // of nothing there is no mean, and its NaN would meet sums that are 0
      if (context.wanted(1)) context.set(1, of_channels(g));
      if (context.wanted(0)) context.set(0, context.g());
      return;
    }
    const auto average = [](const Tensor& v) { return mean(v, {.axes = {2, 3}, .keepdim = true}); };
    const Tensor x = reshaped(context.input(0), flat);
    // Twice: the mean of numbers far from 0 is rounded, and what is left of it would cost as many digits.
    const Tensor rough = x - average(x);
    const Tensor deviation = rough - average(rough);
    const double* variances = context.auxiliary().data<double>() + at.rows();
    const Tensor scale = inverse_deviation(
        deviation, average, {.shape = {at.n, at.groups, 1, 1}, .variances = variances, .eps = eps_});
    const Tensor z = deviation * scale;
    if (context.wanted(1)) context.set(1, of_channels(g * z));
    if (!context.wanted(0)) return;
    const Tensor t = g * reshaped(context.input(1), {1, at.groups, at.channels, 1});
    context.set(0, reshaped(scale * (t - average(t) - z * average(t * z)), shape));
  }

  std::int64_t groups_;
  double eps_;
};

}  // namespace
}  // namespace detail

Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias,
                  const NormalizeOptions& options) {
  detail::check_eps(detail::OpId::group_norm, options.eps);
  return detail::apply(detail::GroupNorm(groups, options.eps), x, weight, bias);
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                     const NormalizeOptions& options) {
  detail::check_eps(detail::OpId::instance_norm, options.eps);
  const auto spec_of = [](const Tensor& t) { return Spec{t.shape(), t.dtype(), {}}; };
  if (x.defined()) {
    const Spec spec = spec_of(x);
    detail::check_channels(detail::OpId::instance_norm, spec);
    if (weight.defined())
      detail::check_parameter(detail::OpId::instance_norm, spec, spec_of(weight), "weight");
    if (bias.defined()) detail::check_parameter(detail::OpId::instance_norm, spec, spec_of(bias), "bias");
  }
  // Without a channel there is no group either, and any number of them will do.
  const std::int64_t groups = x.defined() ? std::max<std::int64_t>(1, x.size(1)) : 1;
  return group_norm(x, groups, weight, bias, options);
}

Tensor instance_norm(const Tensor& x, const NormalizeOptions& options) {
  if (!x.defined() || x.rank() < 2) return instance_norm(x, x, x, options);  // which says so
  const TensorOptions like{.dtype = x.dtype()};
  return instance_norm(x, ones({x.size(1)}, like), zeros({x.size(1)}, like), options);
}

}  // namespace xtgrad::v1
