#include "xtgrad/training/early_stopping.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/training/value_names.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr const char* own_name = "EarlyStopping";

Tensor number(double value) { return full({}, value, {.dtype = float64}); }

void check_options(const EarlyStoppingOptions& options) {
  nn::detail::check_option(own_name, "patience", options.patience, 1);
  if (!(options.min_delta >= 0) || !std::isfinite(options.min_delta)) {
    throw ValueError(
        fmt::format("{}: min_delta must be finite and at least 0: got {}", own_name, options.min_delta));
  }
}

/// Shares the elements, which nobody changes.
std::vector<NamedTensor> state_of(const nn::ModuleBase& model) {
  const nn::StateDict state = model.state_dict();
  return {state.begin(), state.end()};
}

}  // namespace

EarlyStopping::EarlyStopping(nn::ModuleBase& model, const EarlyStoppingOptions& options)
    : model_(model), settings_(options) {
  check_options(options);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_ = number(options.maximize ? -infinity : infinity);
  best_state_ = state_of(model);  // so that the members' names and shapes are there from the beginning
}

nn::StateDict EarlyStopping::best_state() const {
  nn::StateDict state;
  for (const NamedTensor& entry : best_state_) state.add(entry.name, entry.value);
  return state;
}

bool EarlyStopping::stops_after(const EpochRecord& epoch) {
  const double value = epoch.at(settings_->watch, own_name);
  const bool improves =
      settings_->maximize ? value > best() + settings_->min_delta : value < best() - settings_->min_delta;
  if (improves) {
    Tensor best = number(value);
    best_state_ = state_of(model_);  // nothing fails from here on
    best_ = std::move(best);
    best_epoch_ = epoch.epoch;
    bad_ = 0;
  } else {
    ++bad_;
  }
  return bad_ >= settings_->patience;
}

std::string EarlyStopping::describe() const {
  if (best_epoch_ == 0) {
    return fmt::format("early stopping: {} was no finite number in {} epoch{}", settings_->watch, bad_,
                       bad_ == 1 ? "" : "s");
  }
  return fmt::format("early stopping: {} has not improved on {:.6g} of epoch {} for {} epoch{}",
                     settings_->watch, best(), best_epoch_, bad_, bad_ == 1 ? "" : "s");
}

void EarlyStopping::check_names(const std::vector<std::string>& names) const {
  detail::check_value_name(own_name, settings_->watch, names);
}

void EarlyStopping::at_end() {
  if (settings_->restore_best && best_epoch_ > 0) model_.load_state_dict(best_state());
}

void EarlyStopping::members(nn::Members& m) {
  StoppingRule::members(m);
  m("best", best_);
  m("best_epoch", best_epoch_);
  m("bad", bad_);
  const auto each = [](EarlyStoppingOptions& options, nn::detail::SettingList& list) {
    list("patience", options.patience);
    list("min_delta", options.min_delta);
    list("maximize", options.maximize);
    list("restore_best", options.restore_best);
    bool is_watched = true;
    list("watch." + options.watch, is_watched);
    if (!is_watched) throw ValueError(fmt::format("{}: watch.{} must be 1: got 0", own_name, options.watch));
  };
  nn::detail::list_settings(settings_, own_name, m, each, check_options);
  for (NamedTensor& entry : best_state_) m(fmt::format("best_state.{}", entry.name), entry.value);
}

void EarlyStopping::check_loaded() const {
  if (std::isnan(best())) {
    throw ValueError(fmt::format("{}: the loaded best must be a number: got NaN", own_name));
  }
}

}  // namespace xtgrad::v1::training
