#pragma once

#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/hyper.h"

// A short training as a function of its settings, and descent on them.

namespace gallery {

using namespace xtgrad;

/// A net with random weights, and the irises that it is to tell apart.
struct Problem {
  nn::MLP model{{.sizes = {4, 16, 3}, .activation = nn::ActivationKind::tanh}};
  Tensor x;       // [150, 4], each column with mean 0 and deviation 1
  Tensor labels;  // [150]
};

Problem irises();

/// The loss after 20 steps from the net's weights, as a function of the two numbers that steer the steps.
/// Each step is recorded like any other operation, so a gradient flows back through all of them.
Tensor loss_after_training(Problem& problem, const optim::Hyper& lr, const optim::Hyper& momentum);

struct Trial {
  double lr;
  double momentum;
  double loss;
};

/// Descent on the settings, in steps that become ever smaller. Their logarithm and logit can be any numbers,
/// so no step leads to a rate below 0 or a momentum above 1.
std::vector<Trial> learn(Problem& problem, Trial start, bool learns_momentum, int trainings);

/// Every rate with every momentum, rate by rate.
std::vector<Trial> grid_search(Problem& problem, const std::vector<double>& lrs,
                               const std::vector<double>& momenta);

/// The one with the smallest loss.
[[nodiscard]] Trial best(const std::vector<Trial>& trials);
/// One number of each.
[[nodiscard]] std::vector<double> column(const std::vector<Trial>& trials, double Trial::*field);

}  // namespace gallery
