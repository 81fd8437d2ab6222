#pragma once

#include <chrono>

namespace xtgrad::inline v1::training::detail {

/// Tells after which steps a state is worth saving beside those that were asked for: after long ones, as no
/// interrupt waits for the end of such a step, but in at most a twentieth of the time. It knows the time by
/// what it is told.
class LongSteps {
 public:
  using Clock = std::chrono::steady_clock;

  /// The first step begins.
  void begin(Clock::time_point now) { step_began_ = saved_ = now; }
  /// A step has ended, and if it is not saved the next one begins. True if it is one to save.
  [[nodiscard]] bool end_step(Clock::time_point now) {
    const bool is_long = now - step_began_ > std::chrono::milliseconds(500);
    step_began_ = now;
    return is_long && now - saved_ > 20 * saving_took_;
  }
  /// It was saved, in the time from `from` to `to`.
  void save(Clock::time_point from, Clock::time_point to) {
    saving_took_ = to - from;
    step_began_ = saved_ = to;
  }

 private:
  Clock::time_point step_began_ = {};
  Clock::time_point saved_ = {};
  Clock::duration saving_took_ = {};
};

}  // namespace xtgrad::v1::training::detail
