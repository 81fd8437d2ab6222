#include "xtgrad/training/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/training/replayed_step.h"
#include "xtgrad/training/run_batch.h"
#include "xtgrad/training/trainer_settings.h"

namespace xtgrad::inline v1::training {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* own_name = "Trainer";

Tensor number(double value) { return full({}, value, {.dtype = float64}); }

/// Adds the metrics' names, with `prefix` before them. Throws ValueError for one that is null, or is called
/// as another value.
void add_names(std::vector<std::string>& names, const std::vector<std::shared_ptr<Metric>>& metrics,
               const char* kind, const char* prefix) {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i] == nullptr) {
      throw ValueError(fmt::format("{}: {} {} of {} is null", own_name, kind, i, metrics.size()));
    }
    std::string name = prefix + metrics[i]->name();
    if (std::ranges::find(names, name) != names.end()) {
      throw ValueError(
          fmt::format("{}: {} {} is called \"{}\", as another value is", own_name, kind, i, name));
    }
    names.push_back(std::move(name));
  }
}

/// Of the values of a record. Throws ValueError for metrics that cannot have one.
std::vector<std::string> names_of_values(const TrainerOptions& options) {
  std::vector<std::string> names{"loss"};
  add_names(names, options.metrics, "metric", "");
  if (!options.validation) {
    if (options.validation_metrics.empty()) return names;
    throw ValueError(
        fmt::format("{}: validation_metrics are of a validation: got {} of them and no validation", own_name,
                    options.validation_metrics.size()));
  }
  const std::size_t count = names.size();
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("validation_{}", names[i]));
  add_names(names, options.validation_metrics, "validation metric", "validation_");
  return names;
}

std::int64_t nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

}  // namespace

Trainer::Trainer(nn::Module& model, Loss loss, optim::Optimizer& optimizer, const datasets::Loader& loader,
                 TrainerOptions options)
    : Trainer(static_cast<nn::ModuleBase&>(model), detail::loss_of_outputs(model, std::move(loss)), optimizer,
              loader, std::move(options)) {
  reaches_ = true;
}

Trainer::Trainer(nn::ModuleBase& model, BatchLoss loss, optim::Optimizer& optimizer,
                 const datasets::Loader& loader, TrainerOptions options)
    : module_(model),
      loss_(std::move(loss)),
      optimizer_(optimizer),
      loader_(loader),
      options_(std::move(options)),
      stepping_(std::make_shared<detail::Stepping>(optimizer, options_.accumulate, options_.clip_norm)),
      stop_(options_.stop),
      history_(names_of_values(options_)),
      loss_sum_(number(0)) {
  check_options();
  stop_.check_names(value_names());
  if (options_.schedule) rates_.emplace(optimizer, *options_.schedule);
  rates_table_ = detail::table_of_rates(rates_, optimizer.group_count(), steps());
  values_.push_back({"loss"});
  for (const auto& metric : options_.metrics) {
    metric->reset();
    values_.push_back({metric->name()});
  }
}

std::vector<std::string> Trainer::value_names() const { return names_of_values(options_); }

Trainer::~Trainer() = default;

void Trainer::check_options() const {
  nn::detail::check_option(own_name, "epochs", options_.epochs, 1);
  detail::check_outputs(own_name, loss_, options_.metrics.size() + options_.validation_metrics.size());
  const auto fail = [](const std::string& text) { throw ValueError(fmt::format("{}: {}", own_name, text)); };
  if (options_.replay && options_.accumulate != 1) {
    fail(fmt::format("a replayed step is of one batch: got accumulate {} and replay", options_.accumulate));
  }
  if (loader_.batches() == 0)
    fail(fmt::format("the loader has no batches of its {} samples", loader_.order(0).numel()));
  if (options_.validation && options_.validation->batches() == 0) {
    fail(fmt::format("the validation loader has no batches of its {} samples",
                     options_.validation->order(0).numel()));
  }
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    if (options_.callbacks[i] == nullptr) {
      fail(fmt::format("callback {} of {} is null", i, options_.callbacks.size()));
    }
  }
  // A copy of a model has parameters of its own; nothing else would ever say that it is the copy that learns.
  const std::vector<nn::ParameterRef> own = module_.parameters();
  const std::vector<nn::ParameterRef> held = optimizer_.parameters();
  const auto is_own = [&](const nn::ParameterRef& parameter) {
    return std::ranges::find(own, parameter) != own.end();
  };
  if (!own.empty() && std::ranges::none_of(held, is_own)) {
    fail(fmt::format(
        "none of the optimizer's {} parameters is one of the model's {}: was it made of a copy of the "
        "model, or before another model was assigned to this one?",
        held.size(), own.size()));
  }
}

void Trainer::remember(std::string name, nn::Stateful& object) {
  for (const Part& part : parts_) {
    if (part.name == name)
      throw ValueError(fmt::format("{}: remember: \"{}\" is there already", own_name, name));
  }
  parts_.push_back({std::move(name), &object});
}

