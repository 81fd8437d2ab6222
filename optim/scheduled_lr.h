#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/optim/schedule.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

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

  [[nodiscard]] const std::vector<double>& initial() const& { return initial_; }
  [[nodiscard]] std::vector<double> initial() const&& { return initial_; }
  [[nodiscard]] const Schedule& schedule() const& { return schedule_; }
  [[nodiscard]] Schedule schedule() const&& { return schedule_; }

 private:
  std::vector<double> initial_;
  Schedule schedule_;
};

}}}  // namespace xtgrad::v1::optim
