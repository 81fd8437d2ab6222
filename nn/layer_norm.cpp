#include "xtgrad/nn/layer_norm.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/floating_input.h"

namespace xtgrad::inline v1::nn {
namespace {

/// `who` is asked for the name in a message, which a module has to look up.
void check_parameter(const auto& who, const Tensor& x, std::string_view name, const Tensor& parameter,
                     const Shape& shape) {
  if (!parameter.defined()) return;
  if (parameter.shape() != shape) {
    throw ShapeError(fmt::format("{}: {} must be {}: got {}", who(), name, to_string(shape),
                                 to_string(parameter.shape())));
  }
  if (x.dtype() == parameter.dtype()) return;
  throw DtypeError(fmt::format("{}: input is {}, {} is {}; convert the input or the model with to()", who(),
                               to_string(x.dtype()), name, to_string(parameter.dtype())));
}

void check_eps(std::string_view who, double eps) {
  if (eps >= 0 && std::isfinite(eps)) return;
  throw ValueError(fmt::format("{}: eps must be finite and at least 0: got {}", who, eps));
}

/// The parameters, or what counts as such.
struct WeightAndBias {
  Tensor weight, bias;

  WeightAndBias(const NormOptions& options, const Shape& shape, Dtype dtype)
      : weight(options.weight.defined() ? options.weight : ones(shape, {.dtype = dtype})),
        bias(options.bias.defined() ? options.bias : zeros(shape, {.dtype = dtype})) {}
};

bool ends_in(const Shape& shape, const Shape& end) {
  if (end.rank() > shape.rank()) return false;
  for (std::size_t i = 0; i < end.rank(); ++i) {
    if (shape[shape.rank() - 1 - i] != end[end.rank() - 1 - i]) return false;
  }
  return true;
}

Tensor normalize_layer(const auto& who, const Tensor& x, const Shape& shape, const NormOptions& options) {
  detail::check_floating(who, x);
  if (!ends_in(x.shape(), shape)) {
    throw ShapeError(fmt::format("{}: the last dimensions of the input must be {}: input is {}", who(),
                                 to_string(shape), to_string(x.shape())));
  }
  check_parameter(who, x, "weight", options.weight, shape);
  check_parameter(who, x, "bias", options.bias, shape);
  const auto [weight, bias] = WeightAndBias(options, shape, x.dtype());
  const NormalizeOptions how{.eps = options.eps};
  if (shape.rank() > 0) return xtgrad::layer_norm(x, weight, bias, how);
  // Over no dimension: each element is a row.
  Shape column = x.shape();
  column.push_back(1);
  return reshape(xtgrad::layer_norm(reshape(x, column), reshape(weight, {1}), reshape(bias, {1}), how),
                 x.shape());
}

Tensor normalize_groups(const auto& who, const Tensor& x, std::int64_t groups, const NormOptions& options) {
  const std::int64_t channels = x.size(1);
  check_parameter(who, x, "weight", options.weight, Shape{channels});
  check_parameter(who, x, "bias", options.bias, Shape{channels});
  const auto [weight, bias] = WeightAndBias(options, {channels}, x.dtype());
  return xtgrad::group_norm(x, groups, weight, bias, {.eps = options.eps});
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const NormOptions& options) {
  check_eps("layer_norm", options.eps);
  return normalize_layer([] { return "layer_norm"; }, x, normalized_shape, options);
}

Tensor group_norm(const Tensor& x, std::int64_t groups, const NormOptions& options) {
  const auto who = [] { return "group_norm"; };
  check_eps(who(), options.eps);
  detail::check_option(who(), "groups", groups, 1);
  detail::check_floating(who, x);
  if (x.rank() < 2)
    throw ShapeError(fmt::format("group_norm: input must be [n, c, ...]: got {}", to_string(x.shape())));
  if (x.size(1) % groups != 0) {
    throw ValueError(fmt::format("group_norm: groups must divide the channels: got {} groups, input is {}",
                                 groups, to_string(x.shape())));
  }
  return normalize_groups(who, x, groups, options);
}

LayerNorm::LayerNorm(const LayerNormOptions& options) : options_(options) {
  const Shape& shape = options.normalized_shape;
  if (shape.rank() == 0) throw ValueError("LayerNorm: normalized_shape is required, and was not given");
  for (const std::int64_t size : shape) detail::check_option("LayerNorm", "normalized_shape", size, 1);
  check_eps("LayerNorm", options.eps);
  if (!options.affine) return;
  weight = Parameter(ones(shape));
  if (options.bias) bias = Parameter(zeros(shape));
}

void LayerNorm::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor LayerNorm::forward(const Tensor& x) {
  return normalize_layer([this] { return label(); }, x, options_.normalized_shape,
                         {.weight = weight.defined() ? weight.tensor() : Tensor(),
                          .bias = bias.defined() ? bias.tensor() : Tensor(),
                          .eps = options_.eps});
}

GroupNorm::GroupNorm(const GroupNormOptions& options) : options_(options) {
  detail::check_option("GroupNorm", "num_groups", options.num_groups, 1);
  detail::check_option("GroupNorm", "num_channels", options.num_channels, 1);
  if (options.num_channels % options.num_groups != 0) {
    throw ValueError(
        fmt::format("GroupNorm: num_groups must divide num_channels: got {} groups for {} channels",
                    options.num_groups, options.num_channels));
  }
  check_eps("GroupNorm", options.eps);
  if (!options.affine) return;
  weight = Parameter(ones({options.num_channels}));
  bias = Parameter(zeros({options.num_channels}));
}

void GroupNorm::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor GroupNorm::forward(const Tensor& x) {
  const auto who = [this] { return label(); };
  detail::check_floating(who, x);
  if (x.rank() < 2 || x.size(1) != options_.num_channels) {
    throw ShapeError(fmt::format("{}: input must be [n, {}, ...]: got {}", who(), options_.num_channels,
                                 to_string(x.shape())));
  }
  return normalize_groups(who, x, options_.num_groups,
                          {.weight = options_.affine ? weight.tensor() : Tensor(),
                           .bias = options_.affine ? bias.tensor() : Tensor(),
                           .eps = options_.eps});
}

}  // namespace xtgrad::v1::nn
