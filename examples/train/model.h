#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "xtgrad/autograd/shape.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/nn/conv_net.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/perceptron.h"
#include "xtgrad/optim/optimizer.h"

namespace train {

struct ClassifierOptions {
  std::string network = "mlp";  ///< linear, perceptron, mlp or convnet
  xtgrad::Shape sample = {};    ///< [features], or an image [channels, height, width]
  std::int64_t classes = 0;
  std::vector<std::int64_t> channels = {};  ///< of a convnet's stages
  bool batch_norm = false;                  ///< in a convnet
  std::vector<std::int64_t> hidden = {};    ///< features of the dense layers but the last; mlp and convnet
  double dropout = 0;                       ///< before dense layers; mlp and convnet
};

/// One of four networks, samples [n, ...] to scores [n, classes], with the loss that goes with it. The class
/// of the largest score is the answer.
///
///   linear      scores x W^T + b, cross entropy: multinomial logistic regression
///   perceptron  one layer of sigmoid units, half the squared distance to the one-hot label
///   mlp         hidden layers with relu and dropout, cross entropy
///   convnet     stages of convolution, relu and pooling, then an mlp, cross entropy
class Classifier : public xtgrad::nn::Module {
 public:
  /// Throws std::invalid_argument for another network, and for a convnet of samples that are no images.
  explicit Classifier(const ClassifierOptions& options);
  xtgrad::Tensor forward(const xtgrad::Tensor& x) override;
  void members(xtgrad::nn::Members& m) override;

  /// Mean over the samples, 0-d; `labels` are int64 [n].
  [[nodiscard]] xtgrad::Tensor loss(const xtgrad::Tensor& scores, const xtgrad::Tensor& labels) const;

  /// What that is, for an axis: "cross-entropy (nats)" or "half squared distance".
  [[nodiscard]] std::string loss_name() const;

  [[nodiscard]] bool is_conv_net() const { return std::holds_alternative<xtgrad::nn::ConvNet>(network_); }
  [[nodiscard]] xtgrad::nn::ConvNet* conv_net() {
    return std::get_if<xtgrad::nn::ConvNet>(&network_);
  }  ///< or null

 private:
  // A variant, not a pointer to Module: a copy of a Classifier is a whole copy, which the gradient check
  // needs.
  using Network =
      std::variant<xtgrad::nn::Linear, xtgrad::nn::Perceptron, xtgrad::nn::MLP, xtgrad::nn::ConvNet>;
  static Network make_network(const ClassifierOptions& options);
  [[nodiscard]] bool is_perceptron() const {
    return std::holds_alternative<xtgrad::nn::Perceptron>(network_);
  }

  Network network_;
};

/// A classifier with its loss as one function of the samples: what training differentiates.
class Objective : public xtgrad::nn::Module {
 public:
  Objective(Classifier classifier, xtgrad::Tensor labels);
  xtgrad::Tensor forward(const xtgrad::Tensor& x) override;
  void members(xtgrad::nn::Members& m) override;

 private:
  Classifier classifier_;
  xtgrad::Tensor labels_;
};

/// The network of that name with what its recipe for that data set says (recipes.h), for samples like these.
[[nodiscard]] Classifier make_classifier(const std::string& data, const std::string& network,
                                         const xtgrad::datasets::Dataset& samples);

/// "sgd", "momentum" (0.9) or "adam".
[[nodiscard]] std::unique_ptr<xtgrad::optim::Optimizer> make_optimizer(const std::string& name, double lr,
                                                                       const Classifier& classifier);

}  // namespace train
