// What L-BFGS promises beside its formula: conditions, ends, errors, dtypes, which parameters move.

#include "xtgrad/optim/lbfgs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/scheduled_lr.h"
#include "xtgrad/optim/schedules.h"

namespace xtgrad { namespace {

using optim::LBFGS;
using optim::LBFGSEnd;
using optim::LBFGSOptions;
using optim::LBFGSStep;
using optim::LineSearch;
using testing::message_of;
using testing::values;

nn::Parameter point(const std::vector<double>& x) { return nn::Parameter(from_vector(x)); }

Tensor rosenbrock(const Tensor& w) {
  const std::int64_t n = w.numel();
  const Tensor x = slice(w, {.stop = n - 1}), y = slice(w, {.start = 1});
  return sum(square(1 - x) + 100 * square(y - square(x)));
}

double largest(const Tensor& x) { return amax(abs(x)).item(); }

const LBFGSOptions searching{.line_search = LineSearch::strong_wolfe};

/// A function of one point that counts its calls.
template <class F>
struct Counted {
  F f;
  nn::Parameter& w;
  int calls = 0;
  Tensor operator()() {
    ++calls;
    return f(w.tensor());
  }
};
template <class F>
Counted(F, nn::Parameter&) -> Counted<F>;

template <class F>
LBFGSStep minimize(const F& f, nn::Parameter& w, const LBFGSOptions& options) {
  Counted loss{f, w};
  LBFGS lbfgs({w.cell()}, options);
  const LBFGSStep step = lbfgs.step([&] { return loss(); });
  CHECK(step.evaluations == loss.calls);
  return step;
}

TEST_CASE("L-BFGS with a search meets the strong Wolfe conditions in every iteration") {
  const auto check = [](const char* name, const auto& f, std::vector<double> x, int least) {
    CAPTURE(name);
    nn::Parameter w = point(x);
    LBFGS lbfgs({w.cell()}, {.max_iter = 1, .line_search = LineSearch::strong_wolfe});
    const auto value_and_gradient = [&] {
      const Tensor loss = f(w.tensor());
      return std::pair(loss.item(), grad({loss}, {w.tensor()})[0]);
    };
    int iterations = 0;
    for (bool is_done = false; !is_done && iterations < 200;) {
      const Tensor before = w.tensor().detach();
      const auto [loss, gradient] = value_and_gradient();
      const LBFGSStep step = lbfgs.step([&] { return f(w.tensor()); });
      CHECK(step.loss == loss);
      CHECK(step.grad_norm == doctest::Approx(std::sqrt(sum(square(gradient)).item())));
      is_done = step.end != LBFGSEnd::max_iter && step.end != LBFGSEnd::max_eval;
      if (step.iterations() == 0) break;
      ++iterations;
      // t times the slopes, which differ by the same factor.
      const Tensor move = w.tensor().detach() - before;
      const auto [next, next_gradient] = value_and_gradient();
      const double slope = sum(gradient * move).item(), next_slope = sum(next_gradient * move).item();
      CHECK(slope < 0);
      CHECK(next <= loss + 1e-4 * slope);
      CHECK(std::abs(next_slope) <= -0.9 * slope);
    }
    CHECK(iterations >= least);
    CHECK(largest(value_and_gradient().second) < 1e-3);
  };
  check("Rosenbrock", rosenbrock, {-1.2, 1}, 30);
  check("Rosenbrock in 10", rosenbrock, {-1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1}, 50);
  check(
      "quartic", [](const Tensor& w) { return sum(square(square(w - 3)) + square(w)); }, {10, -4}, 4);
  // The minimum is far away, and the first trial much too short.
  check(
      "flat slope", [](const Tensor& w) { return sum(sqrt(1 + square(w / 100 - 5))); }, {0, 20}, 2);
  check(
      "saturated", [](const Tensor& w) { return sum(-exp(-square(w)) + 0.001 * square(w)); }, {2, -2.5}, 3);
}

TEST_CASE("a step of L-BFGS ends where there is nothing to do") {
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    const LBFGSOptions options{.line_search = line_search};
    {  // at the optimum
      nn::Parameter w = point({1, 1});
      const LBFGSStep step = minimize(rosenbrock, w, options);
      CHECK(step.end == LBFGSEnd::small_gradient);
      CHECK(step.converged());
      CHECK(step.iterations() == 0);
      CHECK(step.evaluations == 1);
      CHECK(values(w.tensor()) == std::vector<double>{1, 1});
    }
    {  // on a flat function
      nn::Parameter w = point({3, 4});
      const LBFGSStep step = minimize([](const Tensor& x) { return sum(0 * x) + 7; }, w, options);
      CHECK(step.loss == 7);
      CHECK(step.grad_norm == 0);
      CHECK(step.end == LBFGSEnd::small_gradient);
    }
    {  // without elements, and with no parameter that learns
      nn::Parameter w(zeros({0, 2}, {.dtype = float64}));
      CHECK(minimize([](const Tensor& x) { return sum(x); }, w, options).end == LBFGSEnd::small_gradient);
      nn::Parameter frozen = point({2});
      frozen.set_requires_grad(false);
      nn::Parameter other = point({5});
      LBFGS lbfgs({frozen.cell()}, options);
      const LBFGSStep step = lbfgs.step([&] { return sum(square(frozen.tensor() * other)); });
      CHECK(step.converged());
      CHECK(frozen.tensor().item() == 2);
    }
    {  // where the gradient promises less than tolerance_change
      nn::Parameter w = point({1e-5});
      const LBFGSStep step = minimize([](const Tensor& x) { return sum(square(x)); }, w, options);
      CHECK(step.end == LBFGSEnd::small_change);
      CHECK(step.iterations() == 0);
    }
  }
}

TEST_CASE("a step of L-BFGS ends at the tolerances that it is given") {
  const auto bowl = [](const Tensor& x) { return sum(square(x)); };
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    const auto step_from = [&](double x, LBFGSOptions options) {
      options.line_search = line_search;
      nn::Parameter w = point({x});
      return minimize(bowl, w, options);
    };
    // The gradient's largest element is 2, and its square, 4, is what the slope promises.
    LBFGSStep step = step_from(1, {.tolerance_grad = 2});
    CHECK(step.end == LBFGSEnd::small_gradient);
    CHECK(step.iterations() == 0);
    CHECK(step_from(1, {.tolerance_grad = 1.99}).iterations() > 0);
    step = step_from(1, {.tolerance_change = 4.01});
    CHECK(step.end == LBFGSEnd::small_change);
    CHECK(step.iterations() == 0);
    CHECK(step_from(1, {.tolerance_change = 3.99}).iterations() > 0);
  }
}

