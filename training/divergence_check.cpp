#include "xtgrad/training/divergence_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/named_value.h"
#include "xtgrad/training/trainer.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr const char* own_name = "DivergenceCheck";

void check_positive(const char* option, double value) {
  if (!(value > 0) || !std::isfinite(value)) {
    throw ValueError(fmt::format("{}: {} must be finite and positive: got {}", own_name, option, value));
  }
}

struct Place {
  std::int64_t epoch;
  double lr;
};

void check_loss(const char* what, double loss, double first, double most_rise, const Place& place) {
  if (!std::isfinite(loss)) {
    throw NonFiniteError(fmt::format("{}: {} became {} in epoch {} at learning rate {}", own_name, what, loss,
                                     place.epoch, place.lr));
  }
  if (loss - first > most_rise) {
    throw ConvergenceError(fmt::format(
        "{}: {} has exploded: it was {:.4g} at first and is {:.4g} in epoch {} at learning rate {}", own_name,
        what, first, loss, place.epoch, place.lr));
  }
}

}  // namespace

DivergenceCheck::DivergenceCheck(const DivergenceCheckOptions& options) : options_(options) {
  check_positive("step_multiple", options.step_multiple);
  check_positive("epoch_multiple", options.epoch_multiple);
  check_positive("min_scale", options.min_scale);
}

void DivergenceCheck::begin(Trainer& trainer) {
  if (first_) return;
  const std::vector<EpochRecord> records = trainer.records();
  if (records.empty()) return;
  const double loss = records.front().at("loss", own_name);
  if (std::isfinite(loss)) first_ = loss;  // a state that was taken over may say anything
}

void DivergenceCheck::after_step(Trainer& /*trainer*/, const StepRecord& step) {
  if (!first_) first_ = step.loss;
  const double scale = std::max(std::abs(*first_), options_.min_scale);
  check_loss("the loss", step.loss, *first_, options_.step_multiple * scale, {step.epoch, step.lr});
}

void DivergenceCheck::after_epoch(Trainer& /*trainer*/, const EpochRecord& epoch) {
  if (!first_)
    first_ = epoch.at("loss", own_name);  // the last fit ended between an epoch's steps and its end
  const double scale = std::max(std::abs(*first_), options_.min_scale);
  const double most_rise = options_.epoch_multiple * scale;
  for (const NamedValue& entry : epoch.values) {
    if (entry.name == "loss")
      check_loss("the loss", entry.value, *first_, most_rise, {epoch.epoch, epoch.lr});
    if (entry.name == "validation_loss")
      check_loss("the validation loss", entry.value, *first_, most_rise, {epoch.epoch, epoch.lr});
  }
}

}  // namespace xtgrad::v1::training
