#include "trainer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "augmentation.h"
#include "evaluate.h"
#include "interrupt.h"
#include "schedule.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace train {

using xtgrad::Tensor;
namespace datasets = xtgrad::datasets;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t record_columns = 6;

std::int64_t nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

Tensor as_row(const EpochRecord& record) {
  const std::array<double, record_columns> numbers{record.loss,
                                                   record.accuracy,
                                                   record.validation_loss,
                                                   record.validation_accuracy,
                                                   record.samples_per_second,
                                                   record.seconds};
  return xtgrad::from_span(numbers, {1, record_columns}, {.dtype = xtgrad::float64});
}

datasets::LoaderOptions loader_options(const Options& options, const datasets::Dataset& data) {
  datasets::LoaderOptions result{
      .batch_size = options.batch_size, .shuffle = true, .seed = options.seed, .workers = options.workers};
  if (options.augment)
    result.sample_transform = augmentation_for(options.data, data.sample_shape()).transform;
  return result;
}

optim::Schedule schedule_for(const Options& options, std::int64_t batches) {
  return make_schedule(
      {.name = options.schedule, .warmup = options.warmup, .steps = options.epochs * batches});
}

}  // namespace

Trainer::Trainer(Classifier& classifier, const Splits& data, const Options& options)
    : classifier_(classifier),
      validation_(data.validation),
      loader_(data.train, loader_options(options, data.train)),
      optimizer_(make_optimizer(options.optimizer, options.lr, classifier)),
      rates_(*optimizer_, schedule_for(options, loader_.batches())),
      epochs_(options.epochs),
      loss_sum_(xtgrad::full({}, 0, {.dtype = xtgrad::float64})) {}

void Trainer::members(nn::Members& m) {
  m("model", classifier_);
  m("optimizer", *optimizer_);
  m("random", xtgrad::default_random());
  m("epoch", epoch_);
  m("batch", batch_);
  m("samples", samples_);
  m("correct", correct_);
  m("loss_sum", loss_sum_);
  m("nanoseconds", nanoseconds_);
  m("records", records_);
}

void Trainer::restore(const nn::StateDict& state) {
  load_state_dict(state);
  check_state();
}

void Trainer::check_state() const {
  const auto require = [](bool right, const char* what, std::int64_t value, std::int64_t most) {
    if (right) return;
    throw xtgrad::ValueError(fmt::format("{} must be from 0 to {}: got {}", what, most, value));
  };
  require(epoch_ >= 0 && epoch_ <= epochs_, "epoch", epoch_, epochs_);
  const std::int64_t most = epoch_ < epochs_ ? loader_.batches() : 0;
  require(batch_ >= 0 && batch_ <= most, "batch", batch_, most);
  const xtgrad::Shape expected{epoch_, record_columns};
  const bool fits =
      epoch_ == 0 ? !records_.defined()
                  : records_.defined() && records_.dtype() == xtgrad::float64 && records_.shape() == expected;
  if (!fits) {
    throw xtgrad::ValueError(fmt::format("records must be float64 {}: got {}", to_string(expected),
                                         records_.defined() ? to_string(records_.shape()) : "none"));
  }
}

std::vector<EpochRecord> Trainer::records() const {
  std::vector<EpochRecord> records;
  for (std::int64_t i = 0; i < epoch_; ++i) {
    records.push_back({.epoch = i + 1,
                       .loss = records_.at({i, 0}),
                       .accuracy = records_.at({i, 1}),
                       .validation_loss = records_.at({i, 2}),
                       .validation_accuracy = records_.at({i, 3}),
                       .samples_per_second = records_.at({i, 4}),
                       .seconds = records_.at({i, 5})});
  }
  return records;
}

void Trainer::fit(Progress& progress, const std::function<void()>& after_step) {
  while (epoch_ < epochs_) {
    train_epoch(progress, after_step);
    end_epoch(progress);
  }
}

void Trainer::train_epoch(Progress& progress, const std::function<void()>& after_step) {
  loader_.set_epoch(epoch_);
  Clock::time_point start = Clock::now();
  for (auto at = loader_.begin_at(batch_); at != loader_.end(); ++at) {
    throw_if_interrupted();
    train_step(*at);
    nanoseconds_ += nanoseconds_since(std::exchange(start, Clock::now()));
    const auto n = static_cast<double>(samples_);
    progress.step(epoch_ + 1, samples_, loss_sum_.item() / n, static_cast<double>(correct_) / n);
    after_step();
  }
}

void Trainer::train_step(const datasets::Batch& batch) {
  const auto& [x, labels] = batch;
  rates_.apply(*optimizer_, step());
  const Tensor scores = classifier_(x);
  const Tensor loss = classifier_.loss(scores, labels);
  const double value = loss.item();
  if (!std::isfinite(value)) {
    throw std::runtime_error(
        fmt::format("the loss became {} in epoch {} at learning rate {}: try a smaller --lr", value,
                    epoch_ + 1, optimizer_->lr()));
  }
  optimizer_->zero_grad();
  loss.backward();
  optimizer_->step();

  ++batch_;
  samples_ += labels.size(0);
  correct_ += count_correct(scores, labels);
  loss_sum_ = loss_sum_ + value * static_cast<double>(labels.size(0));
}

void Trainer::end_epoch(Progress& progress) {
  const Clock::time_point start = Clock::now();
  const auto n = static_cast<double>(samples_);
  const double training_seconds = 1e-9 * static_cast<double>(nanoseconds_);
  const Score validation = evaluate(classifier_, validation_);
  const EpochRecord record{
      .epoch = epoch_ + 1,
      .loss = loss_sum_.item() / n,
      .accuracy = static_cast<double>(correct_) / n,
      .validation_loss = validation.loss,
      .validation_accuracy = validation.accuracy,
      .samples_per_second = n / training_seconds,
      .seconds = training_seconds + 1e-9 * static_cast<double>(nanoseconds_since(start))};
  records_ = records_.defined() ? xtgrad::concat({records_, as_row(record)}) : as_row(record);
  ++epoch_;
  batch_ = samples_ = correct_ = nanoseconds_ = 0;
  loss_sum_ = xtgrad::full({}, 0, {.dtype = xtgrad::float64});
  progress.end_epoch(record);
}

}  // namespace train
