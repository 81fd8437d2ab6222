#include "deep_net.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/training/training.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>

namespace gallery {

namespace {

constexpr std::int64_t layers = 10;
constexpr std::int64_t width = 64;
constexpr std::size_t parts = 30;  // columns of a heat map

/// The layers' weights; biases and the scales of normalisations are vectors.
std::vector<nn::ParameterRef> matrices(const nn::Sequential& net) {
  std::vector<nn::ParameterRef> found;
  for (const nn::ParameterRef& parameter : net.parameters()) {
    if (parameter->shape().rank() == 2) found.push_back(parameter);
  }
  return found;
}

void start_from(Start start, const nn::Sequential& net) {
  if (start == Start::linear) return;
  for (const nn::ParameterRef& weight : matrices(net)) {
    const Shape& shape = weight->shape();
    weight->set_value(start == Start::xavier ? nn::init::xavier_uniform(shape)
                                             : nn::init::kaiming_uniform(shape));
  }
}

double length_of(const Tensor& x) { return std::sqrt(sum(square(x.to(float64))).item()); }

/// The largest |W v| of all v of length 1, by power iteration.
double largest_stretch(const Tensor& w) {
  Tensor v = ones({w.size(1), 1}, {.dtype = w.dtype()});
  for (int i = 0; i < 200; ++i) {
    v = matmul(w, matmul(w, v), {.transpose_a = true});
    v = v / length_of(v);
  }
  return length_of(matmul(w, v));
}

/// Notes the gradients of every step.
class GradientNorms final : public training::Callback {
 public:
  explicit GradientNorms(const nn::Sequential& net) : net_(net) {}
  void after_step(training::Trainer& /*trainer*/, const training::StepRecord& /*step*/) override {
    norms_.push_back(gradient_norms(net_));
  }
  [[nodiscard]] const std::vector<std::vector<double>>& norms() const { return norms_; }

 private:
  const nn::Sequential& net_;
  std::vector<std::vector<double>> norms_;
};

/// Logarithms of each layer's norms, [layers, parts], each the mean over a part of the training.
Tensor log_norms(const std::vector<std::vector<double>>& norms) {
  const std::size_t steps = norms.size() / parts;
  std::vector<double> means;
  for (std::size_t layer = 0; layer < norms[0].size(); ++layer) {
    for (std::size_t part = 0; part < parts; ++part) {
      double sum = 0;
      for (std::size_t i = 0; i < steps; ++i) sum += std::log10(norms[part * steps + i][layer]);
      means.push_back(sum / static_cast<double>(steps));
    }
  }
  return reshape(from_vector(means), {-1, static_cast<std::int64_t>(parts)});
}

}  // namespace

nn::Sequential deep_net(const Recipe& recipe, const datasets::Dataset& data) {
  manual_seed(0);
  nn::Sequential net;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    nn::Linear linear{layer == 0 ? data.sample_shape().numel() : width, width};
    const nn::Activation activation{recipe.activation};
    if (recipe.between == Between::residual && layer > 0) {
      net.add(nn::Residual{nn::Sequential{linear, activation}});
      continue;
    }
    net.add(linear);
    if (recipe.between == Between::batch_norm) net.add(nn::BatchNorm1d{{.num_features = width}});
    if (recipe.between == Between::layer_norm) net.add(nn::LayerNorm{{.normalized_shape = {width}}});
    net.add(activation);
  }
  net.add(nn::Linear{width, data.classes()});
  start_from(recipe.start, net);
  return net;
}

std::vector<double> gradient_norms(const nn::Sequential& net) {
  std::vector<double> norms;
  for (const nn::ParameterRef& weight : matrices(net)) norms.push_back(length_of(weight->grad()));
  return norms;
}

std::vector<double> first_gradient_norms(const Recipe& recipe, const datasets::Dataset& data,
                                         const datasets::Batch& batch) {
  nn::Sequential net = deep_net(recipe, data);
  nn::cross_entropy(net(batch.inputs), batch.labels).backward();
  return gradient_norms(net);
}

WayBack way_back(const Recipe& recipe, const datasets::Dataset& data, const datasets::Batch& batch) {
  nn::Sequential net = deep_net(recipe, data);
  Tensor x = batch.inputs;
  std::vector<Tensor> sums;  // of each layer, before its activation
  for (std::size_t i = 0; i < net.size(); ++i) {
    x = net[i](x);
    if (i % 2 == 0) sums.push_back(x.retain_grad());
  }
  nn::cross_entropy(x, batch.labels).backward();
  WayBack way;
  const std::vector<nn::ParameterRef> weights = matrices(net);
  for (std::size_t layer = 0; layer + 1 < sums.size(); ++layer) {
    way.factors.push_back(length_of(sums[layer].grad()) / length_of(sums[layer + 1].grad()));
    way.stretch.push_back(largest_stretch(weights[layer + 1]->tensor().detach()));
  }
  return way;
}

Descent descend(const Recipe& recipe, const datasets::Loader& loader, std::int64_t epochs) {
  nn::Sequential net = deep_net(recipe, loader.data());
  optim::SGD sgd(net.parameters(), {.lr = 0.05});
  const auto norms = std::make_shared<GradientNorms>(net);
  training::Trainer trainer(
      net, nn::cross_entropy, sgd, loader,
      {.epochs = epochs, .metrics = {std::make_shared<training::Accuracy>()}, .callbacks = {norms}});
  trainer.fit();
  const training::EpochRecord last = trainer.records().back();
  return {norms->norms(), last.at("loss"), last.at("accuracy")};
}

plot::Canvas norms_map(const Recipe& recipe, const Descent& descent) {
  plot::HeatMap map{.values = log_norms(descent.norms),
                    .title = recipe.name,
                    .note = fmt::format(
                        "{} steps; loss {:.2f} in the last epoch; darkest: −8 or less, brightest: 0 or more",
                        descent.norms.size(), descent.loss),
                    .row_label = "layer",
                    .column_label = "step",
                    .value_label = "log₁₀ of the norm",
                    .range = plot::Range{-8, 0},
                    .numbers = false};
  for (std::size_t layer = 1; layer <= descent.norms[0].size(); ++layer) {
    map.row_names.push_back(std::to_string(layer));
  }
  for (std::size_t part = 0; part < parts; ++part) {
    map.column_names.push_back(part % 5 == 0 ? std::to_string(part * (descent.norms.size() / parts)) : "");
  }
  return plot::draw_heat_map(map);
}

}  // namespace gallery
