#include "xtgrad/optim/newton.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/least_squares.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

double largest(const Tensor& x) { return amax(abs(x)).item(); }

nn::Parameter point(const std::vector<double>& x) { return nn::Parameter(from_vector(x)); }

Tensor rosenbrock(const Tensor& w) {
  const Tensor x = slice(w, {.stop = 1}), y = slice(w, {.start = 1});
  return sum(square(1 - x) + 100 * square(y - square(x)));
}

}  // namespace

TEST_CASE("newton_step: a quadratic's minimum in one step, H and g those of the closed form") {
  Random random(1);
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const Tensor a = randn({6, 4}, random, {.dtype = float64});
    const Tensor matrix = (matmul(a, a, {.transpose_a = true}) + eye(4, 4, {.dtype = float64})).to(dtype);
    const Tensor target = randn({4}, random, {.dtype = float64}).to(dtype);
    nn::Parameter w(zeros({4}, {.dtype = dtype}));
    const auto loss = [&] {
      const Tensor d = reshape(w.tensor() - target, {4, 1});
      return 0.5 * sum(d * matmul(matrix, d)) + 3;
    };
    const double before = loss().item();
    const optim::NewtonStep step = optim::newton_step(std::vector{w.cell()}, loss);
    CHECK(step.loss == doctest::Approx(before));
    CHECK(step.converged);
    CHECK_FALSE(step.is_indefinite);
    CHECK(step.iterations <= 5);
    CHECK(w.dtype() == dtype);
    CHECK(largest(w.tensor() - target) < (dtype == float64 ? 1e-9 : 1e-4));
    const Tensor g = matmul(matrix, reshape(target, {4, 1}));
    CHECK(step.grad_norm == doctest::Approx(std::sqrt(sum(square(g)).item())));
  }
}

TEST_CASE("newton_step: Rosenbrock's valley, where the first steps jump and the last ones square the error") {
  nn::Parameter w = point({-1.2, 1});
  const auto loss = [&] { return rosenbrock(w); };
  for (int i = 0; i < 7; ++i) optim::newton_step(std::vector{w.cell()}, loss);
  CHECK(loss().item() < 1e-20);
  CHECK(largest(w.tensor() - 1) < 1e-10);
}

TEST_CASE("newton_step: lr and damping") {
  nn::Parameter w = point({3});
  const auto loss = [&] { return sum(square(w.tensor())); };  // H = 2, g = 6
  optim::newton_step(std::vector{w.cell()}, loss, {.lr = 0.5});
  CHECK(w.tensor().item() == doctest::Approx(1.5));
  optim::newton_step(std::vector{w.cell()}, loss, {.damping = 1});
  CHECK(w.tensor().item() == doctest::Approx(0.5));  // 1.5 - 3 / 3
}

TEST_CASE("newton_step and gauss_newton_step: tolerance and max_iterations end the solution") {
  // Of H = diag(1, 4, 9, 16) and g = H (1, 1, 1, 1), whose exact solution takes four products.
  const Tensor roots = tensor({1.0, 2.0, 3.0, 4.0}, {.dtype = float64});
  // The first step of conjugate gradients is along g, (g g) / (g H g) of it.
  const double length = (1.0 + 16 + 81 + 256) / (1.0 + 64 + 729 + 4096);
  for (const bool gauss : {false, true}) {
    CAPTURE(gauss);
    const auto step_of = [&](nn::Parameter& w, const optim::NewtonOptions& options) {
      const auto residuals = [&] { return roots * w.tensor(); };
      if (gauss) return optim::gauss_newton_step(std::vector{w.cell()}, residuals, options);
      return optim::newton_step(
          std::vector{w.cell()}, [&] { return 0.5 * sum(square(residuals())); }, options);
    };
    nn::Parameter exact = point({1, 1, 1, 1});
    optim::NewtonStep step = step_of(exact, {});
    CHECK(step.converged);
    CHECK(step.iterations == 4);
    CHECK(largest(exact.tensor()) < 1e-12);
    // What is left of g after one product: g - length H g.
    double residual = 0, whole = 0;
    for (const double h : {1.0, 4.0, 9.0, 16.0}) {
      residual += (h - length * h * h) * (h - length * h * h);
      whole += h * h;
    }
    const double left = std::sqrt(residual / whole);
    const auto check_one_product = [&](const optim::NewtonOptions& options, bool converged) {
      nn::Parameter w = point({1, 1, 1, 1});
      step = step_of(w, options);
      CHECK(step.converged == converged);
      CHECK(step.iterations == 1);
      for (std::int64_t i = 0; i < 4; ++i) {
        const double h = static_cast<double>((i + 1) * (i + 1));
        CHECK(w.tensor().at({i}) == doctest::Approx(1 - length * h).epsilon(1e-14));
      }
    };
    check_one_product({.tolerance = left * 1.01}, true);
    check_one_product({.max_iterations = 1}, false);
    nn::Parameter closer = point({1, 1, 1, 1});
    step = step_of(closer, {.tolerance = left * 0.99});
    CHECK(step.converged);
    CHECK(step.iterations == 2);
  }
}

