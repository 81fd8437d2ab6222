#include "differentiable_training.h"

#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cmath>

namespace gallery {

Problem irises() {
  const datasets::Dataset data = datasets::iris();
  const Tensor centred = data.inputs() - mean(data.inputs(), {.axes = {0}});
  return {.x = centred / sqrt(mean(square(centred), {.axes = {0}})), .labels = data.labels()};
}

Tensor loss_after_training(Problem& problem, const optim::Hyper& lr, const optim::Hyper& momentum) {
  const std::vector<nn::ParameterRef> slots = problem.model.parameters();
  std::vector<Tensor> weights;
  for (const nn::ParameterRef& slot : slots) weights.push_back(slot->tensor());
  const auto loss_of = [&] {
    const nn::WithParameters scope(slots, weights);
    return nn::cross_entropy(problem.model(problem.x), problem.labels);
  };
  std::vector<optim::State> states;
  for (int step = 0; step < 20; ++step) {
    const std::vector<Tensor> loss{loss_of()};
    const std::vector<Tensor> gradients = grad(loss, weights, {.create_graph = true});
    const optim::SGDOptions options{.lr = lr, .momentum = momentum};
    optim::Stepped stepped = optim::step(weights, gradients, states, options);
    weights = stepped.parameters;
    states = stepped.states;
  }
  return loss_of();
}

std::vector<Trial> learn(Problem& problem, Trial start, bool learns_momentum, int trainings) {
  nn::Parameter log_lr(tensor(std::log(start.lr)));
  nn::Parameter logit(tensor(std::log(start.momentum / (1 - start.momentum))));
  logit.set_requires_grad(learns_momentum);
  optim::Adam adam({log_lr.cell(), logit.cell()}, {.lr = 0.7, .beta2 = 0.9});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = trainings}));
  std::vector<Trial> path;
  for (int i = 0; i < trainings; ++i) {
    rates.apply(adam, i);
    const Tensor lr = exp(log_lr);
    const Tensor momentum = sigmoid(logit);
    const Tensor loss = loss_after_training(problem, lr, momentum);
    path.push_back({lr.item(), momentum.item(), loss.item()});
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  return path;
}

std::vector<Trial> grid_search(Problem& problem, const std::vector<double>& lrs,
                               const std::vector<double>& momenta) {
  std::vector<Trial> grid;
  for (const double momentum : momenta) {
    for (const double lr : lrs) {
      grid.push_back({lr, momentum, loss_after_training(problem, lr, momentum).item()});
    }
  }
  return grid;
}

Trial best(const std::vector<Trial>& trials) {
  return *std::min_element(trials.begin(), trials.end(),
                           [](const Trial& a, const Trial& b) { return a.loss < b.loss; });
}

std::vector<double> column(const std::vector<Trial>& trials, double Trial::*field) {
  std::vector<double> values;
  for (const Trial& trial : trials) values.push_back(trial.*field);
  return values;
}

}  // namespace gallery
