#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "options.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/perceptron.h"
#include "xtgrad/optim/optimizer.h"

namespace train {

struct ClassifierOptions {
  std::string network = "mlp";  ///< linear, perceptron or mlp
  std::int64_t features = 0;
  std::int64_t classes = 0;
};

/// One of three networks, [n, features] to scores [n, classes], with the loss that goes with it. The class of
/// the largest score is the answer.
///
///   linear      scores x W^T + b, cross entropy: multinomial logistic regression
///   perceptron  one layer of sigmoid units, half the squared distance to the one-hot label
///   mlp         a hidden layer with relu and dropout, cross entropy
class Classifier : public xtgrad::nn::Module {
 public:
  explicit Classifier(const ClassifierOptions& options);
  xtgrad::Tensor forward(const xtgrad::Tensor& x) override;
  void members(xtgrad::nn::Members& m) override;

  /// Mean over the samples, 0-d; `labels` are int64 [n].
  [[nodiscard]] xtgrad::Tensor loss(const xtgrad::Tensor& scores, const xtgrad::Tensor& labels) const;

 private:
  // A variant, not a pointer to Module: a copy of a Classifier is a whole copy, which the gradient check
  // needs.
  using Network = std::variant<xtgrad::nn::Linear, xtgrad::nn::Perceptron, xtgrad::nn::MLP>;
  static Network make_network(const ClassifierOptions& options);

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

/// "sgd", "momentum" (0.9) or "adam".
[[nodiscard]] std::unique_ptr<xtgrad::optim::Optimizer> make_optimizer(const Options& options,
                                                                       const Classifier& classifier);

}  // namespace train
