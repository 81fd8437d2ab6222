#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/optim/scheduled_lr.h"
#include "xtgrad/training/accumulation.h"

namespace xtgrad::inline v1::training::detail {

// What a trainer's state says of how it came about, beside the numbers of the training itself.

/// How batches become steps.
struct Stepping {
  /// Throws ValueError, in the trainer's name, for options out of range.
  Stepping(optim::Optimizer& optimizer, std::int64_t batches, std::optional<double> norm);

  std::int64_t accumulate;
  std::optional<double> clip_norm;
  mutable GradientAccumulation accumulation;  // const are the options, by which states are compared
};

/// Lists the options of `held`, a Stepping, which it replaces by another one of adopted options.
void list_stepping(std::shared_ptr<const void>& held, optim::Optimizer& optimizer, nn::Members& m);

/// Lists what decides which samples a batch has. Throws ValueError where a number is to become another one:
/// a loader is not made of a state. `nothing` is for `Members::setting`.
void list_loader(const datasets::Loader& loader, std::shared_ptr<const void>& nothing, nn::Members& m);

/// Learning rates by a schedule, float64 [rows, 1 + groups]: a step, of some 256 over the training, and each
/// group's rate there; no rows without a schedule, and none from the first step on that it throws at.
[[nodiscard]] Tensor table_of_rates(const std::optional<optim::ScheduledLr>& schedule, std::size_t groups,
                                    std::int64_t steps);

/// Throws ValueError unless a loaded table is such a one, of the same rates at those steps that are there.
void check_rates(const Tensor& loaded, const std::optional<optim::ScheduledLr>& schedule, std::int64_t steps);

}  // namespace xtgrad::v1::training::detail
