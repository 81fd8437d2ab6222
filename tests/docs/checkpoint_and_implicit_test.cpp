// The code of docs/checkpoint_and_implicit.md.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/linear_solvers.h"
#include "xtgrad/optim/lbfgs.h"
#include "xtgrad/optim/levenberg_marquardt.h"
#include "xtgrad/optim/newton.h"
#include "xtgrad/optim/nonlinear_cg.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

struct Block : nn::Module {
  nn::Linear linear{16, 16};
  nn::Dropout drop{{.p = 0.1}};
  void members(nn::Members& m) override {
    m("linear", linear);
    m("drop", drop);
  }
  Tensor forward(const Tensor& x) override { return x + drop(tanh(linear(x))); }
};

struct Deep : nn::Module {
  std::array<Block, 8> blocks;
  bool saves_memory = true;
  void members(nn::Members& m) override {
    for (std::size_t i = 0; i < blocks.size(); ++i) m(fmt::format("block{}", i), blocks[i]);
  }
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (Block& block : blocks) y = saves_memory ? checkpoint(block, y) : block(y);
    return y;
  }
};

Tensor square_root(const Tensor& a) {
  const auto equation = [](const Tensor& x, const Tensor& t) { return x * x - t; };
  const auto newton = [](const Tensor& t) {
    Tensor x = t;
    for (int i = 0; i < 50; ++i) x = (x + t / x) * 0.5;
    return x;
  };
  return implicit_root(equation, newton, a);
}

Tensor endless_layer(const Tensor& input, const Tensor& w) {
  const auto layer = [](const Tensor& x, std::span<const Tensor> theta) {
    return tanh(matmul(x, theta[1]) + theta[0]);
  };
  const std::vector<Tensor> theta{input, w};
  return fixed_point(layer, zeros_like(input), theta, {.linear_solver = gmres()});
}

}  // namespace

TEST_CASE("docs: a deep model in checkpoints is the model that it was") {
  manual_seed(1);
  Deep deep;
  Deep plain = deep;
  plain.saves_memory = false;
  Random random(2);
  const Tensor x = randn({4, 16}, random);
  sum(square(deep(x))).backward();
  sum(square(plain(x))).backward();
  const auto parameters = deep.parameters(), plain_parameters = plain.parameters();
  REQUIRE(parameters.size() == 16);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CAPTURE(i);
    CHECK(testing::same_bits(parameters[i]->grad(), plain_parameters[i]->grad()));
  }
}

TEST_CASE("docs: functions that are defined by an equation") {
  const Tensor a = tensor({1, 4, 9}, {.dtype = float64, .requires_grad = true});
  const Tensor slope = grad({sum(square_root(a))}, {a})[0];
  CHECK(slope.at({1}) == doctest::Approx(0.25));
  CHECK(slope.at({2}) == doctest::Approx(1.0 / 6));
  Random random(2);
  const Tensor input = randn({2, 3}, random, {.dtype = float64});
  const Tensor w = randn({3, 3}, random, {.dtype = float64}) * 0.2;
  const auto f = [](std::span<const Tensor> in) { return std::vector<Tensor>{endless_layer(in[0], in[1])}; };
  const std::vector<Tensor> inputs{input, w};
  CHECK_NOTHROW(require_grads(f, inputs, {.order = 1}));
}

TEST_CASE("docs/checkpoint_and_implicit.md: steps of Gauss and Newton") {
  Random random(1);
  const Tensor x = randn({40, 2}, random, {.dtype = float64});
  const Tensor y = sum(square(x), {.axes = {1}, .keepdim = true});
  nn::MLP model{{.sizes = {2, 8, 1}, .activation = nn::ActivationKind::tanh}};
  model.to(float64);
  const double before = nn::mse_loss(model(x), y).item();
  const auto residuals = [&] { return model(x) - y; };
  for (int i = 0; i < 15; ++i) optim::gauss_newton_step(model.parameters(), residuals, {.damping = 0.3});
  CHECK(nn::mse_loss(model(x), y).item() < before / 100);
}

TEST_CASE("docs/checkpoint_and_implicit.md: a fit of Levenberg and Marquardt") {
  const Tensor t = tensor(
      {77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0},
      {.dtype = float64});
  const Tensor y = tensor(
      {10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78},
      {.dtype = float64});
  nn::Parameter a(tensor(500, {.dtype = float64})), b(tensor(1e-4, {.dtype = float64}));
  const std::vector<nn::ParameterRef> both{a.cell(), b.cell()};
  const auto residuals = [&] { return a * (1 - exp(-b * t)) - y; };
  const optim::LeastSquaresFit fit = optim::levenberg_marquardt(both, residuals);
  const Tensor errors = sqrt(diag(optim::fit_covariance(both, residuals)));
  CHECK(fit.converged());
  CHECK(a.tensor().item() == doctest::Approx(238.94212918));
  CHECK(errors.at({0}) == doctest::Approx(2.7070075241));
}

TEST_CASE("docs/checkpoint_and_implicit.md: nonlinear conjugate gradients") {
  manual_seed(1);
  const Tensor x = randn({40, 2}), y = sum(square(x), {.axes = {1}, .keepdim = true});
  nn::MLP model{{.sizes = {2, 8, 1}, .activation = nn::ActivationKind::tanh}};
  const double before = nn::mse_loss(model(x), y).item();
  const auto loss = [&] { return nn::mse_loss(model(x), y); };
  const optim::NonlinearCGResult result =
      optim::nonlinear_cg(model.parameters(), loss, {.max_iterations = 100});
  CHECK(result.loss < before / 20);
}

TEST_CASE("docs/checkpoint_and_implicit.md: steps of L-BFGS") {
  Random random(1);
  const Tensor x = randn({40, 2}, random, {.dtype = float64});
  const Tensor y = sum(square(x), {.axes = {1}, .keepdim = true});
  nn::MLP model{{.sizes = {2, 8, 1}, .activation = nn::ActivationKind::tanh}};
  model.to(float64);
  const double before = nn::mse_loss(model(x), y).item();
  optim::LBFGS lbfgs(model.parameters(), {.line_search = optim::LineSearch::strong_wolfe});
  const auto loss = [&] { return nn::mse_loss(model(x), y); };
  for (int i = 0; i < 20; ++i) {
    if (lbfgs.step(loss).converged()) break;
  }
  CHECK(loss().item() < before / 1000);
}

TEST_CASE("docs/checkpoint_and_implicit.md: a derivative through iterations of L-BFGS") {
  const auto loss = [](const Tensor& w) { return sum(square(w) * tensor({1, 10}, {.dtype = float64})); };
  const auto slope_at = [&](double rate, double* end) {
    const Tensor lr = tensor(rate, {.dtype = float64, .requires_grad = true});
    Tensor w = tensor({1, -2}, {.dtype = float64, .requires_grad = true});
    optim::LBFGSState state;
    for (int i = 0; i < 5; ++i) {
      const std::vector<Tensor> g = grad({loss(w)}, {w}, {.create_graph = true});
      auto [parameters, next] = optim::step({w}, g, state, optim::LBFGSOptions{.lr = lr});
      w = parameters[0];
      state = next;
    }
    const Tensor slope = grad({loss(w)}, {lr})[0];
    *end = loss(w).item();
    return slope.item();
  };
  double at = 0, below = 0, above = 0;
  const double slope = slope_at(0.5, &at);
  static_cast<void>(slope_at(0.5 - 1e-6, &below));
  static_cast<void>(slope_at(0.5 + 1e-6, &above));
  CHECK(slope == doctest::Approx((above - below) / 2e-6).epsilon(1e-6));
}
