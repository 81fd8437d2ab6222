#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/sequential.h"
#include "xtgrad/plot/canvas.h"

// Networks of many layers, and how large the gradients are that arrive in each.

namespace gallery {

using namespace xtgrad;

/// What the weights are drawn from: uniformly as nn::Linear does, by Xavier's rule, or by He's.
enum class Start : std::uint8_t { linear, xavier, he };
/// What is put between the layers.
enum class Between : std::uint8_t { nothing, batch_norm, layer_norm, residual };

/// A deep network in words.
struct Recipe {
  std::string name;
  nn::ActivationKind activation;
  Start start = Start::linear;
  Between between = Between::nothing;
};

/// Ten hidden layers of 64 neurons, and one that gives the classes' scores. The same weights for all recipes
/// of one start.
[[nodiscard]] nn::Sequential deep_net(const Recipe& recipe, const datasets::Dataset& data);

/// The norm of the gradient of each layer's weights, from the first layer to the last, after a `backward`.
[[nodiscard]] std::vector<double> gradient_norms(const nn::Sequential& net);

/// The same on one batch, before any training.
[[nodiscard]] std::vector<double> first_gradient_norms(const Recipe& recipe, const datasets::Dataset& data,
                                                       const datasets::Batch& batch);

/// A gradient's way from layer to layer in a network with nothing between its layers.
struct WayBack {
  std::vector<double> factors;  ///< norm of the gradient at layer l, over that at layer l + 1
  std::vector<double> stretch;  ///< of layer l + 1: how much longer its weights can make a vector, at most
};
[[nodiscard]] WayBack way_back(const Recipe& recipe, const datasets::Dataset& data,
                               const datasets::Batch& batch);

/// A training by plain gradient descent.
struct Descent {
  std::vector<std::vector<double>> norms;  ///< `gradient_norms` of each step
  double loss = 0;                         ///< mean of the last epoch, in nats
  double accuracy = 0;                     ///< likewise, from 0 to 1
};
[[nodiscard]] Descent descend(const Recipe& recipe, const datasets::Loader& loader, std::int64_t epochs);

/// Logarithms of the norms as a heat map, layers down and steps to the right.
[[nodiscard]] plot::Canvas norms_map(const Recipe& recipe, const Descent& descent);

}  // namespace gallery
