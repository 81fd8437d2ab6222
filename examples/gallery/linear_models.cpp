#include "linear_models.h"

#include <memory>

#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/training/training.h"

namespace gallery {

TwoMatrices::TwoMatrices(const datasets::Dataset& data, std::int64_t hidden, nn::ActivationKind activation)
    : first(data.sample_shape().numel(), hidden), second(hidden, data.classes()), between(activation) {}

Tensor TwoMatrices::forward(const Tensor& x) { return second(nn::activate(first(flatten(x, 1)), between)); }

void TwoMatrices::members(nn::Members& m) {
  m("first", first);
  m("second", second);
}

void train(nn::Module& model, const training::Loss& loss, const Task& task) {
  optim::Adam adam(model.parameters(), {.lr = task.lr});
  const datasets::Loader batches(task.data.train, {.batch_size = 50, .shuffle = true});
  const optim::Schedule falling = optim::cosine({.steps = task.epochs * batches.batches()});
  training::Trainer trainer(model, loss, adam, batches, {.epochs = task.epochs, .schedule = falling});
  trainer.fit();
}

nn::LinearClassifier one_matrix(const Task& task, double lambda) {
  const datasets::Dataset& data = task.data.train;
  nn::LinearClassifier model({.input = data.sample_shape(), .classes = data.classes()});
  const auto loss = [&](const Tensor& scores, const Tensor& labels) {
    return nn::cross_entropy(scores, labels) + lambda * sum(square(model.templates()));
  };
  train(model, loss, task);
  return model;
}

TwoMatrices two_matrices(const Task& task, std::int64_t hidden, nn::ActivationKind between) {
  TwoMatrices model(task.data.train, hidden, between);
  train(model, nn::cross_entropy, task);
  return model;
}

double validated(const Task& task, double lambda) {
  const Task part{task.name, datasets::stratified_split(task.data.train, {.test = 1.0 / 6}), task.epochs,
                  task.lr};
  nn::LinearClassifier model = one_matrix(part, lambda);
  return accuracy(model, part);
}

double accuracy(nn::Module& model, const Task& task) {
  const auto metric = std::make_shared<training::Accuracy>();
  const datasets::Loader batches(task.data.test, {.batch_size = 500});
  training::evaluate(model, nn::cross_entropy, batches, {metric});
  return 100 * metric->value();
}

}  // namespace gallery
