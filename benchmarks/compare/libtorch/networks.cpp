// Training steps of multi-layer perceptrons and convolutional networks.

#include "benchmarks/compare/libtorch/helpers.h"

namespace bench {
namespace {

namespace nn = torch::nn;
namespace functional = torch::nn::functional;

std::unique_ptr<torch::optim::Optimizer> adam(const std::vector<torch::Tensor>& parameters, float rate) {
  return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(rate));
}

std::unique_ptr<Workload> tiny(const Name& name, float rate) {
  const std::int64_t batch = name.numbers().at(0);
  nn::Sequential model(nn::Linear(2, 16), nn::Tanh(), nn::Linear(16, 16), nn::Tanh(), nn::Linear(16, 1));
  const torch::Tensor x = input(1, {batch, 2}), y = input(2, {batch, 1});
  return std::make_unique<Training>(
      model->parameters(), [=]() mutable { return functional::mse_loss(model->forward(x), y); },
      adam(model->parameters(), rate));
}

std::unique_ptr<Workload> digits(const Name& name, float rate) {
  const std::int64_t batch = name.numbers().at(0);
  nn::Sequential model(nn::Linear(784, 256), nn::ReLU(), nn::Linear(256, 128), nn::ReLU(),
                       nn::Linear(128, 10));
  const torch::Tensor x = input(1, {batch, 784}, 0, 1), classes = labels(2, batch, 10);
  return std::make_unique<Training>(
      model->parameters(), [=]() mutable { return functional::cross_entropy(model->forward(x), classes); },
      std::make_unique<torch::optim::SGD>(model->parameters(), torch::optim::SGDOptions(rate).momentum(0.9)));
}

std::unique_ptr<Workload> small_conv_net(const Name& name, float rate) {
  const std::int64_t batch = name.numbers().at(0);
  const auto conv = [](std::int64_t in, std::int64_t out) {
    return nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1));
  };
  nn::Sequential model(conv(1, 16), nn::MaxPool2d(2), nn::ReLU(), conv(16, 32), nn::MaxPool2d(2), nn::ReLU(),
                       nn::Flatten(), nn::Linear(32 * 7 * 7, 128), nn::ReLU(), nn::Linear(128, 10));
  const torch::Tensor x = input(1, {batch, 1, 28, 28}, 0, 1), classes = labels(2, batch, 10);
  return std::make_unique<Training>(
      model->parameters(), [=]() mutable { return functional::cross_entropy(model->forward(x), classes); },
      adam(model->parameters(), rate));
}

}  // namespace

void add_networks(Families& families) {
  families["tiny_mlp_adam"] = tiny;
  families["mlp_sgdm"] = digits;
  families["convnet_adam"] = small_conv_net;
}

}  // namespace bench