void Trainer::members(nn::Members& m) {
  m("model", module_);
  m("optimizer", optimizer_);
  m("random", default_random());
  m("step", step_);
  m("epoch", epoch_);
  m("batch", batch_);
  m("samples", samples_);
  m("loss_sum", loss_sum_);
  m("nanoseconds", nanoseconds_);
  m("history", history_);
  for (const auto& metric : options_.metrics) m(fmt::format("metrics.{}", metric->name()), *metric);
  m("stop", stop_);
  for (const Part& part : parts_) m(fmt::format("parts.{}", part.name), *part.object);
  m("rates", rates_table_);
  detail::list_stepping(stepping_, optimizer_, m);
  detail::list_loader(loader_, loader_settings_, m);
}

void Trainer::restore(const nn::StateDict& state, const nn::LoadOptions& options) {
  nn::StateDict taken = state;
  if (options.adopt_settings) taken.erase("rates");
  History before = history_;
  const Tensor own_rates = rates_table_;
  history_.clear();
  rates_table_ = {};
  try {
    load_state_dict(taken, options);
  } catch (...) {
    history_ = std::move(before);
    rates_table_ = own_rates;
    throw;
  }
  rates_table_ = own_rates;
  accumulation().reset();
}

void Trainer::check_loaded() const {
  const auto require = [](const char* what, std::int64_t value, std::int64_t most) {
    if (value >= 0 && value <= most) return;
    throw ValueError(fmt::format("{}: {} must be from 0 to {}: got {}", own_name, what, most, value));
  };
  require("epoch", epoch_, epochs());
  require("batch", batch_, epoch_ < epochs() ? loader_.batches() : 0);
  require("step", step_, steps());
  if (std::isnan(loss_sum_.item()))
    throw ValueError(fmt::format("{}: loss_sum must be a number: got NaN", own_name));
  history_.check_epochs(epoch_);
  detail::check_rates(rates_table_, rates_, steps());
}

std::int64_t Trainer::steps() const {
  const std::int64_t in_epoch =
      (loader_.batches() - 1) / static_cast<const detail::Stepping*>(stepping_.get())->accumulate + 1;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  return epochs() > most / in_epoch ? most : epochs() * in_epoch;
}

GradientAccumulation& Trainer::accumulation() const {
  return static_cast<const detail::Stepping*>(stepping_.get())->accumulation;
}

nn::Module& Trainer::model() const {
  auto* model = dynamic_cast<nn::Module*>(&module_);
  if (model != nullptr) return *model;
  throw ValueError(fmt::format(
      "{}: model: the model must take a tensor and return one: got another, which is module()", own_name));
}

std::int64_t Trainer::samples() const { return loader_.samples(); }

std::string Trainer::fit() {
  accumulation().reset();
  // Captured anew: between two calls options may have been set.
  if (options_.replay) {
    replayed_ = std::make_unique<detail::ReplayedStep>(
        module_, loss_, optimizer_, static_cast<const detail::Stepping*>(stepping_.get())->clip_norm,
        options_.metrics.size());
  }
  for (const auto& callback : options_.callbacks) callback->begin(*this);
  while (!is_over()) {
    train_epoch();
    end_epoch();
  }
  for (const auto& callback : options_.callbacks) callback->before_end(*this);
  stop_.at_end();
  for (const auto& callback : options_.callbacks) callback->at_end(*this, reason());
  return reason();
}

bool Trainer::is_over() const {
  // An epoch that a rule cut short is ended first, perhaps by another run.
  return epoch_ >= epochs() || (stop_.stopped() && batch_ == 0);
}

std::string Trainer::reason() const {
  if (!is_over()) return {};
  std::string text = epoch_ < epochs() ? "" : EpochLimit(epochs()).text();
  if (stop_.stopped()) text += (text.empty() ? "" : "; ") + stop_.reason();
  return text;
}

void Trainer::train_epoch() {
  loader_.set_epoch(epoch_);
  Clock::time_point start = Clock::now();
  auto at = loader_.begin_at(batch_);
  while (at != loader_.end() && !stop_.stopped()) {
    for (const auto& callback : options_.callbacks) callback->before_step(*this);
    train_step(at);
    nanoseconds_ += nanoseconds_since(std::exchange(start, Clock::now()));
    tell_step();
    // Only now: where the next batch cannot be made, this step is counted and told of.
    if (at != loader_.end() && !stop_.stopped()) ++at;
  }
}

