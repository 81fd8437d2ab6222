#include "xtgrad/optim/schedules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

/// Throws ValueError unless they are at least 0 and in order, each above the one before where `distinct`.
void check_milestones(std::string_view function, const std::vector<std::int64_t>& milestones, bool distinct) {
  for (std::size_t k = 0; k < milestones.size(); ++k) {
    const std::int64_t least = k == 0 ? 0 : milestones[k - 1];
    if (milestones[k] > least || (milestones[k] == least && (k == 0 || !distinct))) continue;
    throw ValueError(fmt::format("{}: milestones must be at least 0 and {}: got {}{}", function,
                                 distinct ? "ascend" : "not descend", milestones[k],
                                 k == 0 ? "" : fmt::format(" after {}", milestones[k - 1])));
  }
}

double share_of(std::int64_t step, std::int64_t steps) {
  return static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
}

}  // namespace

Schedule constant() {
  return Schedule([](std::int64_t) { return 1.0; });
}

Schedule step_decay(const StepDecayOptions& options) {
  nn::detail::check_option("step_decay", "step_size", options.step_size, 1);
  detail::check_not_negative("step_decay", "gamma", options.gamma);
  return Schedule([options](std::int64_t step) {
    const std::int64_t decays = step / options.step_size;
    return std::pow(options.gamma, static_cast<double>(decays));
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

Schedule multi_step(MultiStepOptions options) {
  check_milestones("multi_step", options.milestones, false);
  detail::check_not_negative("multi_step", "gamma", options.gamma);
  return Schedule([options = std::move(options)](std::int64_t step) {
    const auto passed = std::upper_bound(options.milestones.begin(), options.milestones.end(), step);
    return std::pow(options.gamma, static_cast<double>(passed - options.milestones.begin()));
  });
}

Schedule exponential(double gamma) {
  detail::check_not_negative("exponential", "gamma", gamma);
  return Schedule([gamma](std::int64_t step) { return std::pow(gamma, static_cast<double>(step)); });
}

Schedule polynomial(const PolynomialOptions& options) {
  nn::detail::check_option("polynomial", "steps", options.steps, 1);
  detail::check_not_negative("polynomial", "power", options.power);
  return Schedule(
      [options](std::int64_t step) { return std::pow(1 - share_of(step, options.steps), options.power); });
}

Schedule linear(const LinearScheduleOptions& options) {
  nn::detail::check_option("linear", "steps", options.steps, 1);
  detail::check_not_negative("linear", "start_factor", options.start_factor);
  detail::check_not_negative("linear", "end_factor", options.end_factor);
  return Schedule([options](std::int64_t step) {
    if (step >= options.steps) return options.end_factor;
    return options.start_factor + (options.end_factor - options.start_factor) * share_of(step, options.steps);
  });
}

Schedule held_back(const HeldBackOptions& options) {
  nn::detail::check_option("held_back", "steps", options.steps, 0);
  detail::check_not_negative("held_back", "factor", options.factor);
  return Schedule([options](std::int64_t step) { return step < options.steps ? options.factor : 1.0; });
}

Schedule multiplicative(Callable<double(std::int64_t)> f) {
  if (!f) throw ValueError("multiplicative: the function is empty");
  return Schedule([f = std::move(f)](std::int64_t step) {
    double product = 1;
    for (std::int64_t i = 1; i <= step; ++i) product *= f(i);
    return product;
  });
}

Schedule sequence(std::vector<Schedule> schedules, std::vector<std::int64_t> milestones) {
  if (schedules.size() != milestones.size() + 1) {
    throw ValueError(
        fmt::format("sequence: there must be one milestone fewer than schedules: got {} schedules and {} "
                    "milestones",
                    schedules.size(), milestones.size()));
  }
  check_milestones("sequence", milestones, true);
  return Schedule([schedules = std::move(schedules), milestones = std::move(milestones)](std::int64_t step) {
    const auto next = std::upper_bound(milestones.begin(), milestones.end(), step);
    const auto k = static_cast<std::size_t>(next - milestones.begin());
    return schedules[k].factor(k == 0 ? step : step - milestones[k - 1]);
  });
}

Schedule product(std::vector<Schedule> schedules) {
  return Schedule([schedules = std::move(schedules)](std::int64_t step) {
    double factor = 1;
    for (const Schedule& schedule : schedules) factor *= schedule.factor(step);
    return factor;
  });
}

}  // namespace xtgrad::v1::optim
