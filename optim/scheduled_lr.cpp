#include "xtgrad/optim/scheduled_lr.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

std::vector<double> rates_of(const Optimizer& optimizer) {
  std::vector<double> rates;
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) rates.push_back(optimizer.lr(group));
  return rates;
}

}  // namespace

ScheduledLr::ScheduledLr(const Optimizer& optimizer, Schedule schedule)
    : ScheduledLr(rates_of(optimizer), std::move(schedule)) {}

ScheduledLr::ScheduledLr(std::vector<double> initial, Schedule schedule)
    : initial_(std::move(initial)), schedule_(std::move(schedule)) {
  if (initial_.empty()) throw ValueError("ScheduledLr: initial rates are required, one for each group");
  for (std::size_t group = 0; group < initial_.size(); ++group) {
    detail::check_not_negative("ScheduledLr", fmt::format("initial[{}]", group), initial_[group]);
  }
}

void ScheduledLr::apply(Optimizer& optimizer, std::int64_t step) const {
  if (optimizer.group_count() != initial_.size()) {
    throw ValueError(
        fmt::format("ScheduledLr: the number of groups differs: the optimizer has {}, the initial rates are "
                    "{}; make the ScheduledLr after all groups were added",
                    optimizer.group_count(), initial_.size()));
  }
  optimizer.set_rates(rates(step));
}

std::vector<double> ScheduledLr::rates(std::int64_t step) const {
  const double factor = schedule_.factor(step);
  std::vector<double> now = initial_;
  for (double& rate : now) rate *= factor;
  return now;
}

}  // namespace xtgrad::v1::optim