TEST_CASE("the limits of a step of L-BFGS, and its evaluations") {
  // Without a search an iteration evaluates the loss once, before it; the last one's result is not looked at.
  nn::Parameter w = point({-1.2, 1});
  LBFGSStep step = minimize(rosenbrock, w, {.lr = 0.1, .max_iter = 7});
  CHECK(step.end == LBFGSEnd::max_iter);
  CHECK(step.iterations() == 7);
  CHECK(step.evaluations == 7);
  CHECK_FALSE(step.converged());
  step = minimize(rosenbrock, w, {.lr = 0.1, .max_iter = 20, .max_eval = 4});
  CHECK(step.end == LBFGSEnd::max_eval);
  CHECK(step.iterations() == 3);
  CHECK(step.evaluations == 4);
  // By default there are 5/4 evaluations to an iteration, fewer than a search takes here.
  step = minimize(rosenbrock, w, searching);
  CHECK(step.end == LBFGSEnd::max_eval);
  CHECK(step.evaluations >= 25);
  CHECK(step.evaluations < 25 + 26);
  // A quadratic of one variable: one trial, whose curvature gives the second the minimum.
  nn::Parameter v = point({3});
  step = minimize([](const Tensor& x) { return sum(square(x)); }, v, searching);
  CHECK(step.end == LBFGSEnd::small_gradient);
  CHECK(std::abs(v.tensor().item()) < 1e-12);
}

TEST_CASE("L-BFGS on functions without a lower bound takes steps of finite length, and each ends") {
  const auto linear = [](const Tensor& w) { return sum(w); };
  const auto check = [](const auto& f) {
    nn::Parameter w = point({-1, 2});
    for (int i = 0; i < 3; ++i) {
      const double before = f(w.tensor()).item();
      CHECK(minimize(f, w, searching).evaluations <= 60);
      CHECK(f(w.tensor()).item() <= before);
      CHECK(std::isfinite(f(w.tensor()).item()));
    }
    CHECK(f(w.tensor()).item() < -1e15);
  };
  check(linear);
  check([](const Tensor& w) { return -sum(exp(w)); });  // up to where the next number would overflow
  check([](const Tensor& w) { return -sum(square(square(w))); });
  nn::Parameter w = point({-1, 2});
  CHECK(minimize(linear, w, {.lr = 1}).end == LBFGSEnd::max_iter);
  CHECK(minimize(linear, w, searching).end == LBFGSEnd::max_eval);
}

