#include "xtgrad/nn/instance_norm.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/floating_input.h"

namespace xtgrad::inline v1::nn {

InstanceNorm::InstanceNorm(const char* name, std::size_t dimensions, const InstanceNormOptions& options)
    : dimensions_(dimensions), options_(options) {
  const Shape channels{options.num_features == required ? 0 : options.num_features};
  detail::check_option(name, "num_features", options.num_features, 1);
  if (!(options.eps >= 0 && std::isfinite(options.eps)))
    throw ValueError(fmt::format("{}: eps must be finite and at least 0: got {}", name, options.eps));
  if (!(options.momentum >= 0 && options.momentum <= 1))
    throw ValueError(fmt::format("{}: momentum must be in [0, 1]: got {}", name, options.momentum));
  if (options.affine) {
    weight = Parameter(ones(channels));
    bias = Parameter(zeros(channels));
  }
  if (!options.track_running_stats) return;
  running_mean = zeros(channels);
  running_var = ones(channels);
}

void InstanceNorm::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
  if (!options_.track_running_stats) return;
  m("running_mean", running_mean);
  m("running_var", running_var);
  m("num_batches_tracked", num_batches_tracked);
}

void InstanceNorm::check_loaded() const {
  if (!running_var.defined() || running_var.numel() == 0) return;
  const double least = -amax(-running_var).item();
  if (least < 0) {
    throw ValueError(fmt::format("InstanceNorm: the loaded running_var must not be negative: got {}", least));
  }
}

void InstanceNorm::check_input(const Tensor& x) const {
  detail::check_floating([this] { return label(); }, x);
  const std::int64_t channels = options_.num_features;
  if (x.rank() != dimensions_ + 2 || x.size(1) != channels) {
    constexpr std::array<const char*, 3> behind{"length", "h, w", "d, h, w"};
    throw ShapeError(fmt::format("{}: input must be [n, {}, {}]: got {}", label(), channels,
                                 behind[dimensions_ - 1], to_string(x.shape())));
  }
  const bool tracks = options_.track_running_stats;
  if (!tracks && !options_.affine) return;
  const Dtype dtype = tracks ? running_mean.dtype() : weight.dtype();
  if (x.dtype() == dtype) return;
  throw DtypeError(fmt::format("{}: input is {}, {} is {}; convert the input or the model with to()", label(),
                               to_string(x.dtype()), tracks ? "running_mean" : "weight", to_string(dtype)));
}

Tensor InstanceNorm::forward(const Tensor& x) {
  check_input(x);
  const TensorOptions like{.dtype = x.dtype()};
  const Shape channels{options_.num_features};
  const Tensor scale = options_.affine ? weight.tensor() : ones(channels, like);
  const Tensor shift = options_.affine ? bias.tensor() : zeros(channels, like);
  const bool tracks = options_.track_running_stats;
  if (tracks && !is_training())
    return normalize_by(x, running_mean, scale / sqrt(running_var + options_.eps), shift);
  if (x.numel() == x.size(0) * options_.num_features && x.numel() != 0) {
    throw ShapeError(fmt::format("{}: the variance needs more than one value a channel: input is {}", label(),
                                 to_string(x.shape())));
  }
  const Tensor y = instance_norm(x, scale, shift, {.eps = options_.eps});
  if (tracks && x.numel() != 0) track(x);
  return y;
}

/// Moves the running statistics towards those of a batch: all of them or, where memory runs out, none.
void InstanceNorm::track(const Tensor& x) {
  const NoGrad no_grad;
  Counter count = num_batches_tracked;
  ++count;
  std::vector<std::int64_t> places;
  for (std::size_t d = 2; d < x.rank(); ++d) places.push_back(static_cast<std::int64_t>(d));
  const Tensor means = mean(mean(x, {.axes = places}), {.axes = {0}});
  const Tensor variances = mean(var(x, {.axes = places}), {.axes = {0}});
  const double share = options_.momentum;
  Tensor next_mean = (1 - share) * running_mean + share * means;
  running_var = (1 - share) * running_var + share * variances;
  running_mean = std::move(next_mean);
  num_batches_tracked = std::move(count);
}

}  // namespace xtgrad::v1::nn
