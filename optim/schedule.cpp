#include "xtgrad/optim/schedule.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/hyper_math.h"

namespace xtgrad::inline v1::optim {

Schedule::Schedule(Callable<double(std::int64_t)> factor) : factor_(std::move(factor)) {
  if (!factor_) throw ValueError("Schedule: the function is empty; use constant() for a rate that stays");
}

double Schedule::factor(std::int64_t step) const {
  if (step < 0) throw ValueError(fmt::format("Schedule: steps are counted from 0: got {}", step));
  if (!factor_) throw ValueError("Schedule: there is none here; it was moved from");
  const double factor = factor_(step);
  if (factor >= 0 && std::isfinite(factor)) return factor;
  throw ValueError(
      fmt::format("Schedule: the factor must be finite and at least 0: got {} at step {}", factor, step));
}

Hyper Schedule::rate(const Hyper& initial, std::int64_t step) const {
  detail::check_not_negative("Schedule", "initial", initial);
  return initial * Hyper(factor(step));
}

}  // namespace xtgrad::v1::optim
