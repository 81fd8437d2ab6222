#include "xtgrad/optim/cyclic_schedules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

/// From `first` to `last` as `done` goes from 0 to 1.
double between(double first, double last, double done, bool linear) {
  if (linear) return first + (last - first) * done;
  return last + (first - last) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

struct Phase {
  double end;  // a step, which need not be whole
  double first_factor, last_factor;
  double first_momentum, last_momentum;
};

std::array<Phase, 3> phases_of(const OneCycleOptions& o) {
  const auto steps = static_cast<double>(o.steps);
  const double start = 1 / o.initial_divisor;
  const double stop = start / o.final_divisor;
  const Phase rise{o.rising_share * steps - 1, start, 1, o.high_momentum, o.low_momentum};
  if (!o.three_phases) {
    const Phase fall{steps - 1, 1, stop, o.low_momentum, o.high_momentum};
    return {rise, fall, fall};
  }
  return {rise,
          {2 * o.rising_share * steps - 2, 1, start, o.low_momentum, o.high_momentum},
          {steps - 1, start, stop, o.high_momentum, o.high_momentum}};
}

/// Calls f(phase, done) of the phase that a step is in, with the share of it that is done.
template <class F>
double in_phase(const OneCycleOptions& options, std::int64_t step, const F& f) {
  const std::array<Phase, 3> phases = phases_of(options);
  const double at = std::min(static_cast<double>(step), static_cast<double>(options.steps - 1));
  double start = 0;
  std::size_t k = 0;
  for (; k + 1 < phases.size() && at > phases[k].end; ++k) start = phases[k].end;
  const double length = phases[k].end - start;
  return f(phases[k], length > 0 ? (at - start) / length : 1.0);
}

void check_one_cycle(const OneCycleOptions& o) {
  nn::detail::check_option("one_cycle", "steps", o.steps, 1);
  const double most = o.three_phases ? 0.5 : 1;
  if (!(o.rising_share >= 0 && o.rising_share <= most)) {
    throw ValueError(fmt::format("one_cycle: rising_share must be at least 0 and at most {}: got {}", most,
                                 o.rising_share));
  }
  if (!(o.initial_divisor > 0 && o.final_divisor > 0)) {
    throw ValueError(fmt::format("one_cycle: both divisors must be above 0: got {} and {}", o.initial_divisor,
                                 o.final_divisor));
  }
  detail::check_decay_rate("one_cycle", "low_momentum", o.low_momentum);
  detail::check_decay_rate("one_cycle", "high_momentum", o.high_momentum);
}

}  // namespace

Schedule warm_restarts(const WarmRestartsOptions& options) {
  nn::detail::check_option("warm_restarts", "first_period", options.first_period, 1);
  nn::detail::check_option("warm_restarts", "period_factor", options.period_factor, 1);
  detail::check_not_negative("warm_restarts", "min_factor", options.min_factor);
  return Schedule([options](std::int64_t step) {
    std::int64_t period = options.first_period;
    if (options.period_factor == 1) {
      step %= period;
    } else {
      constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
      while (step >= period) {
        step -= period;
        period = period > most / options.period_factor ? most : period * options.period_factor;
      }
    }
    const double done = static_cast<double>(step) / static_cast<double>(period);
    const double weight = (1 + std::cos(std::numbers::pi * done)) / 2;
    return weight + options.min_factor * (1 - weight);
  });
}

Schedule one_cycle(const OneCycleOptions& options) {
  check_one_cycle(options);
  return Schedule([options](std::int64_t step) {
    return in_phase(options, step, [&](const Phase& phase, double done) {
      return between(phase.first_factor, phase.last_factor, done, options.linear);
    });
  });
}

double one_cycle_momentum(const OneCycleOptions& options, std::int64_t step) {
  check_one_cycle(options);
  if (step < 0) throw ValueError(fmt::format("one_cycle_momentum: steps are counted from 0: got {}", step));
  return in_phase(options, step, [&](const Phase& phase, double done) {
    return between(phase.first_momentum, phase.last_momentum, done, options.linear);
  });
}

Schedule cyclic(const CyclicOptions& options) {
  if (!options.max_factor) throw ValueError("cyclic: max_factor is required, and was not given");
  detail::check_not_negative("cyclic", "max_factor", *options.max_factor);
  nn::detail::check_option("cyclic", "steps_up", options.steps_up, 1);
  nn::detail::check_option("cyclic", "steps_down", options.steps_down, 0);
  detail::check_not_negative("cyclic", "gamma", options.gamma);
  return Schedule([options](std::int64_t step) {
    const std::int64_t down = options.steps_down == 0 ? options.steps_up : options.steps_down;
    const std::int64_t total = options.steps_up + down;
    const std::int64_t at = step % total;
    const std::int64_t cycles = step / total;
    const double height = at <= options.steps_up
                              ? static_cast<double>(at) / static_cast<double>(options.steps_up)
                              : static_cast<double>(total - at) / static_cast<double>(down);
    double amplitude = 1;
    switch (options.amplitude) {
      case CyclicOptions::Amplitude::constant:
        break;
      case CyclicOptions::Amplitude::halved:
        amplitude = std::pow(0.5, static_cast<double>(cycles));
        break;
      case CyclicOptions::Amplitude::exponential:
        amplitude = std::pow(options.gamma, static_cast<double>(step));
        break;
    }
    return 1 + (*options.max_factor - 1) * height * amplitude;
  });
}

}  // namespace xtgrad::v1::optim
