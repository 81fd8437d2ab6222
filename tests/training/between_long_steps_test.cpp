#include "xtgrad/training/long_steps.h"

#include <doctest/doctest.h>

#include <chrono>

using std::chrono::milliseconds;
using xtgrad::training::detail::LongSteps;

TEST_CASE("a state is saved after a step of more than half a second") {
  LongSteps steps;
  LongSteps::Clock::time_point now{};
  steps.begin(now);
  CHECK_FALSE(steps.end_step(now += milliseconds(500)));
  CHECK(steps.end_step(now += milliseconds(501)));
  CHECK_FALSE(steps.end_step(now += milliseconds(3)));
}

TEST_CASE("saving takes at most a twentieth of the time of long steps") {
  LongSteps steps;
  LongSteps::Clock::time_point now{};
  steps.begin(now);
  REQUIRE(steps.end_step(now += milliseconds(600)));
  steps.save(now, now + milliseconds(100));
  now += milliseconds(100);
  CHECK_FALSE(steps.end_step(now += milliseconds(700)));
  CHECK_FALSE(steps.end_step(now += milliseconds(700)));
  CHECK(steps.end_step(now += milliseconds(601)));  // 2,001 ms since it was saved
}

TEST_CASE("saving is no part of the step that comes after it") {
  LongSteps steps;
  LongSteps::Clock::time_point now{};
  steps.begin(now);
  CHECK_FALSE(steps.end_step(now += milliseconds(1)));
  steps.save(now, now + milliseconds(900));  // as it was asked for
  now += milliseconds(900);
  CHECK_FALSE(steps.end_step(now += milliseconds(100)));
}
