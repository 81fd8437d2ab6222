#include "model.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "recipes.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/sgd.h"

namespace train {

using xtgrad::Tensor;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;

Classifier::Network Classifier::make_network(const ClassifierOptions& options) {
  const std::int64_t features = options.sample.numel();
  if (options.network == "linear") return nn::Linear(features, options.classes);
  if (options.network == "perceptron") {
    return nn::Perceptron({.in_features = features,
                           .out_features = options.classes,
                           .activation = nn::ActivationKind::sigmoid});
  }
  if (options.network == "mlp") {
    std::vector<std::int64_t> sizes{features};
    sizes.insert(sizes.end(), options.hidden.begin(), options.hidden.end());
    sizes.push_back(options.classes);
    return nn::MLP({.sizes = sizes, .dropout = options.dropout});
  }
  if (options.network == "convnet") {
    const xtgrad::Shape& sample = options.sample;
    if (sample.rank() != 3) {
      throw std::invalid_argument(fmt::format(
          "--model: convnet needs images [channels, height, width], the samples are {}", to_string(sample)));
    }
    return nn::ConvNet({.in_channels = sample[0],
                        .image = {sample[1], sample[2]},
                        .channels = options.channels,
                        .hidden = options.hidden,
                        .classes = options.classes,
                        .batch_norm = options.batch_norm,
                        .dropout = options.dropout});
  }
  throw std::invalid_argument(fmt::format("--model: there is no {}", options.network));
}

Classifier::Classifier(const ClassifierOptions& options) : network_(make_network(options)) {}

Tensor Classifier::forward(const Tensor& x) {
  Tensor samples = x;
  if (!is_conv_net() && x.rank() > 2) {
    samples = flatten(x, 1);
    samples.set_name(x.name());  // they are the same to whoever looks at the graph
  }
  return std::visit([&](nn::Module& network) { return network(samples); }, network_);
}

void Classifier::members(nn::Members& m) {
  std::visit([&](nn::Module& network) { m("network", network); }, network_);
}

Tensor Classifier::loss(const Tensor& scores, const Tensor& labels) const {
  if (is_perceptron()) {
    const Tensor target = one_hot(labels, scores.size(1), {.dtype = scores.dtype()});
    const Tensor total = nn::mse_loss(scores, target, {.reduction = nn::Reduction::sum, .half = true});
    return total / static_cast<double>(scores.size(0));
  }
  return nn::cross_entropy(scores, labels);
}

std::string Classifier::loss_name() const {
  return is_perceptron() ? "half squared distance" : "cross-entropy (nats)";
}

Objective::Objective(Classifier classifier, Tensor labels)
    : classifier_(std::move(classifier)), labels_(std::move(labels)) {}

Tensor Objective::forward(const Tensor& x) { return classifier_.loss(classifier_(x), labels_); }

void Objective::members(nn::Members& m) { m("classifier", classifier_); }

Classifier make_classifier(const std::string& data, const std::string& network,
                           const xtgrad::datasets::Dataset& samples) {
  const Recipe& recipe = recipe_for(data, network);
  return Classifier({.network = network,
                     .sample = samples.sample_shape(),
                     .classes = samples.classes(),
                     .channels = recipe.channels,
                     .batch_norm = recipe.batch_norm,
                     .hidden = recipe.hidden,
                     .dropout = recipe.dropout});
}

std::unique_ptr<optim::Optimizer> make_optimizer(const std::string& name, double lr,
                                                 const Classifier& classifier) {
  const auto parameters = classifier.parameters();
  if (name == "sgd") return std::make_unique<optim::SGD>(parameters, optim::SGDOptions{.lr = lr});
  if (name == "momentum") {
    return std::make_unique<optim::SGD>(parameters, optim::SGDOptions{.lr = lr, .momentum = 0.9});
  }
  if (name == "adam") return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = lr});
  throw std::invalid_argument(fmt::format("--optimizer: there is no {}", name));
}

}  // namespace train
