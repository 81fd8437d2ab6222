// The other schedules: closed forms at their boundaries, PyTorch's numbers, and errors.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tests/optim/reference.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/cyclic_schedules.h"
#include "xtgrad/optim/scheduled_lr.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"

namespace xtgrad { namespace {

using testing::message_of;

void check_factors(const optim::Schedule& schedule, const std::vector<std::int64_t>& steps,
                   const std::vector<double>& want) {
  REQUIRE(steps.size() == want.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CAPTURE(steps[i]);
    CHECK(std::abs(schedule.factor(steps[i]) - want[i]) <= 1e-15);
  }
}

TEST_CASE("multi_step decays at each milestone") {
  check_factors(optim::multi_step({.milestones = {2, 5}, .gamma = 0.5}), {0, 1, 2, 4, 5, 100},
                {1, 1, 0.5, 0.5, 0.25, 0.25});
  check_factors(optim::multi_step({}), {0, 7}, {1, 1});
  CHECK(message_of([] {
          return optim::multi_step({.milestones = {3, 2}});
        }) == "multi_step: milestones must be at least 0 and not descend: got 2 after 3");
  CHECK(message_of([] { return optim::multi_step({.milestones = {-1}}); }) ==
        "multi_step: milestones must be at least 0 and not descend: got -1");
  // One that is 0 has been reached at every step.
  check_factors(optim::multi_step({.milestones = {0, 2}, .gamma = 0.5}), {0, 1, 2, 3},
                {0.5, 0.5, 0.25, 0.25});
  // One that is there twice counts twice.
  check_factors(optim::multi_step({.milestones = {0, 0, 3, 3, 3, 5}, .gamma = 0.5}), {0, 2, 3, 4, 5},
                {1.0 / 4, 1.0 / 4, 1.0 / 32, 1.0 / 32, 1.0 / 64});
}

TEST_CASE("exponential, polynomial, linear, held_back") {
  check_factors(optim::exponential(0.5), {0, 1, 3}, {1, 0.5, 0.125});
  check_factors(optim::polynomial({.steps = 4}), {0, 1, 3, 4, 9}, {1, 0.75, 0.25, 0, 0});
  check_factors(optim::polynomial({.steps = 4, .power = 2}), {0, 1, 3, 4}, {1, 0.5625, 0.0625, 0});
  check_factors(optim::linear(), {0, 1, 5, 6}, {1.0 / 3, 1.0 / 3 + 2.0 / 15, 1, 1});
  check_factors(optim::linear({.steps = 2, .start_factor = 1, .end_factor = 0}), {0, 1, 2}, {1, 0.5, 0});
  check_factors(optim::held_back(), {0, 4, 5}, {1.0 / 3, 1.0 / 3, 1});
  check_factors(optim::held_back({.steps = 0}), {0}, {1});
  CHECK(message_of([] { return optim::exponential(-1); }) ==
        "exponential: gamma must be finite and at least 0: got -1");
  CHECK(message_of([] { return optim::polynomial({.steps = 0}); }) ==
        "polynomial: steps must be at least 1: got 0");
}

TEST_CASE("multiplicative, sequence and product") {
  const auto f = [](std::int64_t step) { return 1 / static_cast<double>(step); };
  check_factors(optim::multiplicative(f), {0, 1, 3}, {1, 1, 1.0 / 6});
  const optim::Schedule both = optim::sequence(
      {optim::held_back({.steps = 9, .factor = 0.1}), optim::exponential(0.5), optim::constant()}, {2, 4});
  check_factors(both, {0, 1, 2, 3, 4, 5}, {0.1, 0.1, 1, 0.5, 1, 1});
  check_factors(optim::sequence({optim::held_back(), optim::exponential(0.5)}, {0}), {0, 1, 2},
                {1, 0.5, 0.25});
  check_factors(optim::product({optim::exponential(0.5), optim::held_back({.steps = 2, .factor = 0.1})}),
                {0, 1, 2}, {0.1, 0.05, 0.25});
  check_factors(optim::product({}), {3}, {1});
  CHECK(message_of([] { return optim::sequence({optim::constant()}, {1}); }) ==
        "sequence: there must be one milestone fewer than schedules: got 1 schedules and 1 milestones");
  CHECK(message_of([] {
          return optim::sequence({optim::constant(), optim::constant(), optim::constant()}, {3, 3});
        }) == "sequence: milestones must be at least 0 and ascend: got 3 after 3");
}

TEST_CASE("warm_restarts: cosines that start anew, each longer than the one before") {
  check_factors(optim::warm_restarts({.first_period = 4}), {0, 2, 4, 6, 4'000'000'000'002},
                {1, 0.5, 1, 0.5, 0.5});
  const optim::Schedule growing =
      optim::warm_restarts({.first_period = 2, .period_factor = 3, .min_factor = 0.1});
  // Periods of 2, 6 and 18 steps.
  check_factors(growing, {0, 1, 2, 5, 8, 17}, {1, 0.55, 1, 0.55, 1, 0.55});
  const optim::Schedule huge = optim::warm_restarts({.first_period = 2, .period_factor = 1'000'000'000'000});
  CHECK(huge.factor(std::numeric_limits<std::int64_t>::max()) >= 0);
}

TEST_CASE("warm_restarts: by batches, the rate is that of a fraction of an epoch") {
  // PyTorch's closed form of a fractional epoch e: (1 + cos(pi t / T)) / 2, with t what is left of e after
  // the periods before, of 2, 4 and 8 epochs.
  constexpr std::int64_t batches = 7;
  const optim::Schedule schedule = optim::warm_restarts({.first_period = 2 * batches, .period_factor = 2});
  for (std::int64_t step = 0; step < 14 * batches; ++step) {
    const double epoch = static_cast<double>(step) / static_cast<double>(batches);
    const double begin = epoch < 2 ? 0 : epoch < 6 ? 2 : 6;
    const double period = epoch < 2 ? 2 : epoch < 6 ? 4 : 8;
    CAPTURE(step);
    CHECK(std::abs(schedule.factor(step) - (1 + std::cos(std::numbers::pi * (epoch - begin) / period)) / 2) <=
          2e-15);
  }
}

TEST_CASE("one_cycle: PyTorch's phases") {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3): phases end at 2 and 9.
  const optim::Schedule schedule = optim::one_cycle({.steps = 10});
  const auto cosine = [](double first, double last, double done) {
    return last + (first - last) / 2 * (1 + std::cos(std::numbers::pi * done));
  };
  const double low = 1.0 / 25;
  const double last = low / 1e4;
  check_factors(schedule, {0, 1, 2, 3, 9, 10, 50},
                {low, cosine(low, 1, 0.5), 1, cosine(1, last, 1.0 / 7), last, last, last});
  // Three phases of 20 steps with lines: they end at 5, 10 and 19.
  const optim::OneCycleOptions three{.steps = 20, .three_phases = true, .linear = true};
  check_factors(optim::one_cycle(three), {0, 5, 10, 19}, {low, 1, low, last});
  check_factors(optim::one_cycle(three), {1, 6}, {low + (1 - low) / 5, 1 - (1 - low) / 5});
  CHECK(optim::one_cycle_momentum(three, 0) == 0.95);
  CHECK(optim::one_cycle_momentum(three, 5) == 0.85);
  CHECK(optim::one_cycle_momentum(three, 10) == 0.95);
  CHECK(optim::one_cycle_momentum(three, 15) == 0.95);
  CHECK(std::abs(optim::one_cycle_momentum({.steps = 10}, 1) - 0.9) <= 1e-15);
  check_factors(optim::one_cycle({.steps = 1}), {0, 1}, {last, last});
  CHECK(message_of([] { return optim::one_cycle({.steps = 10, .high_momentum = -3}); }) ==
        "one_cycle: high_momentum must be at least 0 and less than 1: got -3");
  CHECK(message_of([] {
          return optim::one_cycle({.steps = 10, .rising_share = 0.6, .three_phases = true});
        }) == "one_cycle: rising_share must be at least 0 and at most 0.5: got 0.6");
}

TEST_CASE("one_cycle: every option other than its default, at every step") {
  // initial = max / div, min = initial / final_div; the phases end at pct total - 1 and total - 1, of three
  // at pct total - 1, 2 pct total - 2 and total - 1. The momentum is high where the rate is low.
  constexpr double total = 16, share = 0.375, high = 0.9, low = 0.7;
  constexpr double initial = 1.0 / 8, last = initial / 50;
  for (const bool linear : {false, true}) {
    for (const bool three : {false, true}) {
      const auto way = [&](double from, double to, double done) {
        if (linear) return (1 - done) * from + done * to;
        const double s = std::sin(std::numbers::pi * done / 2);  // (1 - cos(pi done)) / 2 is its square
        return from + (to - from) * s * s;
      };
      const optim::OneCycleOptions options{.steps = 16,
                                           .rising_share = share,
                                           .initial_divisor = 8,
                                           .final_divisor = 50,
                                           .three_phases = three,
                                           .linear = linear,
                                           .low_momentum = low,
                                           .high_momentum = high};
      const optim::Schedule schedule = optim::one_cycle(options);
      constexpr double top = share * total - 1, back = 2 * share * total - 2, end = total - 1;
      for (std::int64_t step = 0; step < 20; ++step) {
        CAPTURE(linear);
        CAPTURE(three);
        CAPTURE(step);
        const double at = std::min(static_cast<double>(step), end);
        double factor = 0, momentum = 0;
        if (at <= top) {
          factor = way(initial, 1, at / top);
          momentum = way(high, low, at / top);
        } else if (!three) {
          factor = way(1, last, (at - top) / (end - top));
          momentum = way(low, high, (at - top) / (end - top));
        } else if (at <= back) {
          factor = way(1, initial, (at - top) / (back - top));
          momentum = way(low, high, (at - top) / (back - top));
        } else {
          factor = way(initial, last, (at - back) / (end - back));
          momentum = high;
        }
        CHECK(std::abs(schedule.factor(step) - factor) <= 1e-15);
        CHECK(std::abs(optim::one_cycle_momentum(options, step) - momentum) <= 1e-15);
      }
    }
  }
}

TEST_CASE("one cycle of the rate with SGD's momentum or Adam's beta1 goes a plain loop's way") {
  const optim::OneCycleOptions cycle{.steps = 20};
  const optim::Schedule schedule = optim::one_cycle(cycle);
  const auto momentum_at = [](int step) {  // phases end at 5 and 19
    const double done = step <= 5 ? step / 5.0 : 1 - (step - 5) / 14.0;
    return 0.85 + 0.1 * (1 + std::cos(std::numbers::pi * done)) / 2;
  };
  const nn::Parameter w(tensor({1.0}, {.dtype = float64})), v(tensor({1.0}, {.dtype = float64}));
  optim::SGD sgd({w.cell()}, {.lr = 0.1, .momentum = 0.5});
  optim::Adam adam({v.cell()}, {.lr = 0.1});
  const optim::ScheduledLr sgd_rates(sgd, schedule), adam_rates(adam, schedule);
  testing::Real want_w = 1, want_v = 1;
  testing::ReferenceState sgd_state, adam_state;
  for (int step = 0; step < 20; ++step) {
    CAPTURE(step);
    sgd_rates.apply(sgd, step);
    optim::SGDOptions now = sgd.options();
    now.momentum = optim::one_cycle_momentum(cycle, step);
    sgd.set_options(now);
    adam_rates.apply(adam, step);
    optim::AdamOptions also = adam.options();
    also.beta1 = optim::one_cycle_momentum(cycle, step);
    adam.set_options(also);
    CHECK(now.momentum.value() == doctest::Approx(momentum_at(step)).epsilon(1e-14));
    CHECK(sgd.lr() == 0.1 * schedule.factor(step));
    w.cell()->set_grad(w.tensor().detach());
    v.cell()->set_grad(v.tensor().detach());
    sgd.step();
    adam.step();
    const testing::ReferenceSGD sgd_reference{.momentum = momentum_at(step)};
    const testing::ReferenceAdam adam_reference{.beta1 = momentum_at(step), .beta2 = 0.999L, .eps = 1e-8L};
    const double lr = 0.1 * schedule.factor(step);
    want_w = sgd_reference.step(want_w, want_w, lr, sgd_state);
    want_v = adam_reference.step(want_v, want_v, lr, adam_state);
    CHECK(w.tensor().at({0}) == doctest::Approx(static_cast<double>(want_w)).epsilon(1e-12));
    CHECK(v.tensor().at({0}) == doctest::Approx(static_cast<double>(want_v)).epsilon(1e-12));
  }
}

TEST_CASE("cyclic: triangles of three amplitudes") {
  using Amplitude = optim::CyclicOptions::Amplitude;
  check_factors(optim::cyclic({.max_factor = 5, .steps_up = 2}), {0, 1, 2, 3, 4, 5, 6},
                {1, 3, 5, 3, 1, 3, 5});
  check_factors(optim::cyclic({.max_factor = 5, .steps_up = 1, .steps_down = 4}), {0, 1, 2, 5, 6},
                {1, 5, 4, 1, 5});
  check_factors(optim::cyclic({.max_factor = 5, .steps_up = 2, .amplitude = Amplitude::halved}), {2, 6, 10},
                {5, 3, 2});
  check_factors(
      optim::cyclic({.max_factor = 5, .steps_up = 2, .amplitude = Amplitude::exponential, .gamma = 0.5}),
      {1, 2, 6}, {2, 2, 1 + 4.0 / 64});
  CHECK(message_of([] { return optim::cyclic({}); }) == "cyclic: max_factor is required, and was not given");
}

}}  // namespace xtgrad
