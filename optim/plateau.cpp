#include "xtgrad/optim/plateau.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr const char* name = "ReduceOnPlateau";

Tensor number(double value) { return full({}, value, {.dtype = float64}); }

}  // namespace

ReduceOnPlateau::ReduceOnPlateau(const PlateauOptions& options) : options_(options) {
  detail::check_decay_rate(name, "factor", options.factor);
  nn::detail::check_option(name, "patience", options.patience, 0);
  detail::check_not_negative(name, "threshold", options.threshold);
  nn::detail::check_option(name, "cooldown", options.cooldown, 0);
  detail::check_not_negative(name, "min_lr", options.min_lr);
  detail::check_not_negative(name, "eps", options.eps);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_ = number(options.maximize ? -infinity : infinity);
}

bool ReduceOnPlateau::improves(double metric) const {
  const double best = this->best();
  if (std::isinf(best)) return options_.maximize ? metric > best : metric < best;
  const double margin = options_.relative ? options_.threshold * std::abs(best) : options_.threshold;
  return options_.maximize ? metric > best + margin : metric < best - margin;
}

bool ReduceOnPlateau::update(Optimizer& optimizer, double metric) {
  if (improves(metric)) {
    best_ = number(metric);
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_ = 0;
  }
  if (bad_ <= options_.patience) return false;
  cooldown_ = options_.cooldown;
  bad_ = 0;
  bool reduced = false;
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
    const double before = optimizer.lr(group);
    const double after = std::max(before * options_.factor, options_.min_lr);
    if (before - after <= options_.eps) continue;
    optimizer.set_lr(after, group);
    reduced = true;
  }
  return reduced;
}

void ReduceOnPlateau::members(nn::Members& m) {
  m("best", best_);
  m("bad", bad_);
  m("cooldown", cooldown_);
}

void ReduceOnPlateau::check_loaded() const {
  if (std::isnan(best()))
    throw ValueError(fmt::format("{}: the loaded best must be a number: got NaN", name));
}

}  // namespace xtgrad::v1::optim
