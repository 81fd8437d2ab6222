#include "xtgrad/training/early_stopping.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/training/value_names.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr const char* own_name = "EarlyStopping";

Tensor number(double value) { return full({}, value, {.dtype = float64}); }

}  // namespace

EarlyStopping::EarlyStopping(nn::ModuleBase& model, const EarlyStoppingOptions& options)
    : model_(model), options_(options) {
  nn::detail::check_option(own_name, "patience", options.patience, 1);
  if (!(options.min_delta >= 0) || !std::isfinite(options.min_delta)) {
    throw ValueError(
        fmt::format("{}: min_delta must be finite and at least 0: got {}", own_name, options.min_delta));
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_ = number(options.maximize ? -infinity : infinity);
  keep_state();  // so that the members' names and shapes are there from the beginning
}

void EarlyStopping::keep_state() {
  const nn::StateDict state = model_.state_dict();  // shares the elements, which nobody changes
  best_state_.assign(state.begin(), state.end());
}

nn::StateDict EarlyStopping::best_state() const {
  nn::StateDict state;
  for (const NamedTensor& entry : best_state_) state.add(entry.name, entry.value);
  return state;
}

bool EarlyStopping::stops_after(const EpochRecord& epoch) {
  const double value = epoch.at(options_.watch, own_name);
  const bool improves =
      options_.maximize ? value > best() + options_.min_delta : value < best() - options_.min_delta;
  if (improves) {
    best_ = number(value);
    best_epoch_ = epoch.epoch;
    keep_state();
    bad_ = 0;
  } else {
    ++bad_;
  }
  return bad_ >= options_.patience;
}

std::string EarlyStopping::describe() const {
  if (best_epoch_ == 0) {
    return fmt::format("early stopping: {} was no finite number in {} epoch{}", options_.watch, bad_,
                       bad_ == 1 ? "" : "s");
  }
  return fmt::format("early stopping: {} has not improved on {:.6g} of epoch {} for {} epoch{}",
                     options_.watch, best(), best_epoch_, bad_, bad_ == 1 ? "" : "s");
}

void EarlyStopping::check_names(const std::vector<std::string>& names) const {
  detail::check_value_name(own_name, options_.watch, names);
}

void EarlyStopping::at_end() {
  if (options_.restore_best && best_epoch_ > 0) model_.load_state_dict(best_state());
}

void EarlyStopping::members(nn::Members& m) {
  StoppingRule::members(m);
  m("best", best_);
  m("best_epoch", best_epoch_);
  m("bad", bad_);
  for (NamedTensor& entry : best_state_) m(fmt::format("best_state.{}", entry.name), entry.value);
}

void EarlyStopping::check_loaded() const {
  if (std::isnan(best())) {
    throw ValueError(fmt::format("{}: the loaded best must be a number: got NaN", own_name));
  }
}

}  // namespace xtgrad::v1::training
