#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/linear_classifier.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/training/loss.h"

// Classifiers of one matrix and of two, and how they are trained.

namespace gallery {

using namespace xtgrad;

/// What is to be learnt, and for how long.
struct Task {
  std::string name;
  datasets::TrainTest data;
  std::int64_t epochs;
  double lr;
};

/// Scores of the classes for samples of any shape: W2 f(W1 x + b1) + b2, with an activation f, or, if that is
/// `identity`, none.
struct TwoMatrices : nn::Module {
  TwoMatrices(const datasets::Dataset& data, std::int64_t hidden, nn::ActivationKind activation);
  Tensor forward(const Tensor& x) override;
  void members(nn::Members& m) override;

  nn::Linear first;
  nn::Linear second;
  nn::ActivationKind between;
};

void train(nn::Module& model, const training::Loss& loss, const Task& task);

/// Trained, with the loss
///
///   mean cross-entropy + lambda (sum of the squares of all weights but the biases)
[[nodiscard]] nn::LinearClassifier one_matrix(const Task& task, double lambda);
[[nodiscard]] TwoMatrices two_matrices(const Task& task, std::int64_t hidden, nn::ActivationKind between);

/// How many of a sixth of the training samples get the right class from `one_matrix` that has learnt from the
/// other five, in percent.
[[nodiscard]] double validated(const Task& task, double lambda);

/// How many of the test samples get the right class, in percent.
[[nodiscard]] double accuracy(nn::Module& model, const Task& task);

}  // namespace gallery