TEST_CASE("newton_step: where the curvature is negative it goes down the gradient") {
  nn::Parameter w = point({0.5, 0.1});
  // A saddle that Newton's own step would go to.
  const auto loss = [&] {
    const Tensor x = slice(w, {.stop = 1}), y = slice(w, {.start = 1});
    return sum(0.1 * square(x) - square(y));
  };
  const double before = loss().item();
  const optim::NewtonStep step = optim::newton_step(std::vector{w.cell()}, loss);
  CHECK(step.is_indefinite);
  CHECK(loss().item() < before);
  // Of a linear loss there is no curvature at all: the step is the gradient.
  nn::Parameter v = point({1, 2});
  const auto linear = [&] { return sum(v.tensor() * tensor({2.0, -1.0}, {.dtype = float64})); };
  CHECK(optim::newton_step(std::vector{v.cell()}, linear, {.lr = 0.5}).is_indefinite);
  CHECK(v.tensor().at({0}) == 0);
  CHECK(v.tensor().at({1}) == 2.5);
}

TEST_CASE("gauss_newton_step: linear residuals in one step, as least squares in closed form") {
  Random random(2);
  const Tensor x = randn({30, 3}, random, {.dtype = float64});
  const Tensor y = randn({30, 2}, random, {.dtype = float64});
  nn::Linear layer{3, 2};
  layer.to(float64);
  const auto residuals = [&] { return layer(x) - y; };
  const optim::NewtonStep step = optim::gauss_newton_step(layer.parameters(), residuals);
  CHECK(step.converged);
  const nn::LinearFit fit = nn::least_squares(x, y);
  CHECK(largest(layer.weight.tensor() - fit.weight) < 1e-8);
  CHECK(largest(layer.bias.tensor() - fit.bias) < 1e-8);
  // Newton's step, of the same loss, too.
  nn::Linear other{3, 2};
  other.to(float64);
  optim::newton_step(other.parameters(), [&] { return 0.5 * sum(square(other(x) - y)); });
  CHECK(largest(other.weight.tensor() - fit.weight) < 1e-8);
}

TEST_CASE("gauss_newton_step: an exponential through points, and no negative curvature on the way") {
  const Tensor t = linspace(0, 2, 12, {.dtype = float64});
  const Tensor y = 2 * exp(-1.5 * t);
  nn::Parameter w = point({1, -0.5});
  const auto residuals = [&] { return slice(w, {.stop = 1}) * exp(slice(w, {.start = 1}) * t) - y; };
  for (int i = 0; i < 10; ++i) {
    const optim::NewtonStep step = optim::gauss_newton_step(std::vector{w.cell()}, residuals);
    CHECK_FALSE(step.is_indefinite);
  }
  CHECK(std::abs(w.tensor().at({0}) - 2) < 1e-9);
  CHECK(std::abs(w.tensor().at({1}) + 1.5) < 1e-9);
}

TEST_CASE("newton_step: a model of several parameters, some frozen, some unused, inside a NoGrad") {
  Random random(3);
  const Tensor x = randn({20, 3}, random, {.dtype = float64});
  const Tensor y = randn({20, 1}, random, {.dtype = float64});
  manual_seed(0);  // weights from which no step leads uphill
  nn::MLP model{{.sizes = {3, 5, 1}, .activation = nn::ActivationKind::tanh}};
  model.to(float64);
  const auto loss = [&] { return nn::mse_loss(model(x), y); };
  std::vector<nn::ParameterRef> parameters = model.parameters();
  nn::Parameter unused = point({7});
  parameters.push_back(unused.cell());
  parameters.push_back(parameters[1]);  // twice is once
  parameters[0]->set_requires_grad(false);
  const Tensor frozen = parameters[0]->tensor();
  double before = loss().item();
  const NoGrad no_grad;
  for (int i = 0; i < 5; ++i) {
    const optim::NewtonStep step = optim::newton_step(parameters, loss, {.damping = 0.1});
    CHECK(step.loss <= before);
    before = step.loss;
  }
  CHECK(largest(parameters[0]->tensor() - frozen) == 0);
  CHECK(unused.tensor().item() == 7);
  CHECK_FALSE(parameters[1]->grad().defined());
}

TEST_CASE("Newton's steps name what does not fit, and change nothing") {
  nn::Parameter w = point({1, 2});
  const std::vector<nn::ParameterRef> parameters{w.cell()};
  const auto loss = [&] { return sum(square(w.tensor())); };
  const auto refused = [&](auto call) { return message_of([&] { return call().iterations; }); };
  CHECK(refused([&] { return optim::newton_step(parameters, [&] { return square(w.tensor()); }); }) ==
        "newton_step: the loss must have one element: got [2]");
  CHECK(refused([&] { return optim::newton_step(parameters, [&] { return log(-loss()); }); }) ==
        "newton_step: the loss must be finite: got nan");
  CHECK(refused([&] {
          return optim::newton_step(parameters, loss, {.damping = -1});
        }).starts_with("newton_step: damping must be "));
  CHECK(refused([&] {
          return optim::gauss_newton_step(parameters, loss, {.lr = -1});
        }).starts_with("gauss_newton_step: lr must be "));
  CHECK(refused([&] { return optim::newton_step({}, loss); }) ==
        "newton_step: there are no parameters to change");
  CHECK(refused([&] { return optim::newton_step(std::vector<nn::ParameterRef>{nullptr}, loss); }) ==
        "newton_step: an empty ref among the parameters");
  CHECK(refused([&] { return optim::newton_step(parameters, loss, {.max_iterations = 0}); }) ==
        "conjugate_gradients: max_iterations must be at least 1: got 0");
  CHECK(w.tensor().at({1}) == 2);
}
