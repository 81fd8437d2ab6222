#include "trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "interrupt.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/check_grads.h"

namespace train {

using xtgrad::Tensor;
namespace datasets = xtgrad::datasets;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;

namespace {

constexpr std::int64_t checked_samples = 8;  // enough for every class boundary to matter, and soon done

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Sums over samples, of which the means are what we want to know.
struct Totals {
  std::int64_t samples = 0;
  double loss = 0;
  std::int64_t correct = 0;

  void add(double mean_loss, const Tensor& scores, const Tensor& labels) {
    const std::int64_t n = labels.size(0);
    samples += n;
    loss += mean_loss * static_cast<double>(n);
    correct += sum(equal(argmax(scores, 1), labels).to(xtgrad::int64)).item_int64();
  }
  [[nodiscard]] Score score() const {
    const auto n = static_cast<double>(samples);
    return {.loss = loss / n, .accuracy = static_cast<double>(correct) / n};
  }
};

datasets::Dataset first_samples(const datasets::Dataset& data, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(count, data.size())));
  std::iota(indices.begin(), indices.end(), 0);
  return data.subset(indices);
}

/// One pass over the training samples.
Score train_epoch(std::int64_t epoch, Classifier& classifier, optim::Optimizer& optimizer,
                  datasets::Loader& loader, Progress& progress) {
  Totals totals;
  for (const auto& [x, labels] : loader) {
    throw_if_interrupted();
    const Tensor scores = classifier(x);
    const Tensor loss = classifier.loss(scores, labels);
    const double value = loss.item();
    if (!std::isfinite(value)) {
      throw std::runtime_error(
          fmt::format("the loss became {} in epoch {} at learning rate {}: try a smaller --lr", value, epoch,
                      optimizer.lr()));
    }
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();

    totals.add(value, scores, labels);
    progress.step(epoch, totals.samples, totals.score().loss, totals.score().accuracy);
  }
  return totals.score();
}

}  // namespace

Score evaluate(Classifier& classifier, const datasets::Dataset& data) {
  const xtgrad::NoGrad no_grad;
  const bool was_training = classifier.is_training();
  classifier.eval();
  const Tensor scores = classifier(data.inputs());
  classifier.train(was_training);
  Totals totals;
  totals.add(classifier.loss(scores, data.labels()).item(), scores, data.labels());
  return totals.score();
}

std::vector<EpochRecord> fit(Classifier& classifier, const Splits& data, const Options& options,
                             Progress& progress) {
  const auto optimizer = make_optimizer(options, classifier);
  datasets::Loader loader(data.train,
                          {.batch_size = options.batch_size, .shuffle = true, .seed = options.seed});
  std::vector<EpochRecord> records;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const Clock::time_point start = Clock::now();
    const Score train = train_epoch(epoch, classifier, *optimizer, loader, progress);
    const double training_seconds = seconds_since(start);
    const Score validation = evaluate(classifier, data.validation);
    records.push_back({.epoch = epoch,
                       .loss = train.loss,
                       .accuracy = train.accuracy,
                       .validation_loss = validation.loss,
                       .validation_accuracy = validation.accuracy,
                       .samples_per_second = static_cast<double>(data.train.size()) / training_seconds,
                       .seconds = seconds_since(start)});
    progress.end_epoch(records.back());
  }
  return records;
}

xtgrad::CheckGradsReport check_gradients(const Classifier& classifier, const datasets::Dataset& data) {
  const datasets::Dataset few = first_samples(data, checked_samples);
  // A relu has a kink, and with hundreds of them one may be near: the check then moves beside it.
  const auto report = nn::check_grads(Objective(classifier, few.labels()), few.inputs(),
                                      {.order = checked_order, .avoid_kinks = true});
  if (!report) throw xtgrad::GradientError(report.message);
  return report;
}

Tensor first_loss(const Classifier& classifier, const datasets::Dataset& data, std::int64_t batch_size) {
  const datasets::Dataset batch = first_samples(data, batch_size);
  Classifier copy(classifier);  // for a forward moves dropout's random stream on
  batch.inputs().set_name("inputs");
  const Tensor loss = copy.loss(copy(batch.inputs()), batch.labels());
  loss.set_name("loss");
  return loss;
}

}  // namespace train
