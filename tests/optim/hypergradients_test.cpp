// The loss after ten steps of each optimizer, differentiated in initial weights and hyperparameters.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

using optim::State;
using optim::Stepped;
using testing::values;
using Inputs = std::span<const Tensor>;

/// A small net on data that it cannot fit.
struct Problem {
  Tensor x;  // [4, 3]
  Tensor y;  // [4, 2]
  Tensor w;  // [3, 2]
  Tensor b;  // [2]

  Problem() {
    Random random(11);
    x = randn({4, 3}, random, {.dtype = float64});
    y = randn({4, 2}, random, {.dtype = float64});
    w = randn({3, 2}, random, {.dtype = float64});
    b = randn({2}, random, {.dtype = float64});
  }
  [[nodiscard]] Tensor loss(const Tensor& weight, const Tensor& bias) const {
    return mean(square(tanh(matmul(x, weight) + bias) - y));
  }
};

/// The same value as a leaf, if the caller does not differentiate in it already.
Tensor variable(const Tensor& x) { return x.requires_grad() ? x : x.detach().set_requires_grad(); }

template <class Options>
Tensor loss_after_training(const Problem& problem, const Tensor& w, const Tensor& b, const Options& options) {
  const EnableGrad record;
  std::vector<Tensor> parameters{w, b};
  std::vector<State> states;
  for (int t = 0; t < 10; ++t) {
    for (Tensor& parameter : parameters) parameter = variable(parameter);
    const std::vector<Tensor> gradients = grad(
        std::vector<Tensor>{problem.loss(parameters[0], parameters[1])}, parameters, {.create_graph = true});
    Stepped stepped = optim::step(parameters, gradients, states, options);
    parameters = std::move(stepped.parameters);
    states = std::move(stepped.states);
  }
  return problem.loss(parameters[0], parameters[1]);
}

/// `options_of` makes options of the hyperparameters, which start at `hypers`.
template <class F>
void check(const char* name, const std::vector<double>& hypers, const F& options_of) {
  const Problem problem;
  std::vector<Tensor> inputs{problem.w, problem.b};
  for (const double hyper : hypers) inputs.push_back(tensor(hyper, {.dtype = float64}));
  const auto f = [&](Inputs in) {
    return std::vector<Tensor>{loss_after_training(problem, in[0], in[1], options_of(in.subspan(2)))};
  };
  const CheckGradsReport report = check_grads(f, inputs, {.order = 1, .full_jacobian = true, .name = name});
  CHECK_MESSAGE(report.ok(), report.message);
  // Each of them matters, or the check has seen nothing.
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.detach().set_requires_grad());
  for (const Tensor& slope : grad(f(leaves), leaves)) {
    REQUIRE(slope.defined());
    CHECK(sum(abs(slope)).item() > 0);
  }
}

// Decay rates are sigmoids, so that they stay below 1 wherever the check goes.

TEST_CASE("hypergradients: SGD, both forms of momentum, with dampening and with Nesterov's step") {
  check("SGD", {0.3, 0.05}, [](Inputs h) { return optim::SGDOptions{.lr = h[0], .weight_decay = h[1]}; });
  for (const bool lr_in_velocity : {false, true}) {
    check("SGD with momentum", {0.1, 0.8, 0.2, 0.05}, [&](Inputs h) {
      return optim::SGDOptions{.lr = h[0],
                               .momentum = h[1],
                               .dampening = h[2],
                               .weight_decay = h[3],
                               .lr_in_velocity = lr_in_velocity};
    });
    check("SGD with Nesterov's step", {0.1, 0.8, 0.05}, [&](Inputs h) {
      return optim::SGDOptions{.lr = h[0],
                               .momentum = h[1],
                               .weight_decay = h[2],
                               .nesterov = true,
                               .lr_in_velocity = lr_in_velocity};
    });
  }
}

