#include "xtgrad/autograd/ops/batch_norm.h"

#include <fmt/format.h>

#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/batch_norm.h"
#include "xtgrad/autograd/kernels/evaluate.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// x [n, c, ...] as [n, c, inner].
Channels channels_of(const Shape& x) {
  Channels at{.n = x[0], .c = x[1], .inner = 1};
  for (std::size_t d = 2; d < x.rank(); ++d) at.inner *= x[d];
  return at;
}

/// Inputs x, weight, bias, and the moments of x's channels, float64 [2, c]: an auxiliary, so that neither the
/// layer nor the rule computes them again.
class BatchNorm final : public PrimitiveOf<OpId::batch_norm> {
 public:
  explicit BatchNorm(const BatchNormOptions& options) : options_(options) {}
  static Reads reads(Wanted wanted) {
    constexpr Reads statistics = input_bit(0) | input_bit(3);
    if (is_wanted(wanted, 0)) return statistics | input_bit(1);
    return is_wanted(wanted, 1) ? statistics : reads_nothing;
  }

  [[nodiscard]] Array forward(const Array& x, const Array& weight, const Array& bias,
                              const Array& moments) const {
    Array y = Array::uninitialized(x.shape, x.dtype);
    normalize_channels(channels_of(x.shape), x, moments, options_.eps, weight, bias, y);
    return y;
  }

  void vjp(VjpContext& context) const override {
    const bool wants_x = context.wanted(0), wants_weight = context.wanted(1);
    // Neither x nor the weight was kept for the bias alone, nor the weight for itself.
    bool records = wants_gradient(context.g);
    if (wants_x || wants_weight) records = records || wants_gradient(context.input(0));
    if (wants_x) records = records || wants_gradient(context.input(1));
    if (thread_state.recording && records) {
      record_vjp(context);
    } else if (wants_x || wants_weight) {
      compute_vjp(context);
    } else {
      const Channels at = channels_of(context.g.shape());
      Array dbias = Array::uninitialized({at.c}, context.g.dtype());
      sum_channels(at, array_of(context.g), dbias);
      context.set(2, make_constant(std::move(dbias)));
    }
  }

  [[nodiscard]] std::string attributes() const override { return fmt::format("eps={}", options_.eps); }

 private:
  void compute_vjp(VjpContext& context) const {
    const Array& g = array_of(context.g);
    const Array& x = context.input(0).array();
    const Channels at = channels_of(x.shape);
    const Shape channel{at.c};
    Array dx, dweight, dbias;
    NormalizedGrads out{};
    const auto ask = [&](std::size_t i, const Shape& shape, Array& gradient) -> Array* {
      if (!context.wanted(i)) return nullptr;
      gradient = Array::uninitialized(shape, x.dtype);
      return &gradient;
    };
    out.x = ask(0, x.shape, dx);
    out.weight = ask(1, channel, dweight);
    out.bias = ask(2, channel, dbias);
    // x's gradient alone needs the weight; without it the rule did not keep it.
    const Array& weight = out.x == nullptr ? dweight : context.input(1).array();
    normalize_channels_grad(at, g, x, context.input(3).array(), options_.eps, weight, out);
    if (out.x != nullptr) context.set(0, make_constant(std::move(dx)));
    if (out.weight != nullptr) context.set(1, make_constant(std::move(dweight)));
    if (out.bias != nullptr) context.set(2, make_constant(std::move(dbias)));
  }

  /// The same formulas on tensors: the statistics are functions of x here.
  void record_vjp(VjpContext& context) const {
    const Channels at = channels_of(context.g.shape());
    const Shape flat{at.n, at.c, at.inner};
    const Tensor g = reshape(context.g, flat);
    if (context.wanted(2)) context.set(2, sum(g, {.axes = {0, 2}}));
    if (!context.wanted(0) && !context.wanted(1)) return;

    const auto average = [](const Tensor& v) { return mean(v, {.axes = {0, 2}, .keepdim = true}); };
    const Tensor x = reshape(context.input(0), flat);
    // Twice: the mean of numbers far from 0 is rounded, and what is left of it would cost as many digits.
    const Tensor rough = x - average(x);
    const Tensor deviation = rough - average(rough);
    const Tensor scale = 1 / sqrt(average(square(deviation)) + options_.eps);  // [1, c, 1]
    const Tensor z = deviation * scale;
    if (context.wanted(1)) context.set(1, sum(g * z, {.axes = {0, 2}}));
    if (!context.wanted(0)) return;
    const Tensor weight = reshape(context.input(1), {1, at.c, 1});
    const Tensor dx = weight * scale * (g - average(g) - z * average(g * z));
    context.set(0, reshape(dx, context.g.shape()));
  }

  BatchNormOptions options_;
};

/// (x - mean) * scale + shift in one pass. Not x * scale + (shift - mean * scale), which is as fast: where
/// the mean is many deviations away, the two terms are large and nearly cancel, and so do their digits.
class NormalizeBy final : public PrimitiveOf<OpId::normalize_by> {
 public:
  static Reads reads(Wanted wanted) {
    const Reads for_x_and_mean = input_bit(2), for_scale = input_bit(0) | input_bit(1);
    return (is_wanted(wanted, 0) || is_wanted(wanted, 1) ? for_x_and_mean : reads_nothing) |
           (is_wanted(wanted, 2) ? for_scale : reads_nothing);
  }

