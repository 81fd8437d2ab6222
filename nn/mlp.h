#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct MLPOptions {
  std::vector<std::int64_t> sizes = {};  ///< features of the input, of each hidden layer, of the output
  ActivationKind activation = ActivationKind::relu;
  double slope = 0.01;  ///< of leaky_relu for x < 0
  double alpha = 1;     ///< of elu
  double dropout = 0;   ///< after each hidden activation; in [0, 1]
  bool bias = true;
};

/// A multi-layer perceptron: Linear layers with an activation, and dropout if asked for, after each but the
/// last. [..., sizes.front()] to [..., sizes.back()].
///
///   nn::MLP model{{.sizes = {64, 128, 10}, .activation = nn::ActivationKind::tanh, .dropout = 0.1}};
///
/// Throws ValueError for fewer than two sizes, a negative one, or a dropout outside [0, 1].
class MLP : public Module {
 public:
  explicit MLP(const MLPOptions& options);
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

  std::vector<Linear> layers;
  std::vector<Dropout> dropouts;  // one for each hidden layer; none without dropout

 private:
  ActivationKind activation_;
  ActivationOptions shape_;
};

}}}  // namespace xtgrad::v1::nn