TEST_CASE("hypergradients: Adam and AMSGrad") {
  for (const bool amsgrad : {false, true}) {
    check(amsgrad ? "AMSGrad" : "Adam", {0.1, 1.4, 1.2, 0.01, 0.05}, [&](Inputs h) {
      return optim::AdamOptions{.lr = h[0],
                                .beta1 = sigmoid(h[1]),
                                .beta2 = sigmoid(h[2]),
                                .eps = h[3],
                                .weight_decay = h[4],
                                .amsgrad = amsgrad};
    });
  }
}

TEST_CASE("hypergradients: AdamW, and with AMSGrad's maximum") {
  for (const bool amsgrad : {false, true}) {
    check(amsgrad ? "AdamW with AMSGrad's maximum" : "AdamW", {0.1, 1.4, 1.2, 0.01, 0.2}, [&](Inputs h) {
      return optim::AdamWOptions{.lr = h[0],
                                 .beta1 = sigmoid(h[1]),
                                 .beta2 = sigmoid(h[2]),
                                 .eps = h[3],
                                 .weight_decay = h[4],
                                 .amsgrad = amsgrad};
    });
  }
}

TEST_CASE("hypergradients: Adagrad") {
  check("Adagrad", {0.1, 0.2, 0.05, 0.3, 0.01}, [](Inputs h) {
    return optim::AdagradOptions{
        .lr = h[0], .lr_decay = h[1], .weight_decay = h[2], .initial_accumulator = h[3], .eps = h[4]};
  });
}

TEST_CASE("hypergradients: RMSProp") {
  for (const bool centered : {false, true}) {
    for (const bool inside : {false, true}) {
      check("RMSProp", {0.05, 1.2, 0.1, 0.05, 0.5}, [&](Inputs h) {
        return optim::RMSPropOptions{.lr = h[0],
                                     .alpha = sigmoid(h[1]),
                                     .eps = h[2],
                                     .weight_decay = h[3],
                                     .momentum = h[4],
                                     .centered = centered,
                                     .eps_inside_root = inside};
      });
    }
  }
  check("RMSProp without momentum", {0.05, 1.2, 0.1},
        [](Inputs h) { return optim::RMSPropOptions{.lr = h[0], .alpha = sigmoid(h[1]), .eps = h[2]}; });
}

TEST_CASE("hypergradients: Adadelta") {
  check("Adadelta", {1, 1.2, 0.01, 0.05}, [](Inputs h) {
    return optim::AdadeltaOptions{.lr = h[0], .rho = sigmoid(h[1]), .eps = h[2], .weight_decay = h[3]};
  });
}

TEST_CASE("hypergradients: Adamax") {
  check("Adamax", {0.1, 1.4, 1.2, 0.01, 0.05}, [](Inputs h) {
    return optim::AdamaxOptions{
        .lr = h[0], .beta1 = sigmoid(h[1]), .beta2 = sigmoid(h[2]), .eps = h[3], .weight_decay = h[4]};
  });
}

TEST_CASE("hypergradients: NAdam") {
  for (const bool decoupled : {false, true}) {
    check("NAdam", {0.1, 1.4, 2.2, 0.01, 0.05, 0.3}, [&](Inputs h) {
      return optim::NAdamOptions{.lr = h[0],
                                 .beta1 = sigmoid(h[1]),
                                 .beta2 = sigmoid(h[2]),
                                 .eps = h[3],
                                 .weight_decay = h[4],
                                 .momentum_decay = h[5],
                                 .decoupled_decay = decoupled};
    });
  }
}

TEST_CASE("hypergradients: RAdam") {
  // With beta2 at 0.9 it adapts from the fifth step on or so.
  for (const bool decoupled : {false, true}) {
    check("RAdam", {0.1, 1.4, 2.2, 0.01, 0.05}, [&](Inputs h) {
      return optim::RAdamOptions{.lr = h[0],
                                 .beta1 = sigmoid(h[1]),
                                 .beta2 = sigmoid(h[2]),
                                 .eps = h[3],
                                 .weight_decay = h[4],
                                 .decoupled_decay = decoupled};
    });
  }
}

