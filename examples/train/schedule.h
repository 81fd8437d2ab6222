#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/optim/schedules.h"

namespace train {

struct ScheduleOptions {
  std::string name = "constant";
  std::int64_t warmup = 0;  ///< steps
  std::int64_t steps = 0;   ///< of the whole training, with those of the warm-up
};

/// "constant"; "step", a tenth after each third of the training; or "cosine", down to 0 at its end. Throws
/// std::invalid_argument if the warm-up is all of the training.
[[nodiscard]] xtgrad::optim::Schedule make_schedule(const ScheduleOptions& options);

}  // namespace train
