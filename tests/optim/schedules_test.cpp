// Learning-rate schedules: closed forms, boundaries, groups, resuming, derivatives, errors.

#include "xtgrad/optim/schedules.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad {
namespace {

using testing::values;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> factors(const optim::Schedule& schedule, const std::vector<std::int64_t>& steps) {
  std::vector<double> result;
  for (const std::int64_t step : steps) result.push_back(schedule.factor(step));
  return result;
}

void check_close(const std::vector<double>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - want[i]) <= 4e-16);
  }
}

std::vector<double> all_values(const nn::Module& model) {
  std::vector<double> all;
  for (const nn::ParameterRef& parameter : model.parameters()) {
    for (const double v : values(parameter->tensor())) all.push_back(v);
  }
  return all;
}

}  // namespace

TEST_CASE("constant is 1 at every step") {
  CHECK(factors(optim::constant(), {0, 1, 1'000'000'000'000}) == std::vector<double>{1, 1, 1});
}

TEST_CASE("step_decay multiplies at every multiple of step_size") {
  const optim::Schedule schedule = optim::step_decay({.step_size = 3, .gamma = 0.5});
  CHECK(factors(schedule, {0, 2, 3, 5, 6, 8, 9, 30}) ==
        std::vector<double>{1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 1.0 / 1024});
  check_close(factors(optim::step_decay({.step_size = 30}), {29, 30, 60}), {1, 0.1, 0.01});
  CHECK(factors(optim::step_decay({.step_size = 1, .gamma = 2}), {0, 1, 10}) ==
        std::vector<double>{1, 2, 1024});
  CHECK(factors(optim::step_decay({.step_size = 2, .gamma = 0}), {0, 1, 2}) == std::vector<double>{1, 1, 0});
}

TEST_CASE("cosine goes from 1 to min_factor and stays there") {
  // (1 + cos(pi t / 12)) / 2 by half-angle formulas.
  const double root2 = std::sqrt(2.0);
  const double root3 = std::sqrt(3.0);
  const std::vector<double> plain{1, 0.5 + root3 / 4, 0.5 + root2 / 4, 0.75, 0.5, 0.25, 0.5 - root3 / 4, 0};
  const std::vector<std::int64_t> steps{0, 2, 3, 4, 6, 8, 10, 12};
  check_close(factors(optim::cosine({.steps = 12}), steps), plain);
  std::vector<double> raised = plain;
  for (double& factor : raised) factor = 0.1 + 0.9 * factor;
  const optim::Schedule schedule = optim::cosine({.steps = 12, .min_factor = 0.1});
  check_close(factors(schedule, steps), raised);
  // To the last bit at both ends and past them, for awkward numbers too.
  CHECK(factors(schedule, {0, 12, 13, 24, 1000}) == std::vector<double>{1, 0.1, 0.1, 0.1, 0.1});
  for (const double low : {0.3, 1e-3, 0.7, 1.0}) {
    CHECK(factors(optim::cosine({.steps = 7, .min_factor = low}), {0, 7}) == std::vector<double>{1, low});
  }
  CHECK(factors(optim::cosine({.steps = 1}), {0, 1}) == std::vector<double>{1, 0});
}

TEST_CASE("warm-up is a line up to the full rate, then the other schedule from its step 0") {
  const optim::Schedule schedule =
      optim::warmup({.steps = 4, .start_factor = 0.2}, optim::step_decay({.step_size = 2, .gamma = 0.5}));
  check_close(factors(schedule, {0, 1, 2, 3, 4, 5, 6, 8}), {0.2, 0.4, 0.6, 0.8, 1, 1, 0.5, 0.25});
  // PyTorch's LinearLR at its defaults: start 1/3, 5 steps.
  check_close(factors(optim::warmup({.steps = 5}), {0, 1, 4, 5, 6}),
              {1.0 / 3, 1.0 / 3 + 2.0 / 15, 1.0 / 3 + 8.0 / 15, 1, 1});
  CHECK(factors(optim::warmup({.steps = 0}, optim::cosine({.steps = 1})), {0, 1}) ==
        std::vector<double>{1, 0});
  check_close(
      factors(optim::warmup({.steps = 2, .start_factor = 0}, optim::warmup({.steps = 2})), {0, 1, 2, 3, 4}),
      {0, 0.5, 1.0 / 3, 2.0 / 3, 1});
}