TEST_CASE("hypergradients: Rprop") {
  check("Rprop", {-1.5, 0.2, -1.4}, [](Inputs h) {
    return optim::RpropOptions{
        .lr = sigmoid(h[0]), .eta_minus = sigmoid(h[1]), .eta_plus = 1 + sigmoid(h[2])};
  });
}

TEST_CASE("hypergradients: ASGD") {
  check("ASGD", {0.3, 0.1, 0.6, 0.05}, [](Inputs h) {
    return optim::ASGDOptions{.lr = h[0], .decay = h[1], .alpha = h[2], .weight_decay = h[3]};
  });
}

TEST_CASE("hypergradients: Lion") {
  check("Lion", {0.05, 0.2}, [](Inputs h) { return optim::LionOptions{.lr = h[0], .weight_decay = h[1]}; });
}

TEST_CASE("hypergradients: signs have none, in gradients and in Lion's betas") {
  const Tensor p = tensor({1, -2}, {.dtype = float64});
  const Tensor g = tensor({0.5, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor beta1 = tensor(0.9, {.dtype = float64, .requires_grad = true});
  const Tensor beta2 = tensor(0.99, {.dtype = float64, .requires_grad = true});
  const auto no_slope = [](const Tensor& y, const Tensor& x) {
    const Tensor slope = grad(std::vector<Tensor>{sum(y)}, std::vector<Tensor>{x},
                              {.keep_graph = true, .allow_unused = true})[0];
    return !slope.defined() || sum(abs(slope)).item() == 0;
  };
  const optim::LionOptions lion{
      .lr = Tensor(tensor(0.1, {.dtype = float64, .requires_grad = true})), .beta1 = beta1, .beta2 = beta2};
  Stepped stepped = optim::step({p}, {g}, {}, lion);
  stepped = optim::step(stepped.parameters, {g}, stepped.states, lion);
  for (const Tensor& x : {g, beta1, beta2}) CHECK(no_slope(stepped.parameters[0], x));
  CHECK_FALSE(no_slope(stepped.parameters[0], lion.lr.tensor()));
  const optim::RpropOptions rprop{.lr = lion.lr};
  Stepped resilient = optim::step({p}, {g}, {}, rprop);
  resilient = optim::step(resilient.parameters, {g}, resilient.states, rprop);
  CHECK(no_slope(resilient.parameters[0], g));
  CHECK(grad(std::vector<Tensor>{sum(resilient.parameters[0])}, std::vector<Tensor>{lion.lr.tensor()})[0]
            .item() == doctest::Approx(-2 * (1 + 1.2)).epsilon(1e-14));
}

TEST_CASE("hypergradients: gradients of exactly 0 make no NaN") {
  const Tensor p = tensor({2, 3}, {.dtype = float64});
  const auto try_one = [&](const auto& base) {
    auto options = base;
    const Tensor lr = tensor(0.1, {.dtype = float64, .requires_grad = true});
    options.lr = lr;
    Tensor g = tensor({0, 1}, {.dtype = float64, .requires_grad = true});
    Stepped stepped = optim::step({p}, {g}, {}, options);
    stepped = optim::step(stepped.parameters, {g}, stepped.states, options);
    CHECK(stepped.parameters[0].at({0}) == 2);
    const std::vector<Tensor> slopes = grad(std::vector<Tensor>{sum(stepped.parameters[0])},
                                            std::vector<Tensor>{lr, g}, {.allow_unused = true});
    for (const Tensor& slope : slopes) {
      if (slope.defined()) CHECK(std::isfinite(sum(slope).item()));
    }
  };
  try_one(optim::AdagradOptions{});
  try_one(optim::RMSPropOptions{});
  try_one(optim::RMSPropOptions{.momentum = 0.5, .centered = true});
  try_one(optim::AdadeltaOptions{});
  try_one(optim::AdamaxOptions{});
  try_one(optim::AdamaxOptions{.eps = 0});
  try_one(optim::NAdamOptions{});
  try_one(optim::RAdamOptions{.beta2 = 0.5});
  try_one(optim::RpropOptions{});
  try_one(optim::LionOptions{});
}

}}  // namespace xtgrad
