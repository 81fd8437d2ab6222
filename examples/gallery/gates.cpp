#include "gates.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/binary_cross_entropy.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/plot/grid.h"

namespace gallery {

Tensor patterns(int bits) {
  std::vector<double> values;
  for (int i = 0; i < 1 << bits; ++i) {
    for (int bit = bits - 1; bit >= 0; --bit) values.push_back((i >> bit) & 1);
  }
  return reshape(from_vector(values), {-1, bits});
}

nn::Neuron gate(double w1, double w2, double bias) {
  return nn::Neuron{{.weights = {w1, w2}, .bias = bias, .activation = nn::ActivationKind::step}};
}

Tensor fires(nn::Module& model, const Tensor& points) {
  const NoGrad no_grad;
  return reshape(greater(model(points), 0).to(int64), {-1});
}

int right(nn::Module& model, const Tensor& wanted) {
  return static_cast<int>(sum(equal(fires(model, patterns(2)), wanted).to(float64)).item());
}

nn::Neuron best_gate(const Tensor& wanted) {
  nn::Neuron best = gate(0, 0, 0);
  for (double w1 = -1.5; w1 <= 1.5; w1 += 0.5) {
    for (double w2 = -1.5; w2 <= 1.5; w2 += 0.5) {
      for (double bias = -1.5; bias <= 1.5; bias += 0.5) {
        nn::Neuron neuron = gate(w1, w2, bias);
        if (right(neuron, wanted) > right(best, wanted)) best = neuron;
      }
    }
  }
  return best;
}

nn::MLP trained(const Tensor& wanted, std::int64_t hidden, std::uint64_t seed) {
  manual_seed(seed);
  nn::MLP model{{.sizes = {2, hidden, 1}, .activation = nn::ActivationKind::tanh}};
  optim::Adam adam(model.parameters(), {.lr = 0.05});
  for (int step = 0; step < 300; ++step) {
    const Tensor loss = nn::bce_with_logits(reshape(model(patterns(2)), {4}), wanted.to(float64));
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  return model;
}

std::vector<nn::MLP> learners(const Tensor& wanted, std::int64_t hidden) {
  std::vector<nn::MLP> networks;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    nn::MLP model = trained(wanted, hidden, seed);
    if (right(model, wanted) == 4) networks.push_back(model);
  }
  return networks;
}

int functions_of_gates() {
  int computed = 0;
  const Tensor functions = patterns(4).to(int64);  // a row is a function's answers to the four patterns
  for (int i = 0; i < 16; ++i) {
    const Tensor wanted = reshape(slice(functions, {.start = i, .stop = i + 1}), {4});
    nn::Neuron neuron = best_gate(wanted);
    if (right(neuron, wanted) == 4) ++computed;
  }
  return computed;
}

plot::Chart plane(const std::string& title, nn::Module& model, const PatternTask& task) {
  const std::vector<std::string> names{"answer 0", "answer 1"};
  const plot::Grid grid{.x = task.range, .y = task.range};
  plot::Chart chart{
      .title = title, .x = {.label = task.axis + "₁"}, .y = {.label = task.axis + "₂"}, .equal_units = true};
  chart.layers = plot::class_points(task.points, task.wanted, names);
  chart.layers.emplace_back(
      plot::Regions{.grid = grid, .classes = fires(model, plot::grid_points(grid)), .names = names});
  return chart;
}

}  // namespace gallery