TEST_CASE("a schedule of one's own") {
  const optim::Schedule inverse([](std::int64_t step) { return 1 / (1 + static_cast<double>(step)); });
  CHECK(factors(inverse, {0, 1, 3}) == std::vector<double>{1, 0.5, 0.25});
  CHECK(factors(optim::warmup({.steps = 1, .start_factor = 0.5}, inverse), {0, 1, 2}) ==
        std::vector<double>{0.5, 1, 0.5});
}

TEST_CASE("several groups keep their proportions") {
  nn::Linear first{2, 2};
  nn::Linear second{2, 1};
  optim::SGD sgd(first.parameters(), {.lr = 0.5});
  sgd.add_group(second.parameters(), {.lr = 0.25});
  const optim::ScheduledLr rates(sgd, optim::step_decay({.step_size = 10, .gamma = 0.5}));
  CHECK(rates.initial() == std::vector<double>{0.5, 0.25});
  rates.apply(sgd, 25);
  CHECK(sgd.lr(0) == 0.125);
  CHECK(sgd.lr(1) == 0.0625);
  CHECK(rates.rates(10) == std::vector<double>{0.25, 0.125});
  CHECK(sgd.lr(0) == 0.125);
  // Any order of steps: nothing is remembered but the initial rates.
  rates.apply(sgd, 0);
  CHECK(sgd.lr(0) == 0.5);
  CHECK(sgd.lr(1) == 0.25);
  CHECK(rates.schedule().factor(10) == 0.5);
}

TEST_CASE("resumed training has the bits of training that was never interrupted") {
  manual_seed(3);
  const nn::MLP untrained{{.sizes = {3, 5, 2}}};
  const Tensor x = randn({8, 3});
  const Tensor y = randn({8, 2});
  const optim::Schedule schedule =
      optim::warmup({.steps = 3}, optim::cosine({.steps = 7, .min_factor = 0.1}));
  const auto train = [&](nn::MLP& model, optim::Adam& adam, const optim::ScheduledLr& rates,
                         std::int64_t first, std::int64_t last) {
    for (std::int64_t step = first; step < last; ++step) {
      rates.apply(adam, step);
      const Tensor loss = nn::mse_loss(model(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  };

  nn::MLP whole = untrained;
  optim::Adam whole_adam(whole.parameters(), {.lr = 0.05});
  train(whole, whole_adam, optim::ScheduledLr(whole_adam, schedule), 0, 12);

  nn::MLP before = untrained;
  optim::Adam before_adam(before.parameters(), {.lr = 0.05});
  train(before, before_adam, optim::ScheduledLr(before_adam, schedule), 0, 5);
  nn::MLP after{{.sizes = {3, 5, 2}}};
  optim::Adam after_adam(after.parameters(), {.lr = 0.05});
  const optim::ScheduledLr rates(after_adam, schedule);
  after.load_state_dict(before.state_dict());
  after_adam.load_state_dict(before_adam.state_dict());
  CHECK(after_adam.lr() != 0.05);
  nn::MLP other = after;
  train(after, after_adam, rates, 5, 12);
  CHECK(all_values(after) == all_values(whole));
  CHECK(after_adam.lr() == whole_adam.lr());

  // The same with the initial rates given, whatever rate is in force.
  optim::Adam other_adam(other.parameters(), {.lr = 0.05});
  other_adam.load_state_dict(before_adam.state_dict());
  train(other, other_adam, optim::ScheduledLr({0.05}, schedule), 5, 12);
  CHECK(all_values(other) == all_values(whole));
}

TEST_CASE("derivatives of a recorded step flow through the schedule to the initial rate") {
  const optim::Schedule schedule = optim::step_decay({.step_size = 1, .gamma = 0.5});
  const Tensor lr = tensor(0.1, {.dtype = float64, .requires_grad = true});
  Tensor w = tensor({2.0}, {.dtype = float64, .requires_grad = true});
  std::vector<optim::State> states;
  for (std::int64_t step = 0; step < 2; ++step) {
    const std::vector<Tensor> g = grad({sum(square(w))}, {w}, {.create_graph = true});
    auto [parameters, next] = optim::step({w}, g, states, optim::SGDOptions{.lr = schedule.rate(lr, step)});
    w = parameters[0];
    states = next;
  }
  // w = 2 (1 - 2 a) (1 - a) at a = 0.1, and dw/da = 2 (4 a - 3).
  CHECK(w.item() == doctest::Approx(1.44).epsilon(1e-14));
  CHECK(grad({w}, {lr})[0].item() == doctest::Approx(-5.2).epsilon(1e-14));
  // A number stays a number.
  const optim::Hyper rate = schedule.rate(0.1, 2);
  CHECK_FALSE(rate.is_tensor());
  CHECK(rate.value() == 0.1 * 0.25);
  CHECK_THROWS_WITH_AS(static_cast<void>(schedule.rate({}, 2)),
                       "Schedule: initial is required, and was not given", ValueError);
}

TEST_CASE("an optimizer made with a tensor as its rate is scheduled by the tensor's value") {
  nn::Linear layer{2, 1};
  optim::SGD sgd(layer.parameters(), {.lr = tensor(0.5, {.requires_grad = true})});
  const optim::ScheduledLr rates(sgd, optim::step_decay({.step_size = 1, .gamma = 0.5}));
  rates.apply(sgd, 1);
  CHECK(sgd.lr() == 0.25);
}

TEST_CASE("what schedules refuse, and what they say") {
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step_decay({.gamma = 0.5})),
                       "step_decay: step_size is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step_decay({.step_size = 0})),
                       "step_decay: step_size must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step_decay({.step_size = 1, .gamma = -1})),
                       "step_decay: gamma must be finite and at least 0: got -1", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::cosine({})), "cosine: steps is required, and was not given",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::cosine({.steps = 0})),
                       "cosine: steps must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::cosine({.steps = 1, .min_factor = nan})),
                       "cosine: min_factor must be finite and at least 0: got nan", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::warmup({})), "warmup: steps is required, and was not given",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::warmup({.steps = -2})),
                       "warmup: steps must be at least 0: got -2", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::warmup({.steps = 2, .start_factor = inf})),
                       "warmup: start_factor must be finite and at least 0: got inf", ValueError);
  CHECK_THROWS_WITH_AS(optim::Schedule(nullptr),
                       "Schedule: the function is empty; use constant() for a rate that stays", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::constant().factor(-1)),
                       "Schedule: steps are counted from 0: got -1", ValueError);
  const optim::Schedule broken([](std::int64_t step) { return step == 0 ? nan : -1.0; });
  CHECK_THROWS_WITH_AS(static_cast<void>(broken.factor(0)),
                       "Schedule: the factor must be finite and at least 0: got nan at step 0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(broken.factor(4)),
                       "Schedule: the factor must be finite and at least 0: got -1 at step 4", ValueError);
  CHECK_THROWS_WITH_AS(optim::ScheduledLr(std::vector<double>{}, optim::constant()),
                       "ScheduledLr: initial rates are required, one for each group", ValueError);
  CHECK_THROWS_WITH_AS(optim::ScheduledLr({0.1, -0.1}, optim::constant()),
                       "ScheduledLr: initial[1] must be finite and at least 0: got -0.1", ValueError);
}

