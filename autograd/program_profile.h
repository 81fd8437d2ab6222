#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/observe/profile.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// What the steps of a program cost, measured by `Captured::profile`. Seconds are wall-clock, medians of
/// several runs; a reading of the clock, some tens of nanoseconds, is in each step's.
struct ProgramProfile {
  /// Of each step, in order, named as in the program's text: "%4 = matmul(in0, weight)". A fused step is one,
  /// whose flops are those of what it does.
  std::vector<ProfileRow> steps;
  /// By name of the operation, the costliest first.
  std::vector<ProfileRow> operations;
  /// By module, "MLP.layers.0", its parts not included, the costliest first; steps of no module are
  /// "(outside)". A fused step counts for the innermost module that all of it belongs to.
  std::vector<ProfileRow> modules;
  double seconds = 0;    ///< of a run, steps and what is between them, without readings of the clock
  std::size_t runs = 0;  ///< that were measured

  /// The costliest steps, operations and modules, for reading in a terminal.
  [[nodiscard]] std::string table(std::size_t most_steps = 20) const;
};

}}  // namespace xtgrad::v1