void Trainer::train_step(datasets::Loader::Iterator& at) {
  if (rates_) rates_->apply(optimizer_, step_);
  // Counted once the step is made: a step that fails on the way has not been. What counting needs memory for
  // comes before the step.
  seen_.clear();
  Tensor loss_sum = loss_sum_;
  bool stepped = false;
  while (at != loader_.end()) {
    const BatchResult result = replayed_ != nullptr
                                   ? replayed_->backward(*at)
                                   : detail::run_batch(own_name, loss_, *at, options_.metrics.size());
    last_loss_ = result.loss.item();
    if (!std::isfinite(last_loss_)) {
      accumulation().reset();
      throw NonFiniteError(
          fmt::format("{}: the loss must be finite: got {} in epoch {}, step {}, at learning rate {}",
                      own_name, last_loss_, epoch_ + 1, step_ + 1, optimizer_.lr()));
    }
    const std::int64_t samples = at->inputs.size(0);
    seen_.push_back({.outputs = options_.metrics.empty() ? Tensor() : result.outputs.detach(),
                     .labels = result.labels,
                     .loss = last_loss_,
                     .samples = samples});
    loss_sum = loss_sum + last_loss_ * static_cast<double>(samples);
    if (replayed_ != nullptr) {
      replayed_->step();
      stepped = true;
    } else {
      stepped = accumulation().backward(result.loss, samples);
    }
    if (stepped) break;
    ++at;
  }
  if (!stepped) accumulation().finish();
  if (!reaches_) check_reach();
  ++step_;
  loss_sum_ = std::move(loss_sum);
  take_in_step();
}

/// A function of the batch may have captured a copy of the model, which then would learn nothing.
void Trainer::check_reach() {
  const std::vector<nn::ParameterRef> held = optimizer_.parameters();
  reaches_ = std::ranges::any_of(
      held, [](const nn::ParameterRef& parameter) { return parameter->grad().defined(); });
  if (reaches_) return;
  throw ValueError(fmt::format(
      "{}: none of the optimizer's {} parameters got a gradient from the loss of a batch: is the model that "
      "it runs a copy of the trainer's?",
      own_name, held.size()));
}

/// The metrics come last: one that throws leaves its batch out, and everything else is counted.
void Trainer::take_in_step() {
  double sum = 0;
  std::int64_t samples = 0;
  for (const Seen& batch : seen_) {
    sum += batch.loss * static_cast<double>(batch.samples);
    samples += batch.samples;
  }
  batch_ += static_cast<std::int64_t>(seen_.size());
  samples_ += samples;
  last_loss_ = sum / static_cast<double>(samples);
  for (const Seen& batch : std::exchange(seen_, {})) {
    for (const auto& metric : options_.metrics) metric->update(batch.outputs, batch.labels);
  }
}

void Trainer::update_values() {
  values_[0].value = loss_sum_.item() / static_cast<double>(samples_);
  for (std::size_t i = 0; i < options_.metrics.size(); ++i)
    values_[i + 1].value = options_.metrics[i]->value();
}

void Trainer::tell_step() {
  update_values();
  const StepRecord record{.step = step_,
                          .epoch = epoch_ + 1,
                          .samples = samples_,
                          .loss = last_loss_,
                          .lr = optimizer_.lr(),
                          .values = values_};
  stop_.after_step(record);
  for (const auto& callback : options_.callbacks) callback->after_step(*this, record);
}

/// If it fails, the metrics still have the training samples: `fit` may be called again, and ends the epoch.
std::vector<NamedValue> Trainer::validate() {
  std::vector<nn::StateDict> kept;
  for (const auto& metric : options_.metrics) kept.push_back(metric->state_dict());
  std::vector<std::shared_ptr<Metric>> all = options_.metrics;
  all.insert(all.end(), options_.validation_metrics.begin(), options_.validation_metrics.end());
  try {
    return detail::evaluate(module_, loss_, *options_.validation, all, [this] {
      for (const auto& callback : options_.callbacks) callback->before_validation_batch(*this);
    });
  } catch (...) {
    for (std::size_t i = 0; i < kept.size(); ++i) options_.metrics[i]->load_state_dict(kept[i]);
    throw;
  }
}

void Trainer::end_epoch() {
  const Clock::time_point start = Clock::now();
  update_values();  // the last step may have been another run's
  const double training_seconds = 1e-9 * static_cast<double>(nanoseconds_);
  EpochRecord record{.epoch = epoch_ + 1,
                     .step = step_,
                     .lr = optimizer_.lr(),
                     .values = values_,
                     .samples_per_second = static_cast<double>(samples_) / training_seconds};
  if (options_.validation) {
    for (auto& [name, value] : validate()) {
      record.values.push_back({fmt::format("validation_{}", name), value});
    }
  }
  record.seconds = training_seconds + 1e-9 * static_cast<double>(nanoseconds_since(start));
  Tensor none = number(0);
  history_.add(record);  // nothing fails from here on until the epoch is counted
  ++epoch_;
  batch_ = samples_ = nanoseconds_ = 0;
  loss_sum_ = std::move(none);
  for (const auto& metric : options_.metrics) metric->reset();
  stop_.after_epoch(record);
  for (const auto& callback : options_.callbacks) callback->after_epoch(*this, record);
}

}  // namespace xtgrad::v1::training
