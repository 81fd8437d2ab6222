#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct NeuronOptions {
  std::int64_t in_features = required;        ///< may be left out where the weights are given
  std::vector<double> weights = {};           ///< at first; uniform in [-1/sqrt(in), 1/sqrt(in)) if empty
  std::optional<double> bias = std::nullopt;  ///< at first; if absent 0 beside given weights, else as they
  ActivationKind activation = ActivationKind::sigmoid;
  double slope = 0.01;  ///< of leaky_relu for x < 0
  double alpha = 1;     ///< of elu
};

/// One neuron: activation(w . x + b), [..., in] to [...]. The bias is the threshold with its sign turned, so
/// this one fires where both inputs are 1:
///
///   nn::Neuron both{{.weights = {1, 1}, .bias = -1, .activation = nn::ActivationKind::step}};
///   Tensor y = both(tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}));  // [0, 0, 0, 1]
///
/// Parameters: weight [in] and bias [], in the default dtype. The step has no gradient, the other activations
/// have. Several neurons side by side are a Perceptron. Throws ValueError for a size that is missing or
/// contradicts the weights, ShapeError or DtypeError for an input that does not fit.
class Neuron : public Module {
 public:
  explicit Neuron(const NeuronOptions& options);
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  /// w . x + b, before the activation.
  [[nodiscard]] Tensor weighted_sum(const Tensor& x) const;

  Parameter weight;  // [in]
  Parameter bias;    // []

 private:
  ActivationKind activation_;
  ActivationOptions shape_;
};

}}}  // namespace xtgrad::v1::nn