  [[nodiscard]] Array forward(const Array& x, const Array& mean, const Array& scale,
                              const Array& shift) const {
    const Shape channels = beside(x.shape);
    const auto value = [](const auto& v, const auto& m, const auto& s, const auto& b) {
      return (v - m) * s + b;
    };
    return map(to_string(op), value, x, mean.with_shape(channels), scale.with_shape(channels),
               shift.with_shape(channels));
  }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g;
    const Shape channels = beside(g.shape());
    const auto over_channel = [&](const Tensor& v) { return reshape(sum_to(v, channels), {channels[0]}); };
    const auto by_scale = [](const auto& u, const auto& s) { return u * s; };
    const auto by_deviation = [](const auto& u, const auto& v, const auto& m) { return u * (v - m); };
    if (context.wanted(0) || context.wanted(1)) {
      const Tensor dx = evaluate(to_string(op), by_scale, g, reshape(context.input(2), channels));
      if (context.wanted(0)) context.set(0, dx);
      if (context.wanted(1)) context.set(1, -over_channel(dx));
    }
    if (context.wanted(2)) {
      const Tensor x = context.input(0);
      context.set(
          2, over_channel(evaluate(to_string(op), by_deviation, g, x, reshape(context.input(1), channels))));
    }
    if (context.wanted(3)) context.set(3, over_channel(g));
  }

 private:
  /// [c] as it broadcasts to x [n, c, ...].
  static Shape beside(const Shape& x) {
    Shape shape{x[1]};
    for (std::size_t d = 2; d < x.rank(); ++d) shape.push_back(1);
    return shape;
  }
};

/// A parameter with an element for each channel, of x's dtype.
void check_channel_parameter(OpId op, const Tensor& x, const Tensor& parameter, const char* name) {
  check_same_dtype(op, x, parameter, {"x", name});
  if (parameter.shape() == Shape{x.size(1)}) return;
  throw ShapeError(fmt::format("{}: {} must have an element for each channel, [{}]: x is {}, {} is {}",
                               to_string(op), name, x.size(1), to_string(x.shape()), name,
                               to_string(parameter.shape())));
}

/// x is floating and has channels.
void check_channels(OpId op, const Tensor& x) {
  check_floating(op, x);
  if (x.rank() >= 2) return;
  throw ShapeError(fmt::format("{}: x needs at least 2 dimensions [n, c, ...]: x is {}", to_string(op),
                               to_string(x.shape())));
}

void check_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const BatchNormOptions& options) {
  constexpr OpId op = OpId::batch_norm;
  check_channels(op, x);
  check_channel_parameter(op, x, weight, "weight");
  check_channel_parameter(op, x, bias, "bias");
  const Shape& shape = x.shape();
  const std::int64_t count = channels_of(shape).count();
  if (count < 2) {
    throw ShapeError(fmt::format("batch_norm: needs more than one value a channel: x is {}, which has {}",
                                 to_string(shape), count));
  }
  if (!(options.eps >= 0 && options.eps < std::numeric_limits<double>::infinity())) {
    throw ValueError(fmt::format("batch_norm: eps must be finite and not negative, got {}", options.eps));
  }
}

Array moments_of(const Array& x) {
  const Channels at = channels_of(x.shape);
  Array moments = Array::uninitialized({2, at.c}, Dtype::float64);
  channel_moments(at, x, moments);
  return moments;
}

/// Row `row` of the moments times a factor, as x's dtype.
Tensor moment(const Array& moments, std::int64_t row, double factor, Dtype dtype) {
  const std::int64_t c = moments.shape[1];
  Array out = Array::uninitialized({c}, dtype);
  visit_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < c; ++i)
      out.mutable_data<T>()[i] = static_cast<T>(moments.data<double>()[row * c + i] * factor);
  });
  return make_constant(std::move(out));
}

}  // namespace

BatchNormResult batch_norm_with_moments(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                        const BatchNormOptions& options) {
  check_batch_norm(x, weight, bias, options);
  const Array moments = moments_of(array_of(x));
  const auto count = static_cast<double>(channels_of(x.shape()).count());
  return {.y = apply(BatchNorm(options), x, weight, bias, make_constant(moments)),
          .mean = moment(moments, 0, 1, x.dtype()),
          .variance = moment(moments, 1, count / (count - 1), x.dtype())};
}

}  // namespace detail

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const BatchNormOptions& options) {
  detail::check_batch_norm(x, weight, bias, options);
  return detail::apply(detail::BatchNorm(options), x, weight, bias,
                       detail::make_constant(detail::moments_of(detail::array_of(x))));
}

Tensor normalize_by(const Tensor& x, const Tensor& mean, const Tensor& scale, const Tensor& shift) {
  constexpr detail::OpId op = detail::OpId::normalize_by;
  detail::check_channels(op, x);
  detail::check_channel_parameter(op, x, mean, "mean");
  detail::check_channel_parameter(op, x, scale, "scale");
  detail::check_channel_parameter(op, x, shift, "shift");
  return detail::apply(detail::NormalizeBy{}, x, mean, scale, shift);
}

}  // namespace xtgrad::inline v1
