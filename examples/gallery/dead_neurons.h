#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/nn/activations.h"

// Hidden neurons that have stopped learning, counted while a network is trained.

namespace gallery {

using namespace xtgrad;

struct DeathsOptions {
  nn::ActivationKind activation = nn::ActivationKind::relu;
  double lr = 0.002;
  std::int64_t epochs = 10;
};

/// After each epoch of a training, and before the first.
struct Deaths {
  std::vector<double> dead;  ///< percent of the hidden neurons
  std::vector<double> loss;  ///< over all samples, in nats
};

/// Trains a network with two hidden layers of 100 neurons by Adam. A neuron is dead if its
/// slope is below a thousandth for every sample of the data: next to no gradient gets through it, and so
/// nothing brings it back. For a ReLU that is a neuron whose output is 0 for all samples.
[[nodiscard]] Deaths deaths_in_training(const datasets::Dataset& data, const DeathsOptions& options);

}  // namespace gallery
