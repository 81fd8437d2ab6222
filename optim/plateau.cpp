#include "xtgrad/optim/plateau.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr const char* name = "ReduceOnPlateau";

Tensor number(double value) { return full({}, value, {.dtype = float64}); }

void check_options(const PlateauOptions& options) {
  detail::check_decay_rate(name, "factor", options.factor);
  nn::detail::check_option(name, "patience", options.patience, 0);
  detail::check_not_negative(name, "threshold", options.threshold);
  nn::detail::check_option(name, "cooldown", options.cooldown, 0);
  detail::check_not_negative(name, "min_lr", options.min_lr);
  detail::check_not_negative(name, "eps", options.eps);
}

}  // namespace

ReduceOnPlateau::ReduceOnPlateau(const PlateauOptions& options) : settings_(options) {
  check_options(options);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_ = number(options.maximize ? -infinity : infinity);
}

bool ReduceOnPlateau::improves(double metric) const {
  const double best = this->best();
  if (std::isinf(best)) return settings_->maximize ? metric > best : metric < best;
  const double margin = settings_->relative ? settings_->threshold * std::abs(best) : settings_->threshold;
  return settings_->maximize ? metric > best + margin : metric < best - margin;
}

bool ReduceOnPlateau::update(Optimizer& optimizer, double metric) {
  // All that may fail comes before anything is changed.
  const bool better = improves(metric);
  const Tensor best = better ? number(metric) : best_;
  const bool cools = cooldown_ > 0;
  const std::int64_t bad = better || cools ? 0 : bad_ + 1;
  const bool reduces = bad > settings_->patience;
  const bool reduced = reduces && reduce(optimizer);
  best_ = best;
  bad_ = reduces ? 0 : bad;
  if (cools) --cooldown_;
  if (reduces) cooldown_ = settings_->cooldown;
  return reduced;
}

bool ReduceOnPlateau::reduce(Optimizer& optimizer) const {
  bool reduced = false;
  std::vector<double> rates;
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
    const double before = optimizer.lr(group);
    const double after = std::max(before * settings_->factor, settings_->min_lr);
    const bool is_change = before - after > settings_->eps;
    rates.push_back(is_change ? after : before);
    reduced |= is_change;
  }
  if (reduced) optimizer.set_rates(rates);
  return reduced;
}

void ReduceOnPlateau::members(nn::Members& m) {
  m("best", best_);
  m("bad", bad_);
  m("cooldown", cooldown_);
  const auto each = [](PlateauOptions& options, nn::detail::SettingList& list) {
    list("factor", options.factor);
    list("patience", options.patience);
    list("threshold", options.threshold);
    list("relative", options.relative);
    list("maximize", options.maximize);
    list("cooldown", options.cooldown);
    list("min_lr", options.min_lr);
    list("eps", options.eps);
  };
  nn::detail::list_settings(settings_, name, m, each, check_options);
}

void ReduceOnPlateau::check_loaded() const {
  if (std::isnan(best()))
    throw ValueError(fmt::format("{}: the loaded best must be a number: got NaN", name));
}

}  // namespace xtgrad::v1::optim