TEST_CASE("a line search steps back from where the loss is not finite") {
  // From 3 the first trial of lr 100 goes to where the logarithm is NaN, or the root infinite in slope.
  nn::Parameter w = point({3});
  const auto barrier = [](const Tensor& x) { return sum(square(x - 0.01) - 1e-3 * log(x)); };
  LBFGS lbfgs(
      {w.cell()},
      {.lr = 100, .max_eval = 100, .tolerance_change = 1e-15, .line_search = LineSearch::strong_wolfe});
  LBFGSStep step;
  for (int i = 0; i < 5; ++i) step = lbfgs.step([&] { return barrier(w.tensor()); });
  CHECK(step.converged());
  // 2 (x - 0.01) = 1e-3 / x
  const double x = w.tensor().item();
  CHECK(std::abs(2 * (x - 0.01) - 1e-3 / x) < 1e-6);
  // Nothing but NaN in the direction of descent: the parameters stay, and the step says so.
  nn::Parameter v = point({1});
  const LBFGSStep stuck = minimize(
      [](const Tensor& y) {
        return y.item() == 1 ? sum(y) : sum(y * std::numeric_limits<double>::quiet_NaN());
      },
      v, searching);
  CHECK(stuck.end == LBFGSEnd::no_decrease);
  CHECK_FALSE(stuck.converged());
  CHECK(stuck.iterations() == 0);
  CHECK(v.tensor().item() == 1);
}

TEST_CASE("L-BFGS: without a search, what is not finite is an error that leaves the iteration before") {
  // Downhill on a root, past 0: from 0.3 to 0.21, 0.10 and -0.06.
  nn::Parameter w = point({0.3});
  LBFGS lbfgs({w.cell()}, {.lr = 0.1});
  std::vector<double> tried;
  const auto loss = [&] {
    tried.push_back(w.tensor().item());
    return sum(sqrt(w.tensor()));
  };
  CHECK_THROWS_WITH_AS(lbfgs.step(loss), "LBFGS: step: the loss must be finite: got nan", ValueError);
  REQUIRE(tried.size() == 4);
  CHECK(tried[3] < 0);
  CHECK(w.tensor().item() == tried[2]);
  // A loaded or repeated step goes on from there.
  lbfgs.set_lr(0.01);
  CHECK(lbfgs.step([&] { return sum(square(w.tensor())); }).loss == tried[2] * tried[2]);
}

TEST_CASE("L-BFGS: an exception in the loss leaves the parameters and the state of the iteration before") {
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    const LBFGSOptions options{.lr = 0.5, .max_eval = 1000, .line_search = line_search};
    nn::Parameter w = point({-1.2, 1}), undisturbed = point({-1.2, 1});
    LBFGS lbfgs({w.cell()}, options);
    int calls = 0;
    const auto fails_at = [&](int call) {
      return [&, call] {
        if (++calls == call) throw ValueError("enough");
        return rosenbrock(w);
      };
    };
    CHECK(message_of([&] { return lbfgs.step(fails_at(6)).iterations(); }) == "enough");
    // The two go on from the same point, in which the first has the iterations that were done.
    LBFGSOptions single = options;
    single.max_iter = 1;
    LBFGS other({undisturbed.cell()}, single);
    int iterations = 0;
    while (values(undisturbed.tensor()) != values(w.tensor())) {
      REQUIRE(++iterations <= 5);
      other.step([&] { return rosenbrock(undisturbed); });
    }
    CHECK(iterations >= 1);
    lbfgs.set_options(single);
    for (int i = 0; i < 5; ++i) {
      lbfgs.step([&] { return rosenbrock(w); });
      other.step([&] { return rosenbrock(undisturbed); });
      CHECK(values(undisturbed.tensor()) == values(w.tensor()));
    }
  }
}

