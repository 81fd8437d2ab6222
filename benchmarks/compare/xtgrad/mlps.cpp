// Training steps of multi-layer perceptrons.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;

/// 2-16-16-1 with tanh, squared error and Adam.
std::unique_ptr<Workload> tiny(const Name& name, float rate) {
  const std::int64_t batch = name.numbers().at(0);
  auto model = std::make_shared<nn::MLP>(
      nn::MLPOptions{.sizes = {2, 16, 16, 1}, .activation = nn::ActivationKind::tanh});
  set_parameters(model->parameters());
  const Tensor x = input(1, {batch, 2});
  const Tensor y = input(2, {batch, 1});
  return std::make_unique<Training>(
      [=] { return nn::mse_loss((*model)(x), y); },
      std::make_unique<optim::Adam>(model->parameters(), optim::AdamOptions{.lr = rate}));
}

/// 784-256-128-10 with relu, cross entropy, and gradient descent with momentum.
std::unique_ptr<Workload> digits(const Name& name, float rate) {
  const std::int64_t batch = name.numbers().at(0);
  auto model = std::make_shared<nn::MLP>(nn::MLPOptions{.sizes = {784, 256, 128, 10}});
  set_parameters(model->parameters());
  const Tensor x = input(1, {batch, 784}, 0, 1);
  const Tensor labels = xtgrad::from_vector(integers(2, batch, 10));
  return std::make_unique<Training>(
      [=] { return nn::cross_entropy((*model)(x), labels); },
      std::make_unique<optim::SGD>(model->parameters(), optim::SGDOptions{.lr = rate, .momentum = 0.9}));
}

}  // namespace

void add_mlps(Families& families) {
  families["tiny_mlp_adam"] = tiny;
  families["mlp_sgdm"] = digits;
}

}  // namespace bench
