#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// How a learning rate changes: a factor of the initial rate for each step, counted from 0; steps may be
/// epochs. A pure function with no state, so training goes on from any step without replaying those before.
class Schedule {
 public:
  /// A schedule of one's own: a function of the step.
  explicit Schedule(std::function<double(std::int64_t step)> factor);

  /// Throws ValueError for a negative step, and for a factor that is negative or not finite.
  [[nodiscard]] double factor(std::int64_t step) const;
  /// The rate at a step: a number for a number; for a tensor the product, so derivatives of a recorded step
  /// flow to the initial rate.
  [[nodiscard]] Hyper rate(const Hyper& initial, std::int64_t step) const;

 private:
  std::function<double(std::int64_t)> factor_;
};

/// 1 at every step.
[[nodiscard]] Schedule constant();

struct StepDecayOptions {
  std::int64_t step_size = nn::required;  ///< steps between two decays, at least 1
  double gamma = 0.1;                     ///< factor of each decay
};
/// gamma^floor(step / step_size).
[[nodiscard]] Schedule step_decay(const StepDecayOptions& options);

struct CosineOptions {
  std::int64_t steps = nn::required;  ///< from the initial rate to the last one, at least 1
  double min_factor = 0;              ///< the last rate, as a factor of the initial one
};
/// min_factor + (1 - min_factor) (1 + cos(pi step / steps)) / 2, and min_factor from `steps` on (PyTorch's
/// rises again). (Loshchilov and Hutter, "SGDR", 2017, without restarts.)
[[nodiscard]] Schedule cosine(const CosineOptions& options);

struct WarmupOptions {
  std::int64_t steps = nn::required;  ///< steps before the full rate; 0 for no warm-up
  double start_factor = 1.0 / 3;      ///< factor at step 0
};
/// A straight line from start_factor to 1 during the first `steps`, then another schedule from its step 0 on:
/// start_factor + (1 - start_factor) step / steps. At the default start_factor no step is wasted on a rate of
/// 0.
[[nodiscard]] Schedule warmup(const WarmupOptions& options, Schedule then = constant());

/// A schedule and the initial rates of an optimizer's groups. All that changes during training is the step,
/// which the caller counts.
///
///   optim::Adam adam(model.parameters(), {.lr = 1e-2});
///   const optim::ScheduledLr rates(adam, optim::warmup({.steps = 10}, optim::cosine({.steps = 90})));
///   for (std::int64_t step = 0; step < 100; ++step) {
///     rates.apply(adam, step);
///     Tensor loss = nn::mse_loss(model(x), y);
///     adam.zero_grad();
///     loss.backward();
///     adam.step();
///   }
///
/// A saved optimizer remembers the rates of that moment, not the initial ones: to resume, make the
/// ScheduledLr before `load_state_dict`, or give it the initial rates, and go on at the step that comes next.
class ScheduledLr {
 public:
  /// Takes the rates that the groups have now as the initial ones.
  ScheduledLr(const Optimizer& optimizer, Schedule schedule);
  /// Throws ValueError for no rates, and for one that is negative or not finite.
  ScheduledLr(std::vector<double> initial, Schedule schedule);

  /// Sets every group's rate for a step; call it before `optimizer.step()`. Throws ValueError if the
  /// optimizer's number of groups is not that of the initial rates, and where `Schedule::factor` does.
  void apply(Optimizer& optimizer, std::int64_t step) const;
  /// Each group's rate at a step.
  [[nodiscard]] std::vector<double> rates(std::int64_t step) const;

  [[nodiscard]] const std::vector<double>& initial() const { return initial_; }
  [[nodiscard]] const Schedule& schedule() const { return schedule_; }

 private:
  std::vector<double> initial_;
  Schedule schedule_;
};

}}}  // namespace xtgrad::v1::optim