TEST_CASE("L-BFGS with a history of 0 goes down the gradient, with 1 along a better direction") {
  nn::Parameter w = point({2, 1});
  const auto valley = [](const Tensor& x) { return sum(square(x) * tensor({1, 4}, {.dtype = float64})); };
  // lr times the gradient in all iterations but the first, whose gradient (4, 8) is scaled to a sum of 1.
  minimize(valley, w, {.lr = 0.1, .max_iter = 2, .max_eval = 9, .history_size = 0});
  const double x = 2 - 0.1 * 4 / 12, y = 1 - 0.1 * 8 / 12;
  CHECK(w.tensor().at({0}) == doctest::Approx(x - 0.1 * 2 * x).epsilon(1e-14));
  CHECK(w.tensor().at({1}) == doctest::Approx(y - 0.1 * 8 * y).epsilon(1e-14));
  const auto evaluations = [&](std::int64_t size) {
    nn::Parameter v = point({-1.2, 1});
    const LBFGSStep step = minimize(
        rosenbrock, v,
        {.max_iter = 400, .max_eval = 4000, .history_size = size, .line_search = LineSearch::strong_wolfe});
    CHECK(largest(v.tensor() - 1) < (size == 0 ? 0.5 : 1e-4));
    return step.evaluations;
  };
  CHECK(evaluations(1) < evaluations(0) / 10);
}

TEST_CASE("L-BFGS in float32, and with parameters of both dtypes") {
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    const LBFGSOptions options{.lr = line_search == LineSearch::none ? 0.5 : 1,
                               .max_iter = 100,
                               .max_eval = 1000,
                               .line_search = line_search};
    nn::Parameter w(tensor({-1.2, 1}));
    CHECK(minimize(rosenbrock, w, options).converged());
    CHECK(w.dtype() == float32);
    CHECK(largest(w.tensor() - 1) < 2e-2);
    nn::Parameter x(tensor({-1.2})), y = point({1});
    LBFGS lbfgs({x.cell(), y.cell()}, options);
    const auto loss = [&] { return rosenbrock(concat({x.tensor().to(float64), y.tensor()})); };
    CHECK(lbfgs.step(loss).iterations() > 10);
    CHECK(x.dtype() == float32);
    CHECK(y.dtype() == float64);
    CHECK(largest(x.tensor() - 1) < 2e-3);
    CHECK(largest(y.tensor() - 1) < 2e-3);
    CHECK(lbfgs.state_dict().at("gradient").dtype() == float64);
  }
}

TEST_CASE("L-BFGS goes on after its parameters were converted") {
  nn::Parameter w(tensor({-1.2, 1}));
  LBFGS lbfgs({w.cell()}, {.max_iter = 5, .line_search = LineSearch::strong_wolfe});
  lbfgs.step([&] { return rosenbrock(w); });
  w.to(float64);
  for (int i = 0; i < 10; ++i) lbfgs.step([&] { return rosenbrock(w); });
  CHECK(largest(w.tensor() - 1) < 1e-4);
  CHECK(lbfgs.state_dict().at("s").dtype() == float64);
}

TEST_CASE("L-BFGS trains a model whose parameters are frozen, unused and unfrozen") {
  Random random(3);
  const Tensor x = randn({20, 3}, random, {.dtype = float64});
  const Tensor y = randn({20, 1}, random, {.dtype = float64});
  manual_seed(4);
  nn::MLP model{{.sizes = {3, 5, 1}, .activation = nn::ActivationKind::tanh}};
  model.to(float64);
  std::vector<nn::ParameterRef> parameters = model.parameters();
  nn::Parameter unused = point({7});
  parameters.push_back(unused.cell());
  parameters[1]->set_grad(ones_like(parameters[1]->tensor().detach()));
  const auto loss = [&] { return nn::mse_loss(model(x), y); };
  LBFGS lbfgs(parameters, {.max_iter = 5, .line_search = LineSearch::strong_wolfe});
  parameters[0]->set_requires_grad(false);
  const std::vector<double> frozen = values(parameters[0]->tensor());
  double before = loss().item();
  const NoGrad no_grad;
  for (int i = 0; i < 3; ++i) {
    const LBFGSStep step = lbfgs.step(loss);
    CHECK(step.loss <= before);
    before = step.loss;
  }
  CHECK(values(parameters[0]->tensor()) == frozen);
  CHECK(unused.tensor().item() == 7);
  // Gradients are computed beside those that parameters have.
  CHECK(largest(parameters[1]->grad() - 1) == 0);
  CHECK_FALSE(parameters[2]->grad().defined());
  // 21 elements learn now, not 6 and the unused one, and with the first step all begins anew.
  CHECK(lbfgs.state_dict().at("gradient").shape() == Shape{12});
  parameters[0]->set_requires_grad(true);
  const LBFGSStep anew = lbfgs.step(loss);
  CHECK(anew.loss <= before);
  CHECK(lbfgs.state_dict().at("gradient").shape() == Shape{27});
  CHECK(lbfgs.state_dict().at("s").size(0) < 5);
  CHECK(values(parameters[0]->tensor()) != frozen);
  CHECK(loss().item() < anew.loss);
}

