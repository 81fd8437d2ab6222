#include "xtgrad/optim/schedules.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/hyper_math.h"

namespace xtgrad::inline v1::optim {
namespace {

std::vector<double> rates_of(const Optimizer& optimizer) {
  std::vector<double> rates;
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) rates.push_back(optimizer.lr(group));
  return rates;
}

}  // namespace

Schedule::Schedule(std::function<double(std::int64_t)> factor) : factor_(std::move(factor)) {
  if (!factor_) throw ValueError("Schedule: the function is empty; use constant() for a rate that stays");
}

double Schedule::factor(std::int64_t step) const {
  if (step < 0) throw ValueError(fmt::format("Schedule: steps are counted from 0: got {}", step));
  const double factor = factor_(step);
  if (factor >= 0 && std::isfinite(factor)) return factor;
  throw ValueError(
      fmt::format("Schedule: the factor must be finite and at least 0: got {} at step {}", factor, step));
}

Hyper Schedule::rate(const Hyper& initial, std::int64_t step) const {
  detail::check_not_negative("Schedule", "initial", initial);
  return initial * Hyper(factor(step));
}

Schedule constant() {
  return Schedule([](std::int64_t) { return 1.0; });
}

Schedule step_decay(const StepDecayOptions& options) {
  nn::detail::check_option("step_decay", "step_size", options.step_size, 1);
  detail::check_not_negative("step_decay", "gamma", options.gamma);
  return Schedule([options](std::int64_t step) {
    return std::pow(options.gamma, static_cast<double>(step / options.step_size));
  });
}

Schedule cosine(const CosineOptions& options) {
  nn::detail::check_option("cosine", "steps", options.steps, 1);
  detail::check_not_negative("cosine", "min_factor", options.min_factor);
  return Schedule([options](std::int64_t step) {
    if (step >= options.steps) return options.min_factor;
    const double done = static_cast<double>(step) / static_cast<double>(options.steps);
    const double weight = (1 + std::cos(std::numbers::pi * done)) / 2;
    // Not min + (1 - min) weight, which need not be 1 to the last bit at step 0.
    return weight + options.min_factor * (1 - weight);
  });
}

Schedule warmup(const WarmupOptions& options, Schedule then) {
  nn::detail::check_option("warmup", "steps", options.steps, 0);
  detail::check_not_negative("warmup", "start_factor", options.start_factor);
  return Schedule([options, then = std::move(then)](std::int64_t step) {
    if (step >= options.steps) return then.factor(step - options.steps);
    const double done = static_cast<double>(step) / static_cast<double>(options.steps);
    return options.start_factor + (1 - options.start_factor) * done;
  });
}

ScheduledLr::ScheduledLr(const Optimizer& optimizer, Schedule schedule)
    : ScheduledLr(rates_of(optimizer), std::move(schedule)) {}

ScheduledLr::ScheduledLr(std::vector<double> initial, Schedule schedule)
    : initial_(std::move(initial)), schedule_(std::move(schedule)) {
  if (initial_.empty()) throw ValueError("ScheduledLr: initial rates are required, one for each group");
  for (std::size_t group = 0; group < initial_.size(); ++group) {
    detail::check_not_negative("ScheduledLr", fmt::format("initial[{}]", group), initial_[group]);
  }
}

void ScheduledLr::apply(Optimizer& optimizer, std::int64_t step) const {
  if (optimizer.group_count() != initial_.size()) {
    throw ValueError(
        fmt::format("ScheduledLr: the number of groups differs: the optimizer has {}, the initial rates are "
                    "{}; make the ScheduledLr after all groups were added",
                    optimizer.group_count(), initial_.size()));
  }
  const std::vector<double> now = rates(step);
  for (std::size_t group = 0; group < now.size(); ++group) optimizer.set_lr(now[group], group);
}

std::vector<double> ScheduledLr::rates(std::int64_t step) const {
  const double factor = schedule_.factor(step);
  std::vector<double> now = initial_;
  for (double& rate : now) rate *= factor;
  return now;
}

}  // namespace xtgrad::v1::optim
