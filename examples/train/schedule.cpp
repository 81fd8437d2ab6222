#include "schedule.h"

#include <fmt/format.h>

#include <stdexcept>

namespace train {

namespace optim = xtgrad::optim;

namespace {

optim::Schedule after_warmup(const std::string& name, std::int64_t steps) {
  if (name == "constant") return optim::constant();
  if (name == "step") return optim::step_decay({.step_size = (steps + 2) / 3, .gamma = 0.1});
  if (name == "cosine") return optim::cosine({.steps = steps});
  throw std::invalid_argument(fmt::format("--schedule: there is no {}", name));
}

}  // namespace

optim::Schedule make_schedule(const ScheduleOptions& options) {
  const auto& [name, warmup, steps] = options;
  if (warmup == 0) return after_warmup(name, steps);
  if (warmup >= steps) {
    throw std::invalid_argument(
        fmt::format("--warmup: must be less than the {} steps of the whole training, got {}", steps, warmup));
  }
  return optim::warmup({.steps = warmup}, after_warmup(name, steps - warmup));
}

}  // namespace train