TEST_CASE("L-BFGS: the learning rate can be changed, by a schedule, too, and so can options") {
  nn::Parameter w = point({2});
  LBFGS lbfgs({w.cell()}, {.lr = 0.5, .max_iter = 1});
  const auto loss = [&] { return sum(0.1 * square(w.tensor())); };
  const optim::ScheduledLr rates(lbfgs, optim::step_decay({.step_size = 1, .gamma = 0.5}));
  rates.apply(lbfgs, 0);
  CHECK(lbfgs.step(loss).lengths.at(0) == 0.5);  // a gradient of 0.4, less than 1
  rates.apply(lbfgs, 1);
  CHECK(lbfgs.step(loss).lengths.at(0) == 0.25);
  CHECK(lbfgs.options().lr.value() == 0.25);
  LBFGSOptions options = lbfgs.options();
  options.lr = 1;
  lbfgs.set_options(options);
  // The pair of one dimension is the curvature itself: Newton's step, to the minimum.
  CHECK(lbfgs.step(loss).lengths.at(0) == 1);
  CHECK(std::abs(w.tensor().item()) < 1e-15);
}

TEST_CASE("what L-BFGS refuses") {
  nn::Parameter w = point({1, 2});
  const auto made = [&](const LBFGSOptions& options) {
    return message_of([&] { return LBFGS({w.cell()}, options).group_count(); });
  };
  CHECK(made({.lr = -1}) == "LBFGS: lr must be finite and at least 0: got -1");
  CHECK(made({.max_iter = 0}) == "LBFGS: max_iter must be at least 1: got 0");
  CHECK(made({.max_eval = 0}) == "LBFGS: max_eval must be at least 1: got 0");
  CHECK(made({.tolerance_grad = -1}) == "LBFGS: tolerance_grad must be finite and at least 0: got -1");
  CHECK(made({.tolerance_change = -1}) == "LBFGS: tolerance_change must be finite and at least 0: got -1");
  CHECK(made({.history_size = -1}) == "LBFGS: history_size must be at least 0: got -1");
  CHECK_THROWS_WITH_AS(
      LBFGS({}), "LBFGS: the list of parameters is empty; a module's are those that its `members` lists",
      ValueError);
  LBFGS lbfgs({w.cell()});
  nn::Parameter other = point({3});
  CHECK_THROWS_WITH_AS(
      lbfgs.add_group({other.cell()}, {}),
      "LBFGS: all parameters take the same step, so there is one group: got 1 more parameters", ValueError);
  const auto stepped = [&](auto loss) { return message_of([&] { return lbfgs.step(loss).iterations(); }); };
  CHECK(stepped([&] { return square(w.tensor()); }) ==
        "LBFGS: step: the loss must have one element: got [2]");
  CHECK(stepped([&] { return log(-sum(square(w.tensor()))); }) ==
        "LBFGS: step: the loss must be finite: got nan");
  CHECK(stepped([&] { return sum(sqrt(w.tensor() - 1)); }) ==
        "LBFGS: step: the gradient must be finite: got inf, where the loss is 1");
  CHECK_THROWS_AS(lbfgs.step([&] { return sum(w.tensor().detach()); }), GraphError);
  CHECK_THROWS_AS(lbfgs.step(nullptr), ValueError);
  optim::Optimizer& as_any = lbfgs;
  w.set_grad(ones({2}, {.dtype = float64}));
  CHECK_THROWS_WITH_AS(
      as_any.step(),
      "LBFGS: step: it evaluates the loss at several points: give it the function that computes "
      "the loss, as in lbfgs.step([&] { return nn::mse_loss(model(x), y); })",
      ValueError);
  CHECK(values(w.tensor()) == std::vector<double>{1, 2});
}

}}  // namespace xtgrad
