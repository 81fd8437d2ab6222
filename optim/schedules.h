#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/schedule.h"
#include "xtgrad/optim/scheduled_lr.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

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

struct MultiStepOptions {
  /// Steps at which the rate decays, at least 0 and in order; at one that is there twice it decays twice.
  std::vector<std::int64_t> milestones;
  double gamma = 0.1;  ///< factor of each decay
};
/// gamma to the number of milestones that are at most the step.
[[nodiscard]] Schedule multi_step(MultiStepOptions options);

/// gamma^step. Throws ValueError unless gamma is finite and at least 0.
[[nodiscard]] Schedule exponential(double gamma);

struct PolynomialOptions {
  std::int64_t steps = 5;
  double power = 1;
};
/// (1 - min(step, steps) / steps)^power: 0 from `steps` on.
[[nodiscard]] Schedule polynomial(const PolynomialOptions& options);

struct LinearScheduleOptions {
  std::int64_t steps = 5;
  double start_factor = 1.0 / 3;
  double end_factor = 1;
};
/// A straight line from start_factor to end_factor during the first `steps`, and end_factor from then on.
[[nodiscard]] Schedule linear(const LinearScheduleOptions& options = {});

struct HeldBackOptions {
  std::int64_t steps = 5;
  double factor = 1.0 / 3;
};
/// `factor` during the first `steps`, then 1: PyTorch's ConstantLR.
[[nodiscard]] Schedule held_back(const HeldBackOptions& options = {});

/// f(1) f(2) ... f(step): PyTorch's MultiplicativeLR. Computed anew for every step.
[[nodiscard]] Schedule multiplicative(Callable<double(std::int64_t step)> f);

/// The schedules one after another: schedules[k] from milestones[k - 1] on, from its own step 0; a milestone
/// 0 leaves the first one out. Throws ValueError unless there is one milestone fewer than schedules, and they
/// are at least 0 and ascend.
[[nodiscard]] Schedule sequence(std::vector<Schedule> schedules, std::vector<std::int64_t> milestones);

/// The product of the schedules' factors: PyTorch's ChainedScheduler, for schedules that are closed forms.
[[nodiscard]] Schedule product(std::vector<Schedule> schedules);

}}}  // namespace xtgrad::v1::optim