TEST_CASE("a group added later is an error that says so, and changes no rate") {
  nn::Linear first{2, 2};
  nn::Linear second{2, 1};
  optim::SGD sgd(first.parameters(), {.lr = 0.5});
  const optim::ScheduledLr rates(sgd, optim::cosine({.steps = 10}));
  sgd.add_group(second.parameters(), {.lr = 0.25});
  CHECK_THROWS_WITH_AS(
      rates.apply(sgd, 5),
      "ScheduledLr: the number of groups differs: the optimizer has 2, the initial rates are "
      "1; make the ScheduledLr after all groups were added",
      ValueError);
  CHECK_THROWS_AS(rates.apply(sgd, -1), ValueError);
  CHECK(sgd.lr(0) == 0.5);
  CHECK(sgd.lr(1) == 0.25);
}

TEST_CASE("schedules.h") {
  manual_seed(1);
  nn::MLP model{{.sizes = {3, 4, 1}}};
  const Tensor x = randn({8, 3});
  const Tensor y = randn({8, 1});
  const double before = nn::mse_loss(model(x), y).item();
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  const optim::ScheduledLr rates(adam, optim::warmup({.steps = 10}, optim::cosine({.steps = 90})));
  for (std::int64_t step = 0; step < 100; ++step) {
    rates.apply(adam, step);
    Tensor loss = nn::mse_loss(model(x), y);
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  CHECK(nn::mse_loss(model(x), y).item() < before);
  CHECK(adam.lr() == doctest::Approx(1e-2 * (1 - std::cos(3.14159265358979 / 90)) / 2).epsilon(1e-9));
}

}  // namespace xtgrad
