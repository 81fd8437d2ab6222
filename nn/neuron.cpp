#include "xtgrad/nn/neuron.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {
namespace {

std::int64_t inputs_of(const NeuronOptions& options) {
  const auto given = static_cast<std::int64_t>(options.weights.size());
  if (given > 0 && options.in_features == required) return given;
  detail::check_option("Neuron", "in_features", options.in_features, 0);
  if (given > 0 && given != options.in_features) {
    throw ValueError(
        fmt::format("Neuron: weights need one for each of in_features: got {} weights, {} features", given,
                    options.in_features));
  }
  return options.in_features;
}

}  // namespace

Neuron::Neuron(const NeuronOptions& options)
    : activation_(options.activation), shape_{.slope = options.slope, .alpha = options.alpha} {
  const std::int64_t in = inputs_of(options);
  const double bound = in == 0 ? 0.0 : 1 / std::sqrt(static_cast<double>(in));
  const bool random = options.weights.empty();
  weight = Parameter(random ? uniform({in}, {.low = -bound, .high = bound})
                            : from_vector(options.weights).to(default_dtype()));
  bias = Parameter(options.bias || !random ? full({}, options.bias.value_or(0))
                                           : uniform({}, {.low = -bound, .high = bound}));
}

void Neuron::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Neuron::forward(const Tensor& x) { return activate(weighted_sum(x), activation_, shape_); }

Tensor Neuron::weighted_sum(const Tensor& x) const {
  const Tensor w = weight;
  const Shape& shape = x.shape();
  if (shape.rank() == 0 || shape.back() != w.numel()) {
    throw ShapeError(
        fmt::format("{}: input must be [..., {}]: got {}", label(), w.numel(), to_string(shape)));
  }
  if (x.dtype() != w.dtype()) {
    throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                                 label(), to_string(x.dtype()), to_string(w.dtype())));
  }
  Shape rows;
  for (std::size_t i = 0; i + 1 < shape.rank(); ++i) rows.push_back(shape[i]);
  const Tensor flat = reshape(x, Shape{rows.numel(), w.numel()});
  return reshape(matmul(flat, reshape(w, Shape{w.numel(), 1})), rows) + bias;
}

}  // namespace xtgrad::v1::nn
