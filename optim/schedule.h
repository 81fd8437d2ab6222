#pragma once

#include <cstdint>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// How a learning rate changes: a factor of the initial rate for each step, counted from 0; steps may be
/// epochs. A pure function with no state, so training goes on from any step without replaying those before.
class Schedule {
 public:
  /// A schedule of one's own: a function of the step.
  explicit Schedule(Callable<double(std::int64_t step)> factor);

  /// Throws ValueError for a negative step, and for a factor that is negative or not finite.
  [[nodiscard]] double factor(std::int64_t step) const;
  /// The rate at a step: a number for a number; for a tensor the product, so derivatives of a recorded step
  /// flow to the initial rate.
  [[nodiscard]] Hyper rate(const Hyper& initial, std::int64_t step) const;

 private:
  Callable<double(std::int64_t)> factor_;
};

}}}  // namespace xtgrad::v1::optim
