#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/schedule.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct WarmRestartsOptions {
  std::int64_t first_period = nn::required;  ///< steps of the first cosine, at least 1
  std::int64_t period_factor = 1;            ///< each period is so many times as long as the one before
  double min_factor = 0;
};
/// Cosines from 1 to min_factor, each of which starts anew after its period (Loshchilov and Hutter, "SGDR",
/// 2017). For a rate that moves within an epoch, where PyTorch is given a fraction of one, steps are batches,
/// and first_period is epochs times batches of an epoch.
[[nodiscard]] Schedule warm_restarts(const WarmRestartsOptions& options);

struct OneCycleOptions {
  std::int64_t steps = nn::required;  ///< of the whole training, at least 1
  double rising_share = 0.3;          ///< of the steps, in [0, 1]
  double initial_divisor = 25;        ///< the first rate is 1 / so much
  double final_divisor = 1e4;         ///< the last rate is the first / so much
  bool three_phases = false;   ///< falls to the first rate as fast as it rose, and then to the last one
  bool linear = false;         ///< straight lines in place of half cosines
  double low_momentum = 0.85;  ///< where the rate is highest
  double high_momentum = 0.95;
};
/// One cycle (Smith and Topin, "Super-convergence", 2019), as a factor of the highest rate, which is the one
/// that the optimizer is made with: up from 1 / initial_divisor to 1, down to that over final_divisor. As in
/// PyTorch, phases end at the steps rising_share steps - 1 and steps - 1 (three: 2 rising_share steps - 2
/// between them); from there on the factor stays.
[[nodiscard]] Schedule one_cycle(const OneCycleOptions& options);
/// The momentum, or Adam's beta1, that goes with it: high where the rate is low. No schedule sets it; before
/// each step,
///
///   optim::SGDOptions now = sgd.options();  // with the rate as it is now
///   now.momentum = optim::one_cycle_momentum(cycle, step);
///   sgd.set_options(now);
///
/// Throws ValueError for a negative step.
[[nodiscard]] double one_cycle_momentum(const OneCycleOptions& options, std::int64_t step);

struct CyclicOptions {
  enum class Amplitude {
    constant,     ///< PyTorch's triangular
    halved,       ///< by each cycle: triangular2
    exponential,  ///< gamma^step: exp_range
  };
  std::optional<double> max_factor =
      std::nullopt;  ///< required: at the top of the first cycle; 1 is its bottom
  std::int64_t steps_up = 2000;
  std::int64_t steps_down = 0;  ///< 0: as many as up
  Amplitude amplitude = Amplitude::constant;
  double gamma = 1;
};
/// Triangles between 1 and max_factor (Smith, "Cyclical learning rates", 2017).
[[nodiscard]] Schedule cyclic(const CyclicOptions& options);

}}}  // namespace xtgrad::v1::optim
