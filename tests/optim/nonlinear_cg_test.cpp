#include "xtgrad/optim/nonlinear_cg.h"

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
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"

namespace xtgrad {
namespace {

using optim::ConjugateFormula;
using optim::NonlinearCGEnd;
using optim::NonlinearCGOptions;
using optim::NonlinearCGResult;
using testing::message_of;

constexpr ConjugateFormula both[] = {ConjugateFormula::polak_ribiere, ConjugateFormula::fletcher_reeves};

nn::Parameter point(const std::vector<double>& x) { return nn::Parameter(from_vector(x)); }
double largest(const Tensor& x) { return amax(abs(x)).item(); }

template <class F>
NonlinearCGResult minimize(nn::Parameter& w, const F& f, const NonlinearCGOptions& options = {}) {
  int calls = 0;
  const NonlinearCGResult result = optim::nonlinear_cg(
      std::vector{w.cell()},
      [&] {
        ++calls;
        return f(w.tensor());
      },
      options);
  CHECK(result.evaluations == calls);
  for (std::size_t i = 1; i < result.losses.size(); ++i) CHECK(result.losses[i] <= result.losses[i - 1]);
  CHECK(f(w.tensor()).item() == result.loss);
  return result;
}

Tensor rosenbrock(const Tensor& w) {
  const std::int64_t n = w.numel();
  const Tensor x = slice(w, {.stop = n - 1}), y = slice(w, {.start = 1});
  return sum(square(1 - x) + 100 * square(y - square(x)));
}

}  // namespace

TEST_CASE("nonlinear_cg: Rosenbrock's valley, of 2 and of 10 dimensions") {
  for (const ConjugateFormula formula : both) {
    for (const std::size_t n : {std::size_t{2}, std::size_t{10}}) {
      CAPTURE(static_cast<int>(formula));
      CAPTURE(n);
      nn::Parameter w = point(std::vector<double>(n, -0.5));
      const NonlinearCGResult result = minimize(w, rosenbrock, {.formula = formula});
      CHECK(result.converged());
      CHECK(result.iterations() < 400);
      CHECK(largest(w.tensor() - 1) < 1e-5);
    }
  }
}

TEST_CASE("nonlinear_cg: of a quadratic in n dimensions it takes about n iterations") {
  Random random(1);
  const Tensor a = randn({12, 8}, random, {.dtype = float64}), b = randn({12}, random, {.dtype = float64});
  const Tensor best = lstsq(a, b);
  for (const ConjugateFormula formula : both) {
    nn::Parameter w = point(std::vector<double>(8, 0));
    const NonlinearCGResult result =
        minimize(w, [&](const Tensor& p) { return sum(square(matmul(a, p) - b)); }, {.formula = formula});
    CHECK(result.converged());
    CHECK(result.iterations() < 25);  // by searches that are not exact
    CHECK(largest(w.tensor() - best) < 1e-6);
  }
}

TEST_CASE("nonlinear_cg: a net in float32, some of it frozen, inside a NoGrad") {
  const NoGrad no_grad;
  manual_seed(1);
  const Tensor x = randn({40, 3}), y = sin(sum(x, {.axes = {1}, .keepdim = true}));
  nn::MLP model{{.sizes = {3, 8, 1}, .activation = nn::ActivationKind::tanh}};
  std::vector<nn::ParameterRef> parameters = model.parameters();
  parameters[1]->set_requires_grad(false);
  const Tensor frozen = parameters[1]->tensor();
  const auto loss = [&] { return nn::mse_loss(model(x), y); };
  const double before = loss().item();
  const NonlinearCGResult result = optim::nonlinear_cg(parameters, loss, {.max_iterations = 80});
  CHECK(result.loss < 0.2 * before);
  CHECK(largest(frozen - parameters[1]->tensor()) == 0);
  CHECK_FALSE(parameters[0]->grad().defined());
}

TEST_CASE("nonlinear_cg: says why it ends") {
  nn::Parameter w = point({-1.2, 1});
  NonlinearCGResult result = minimize(w, rosenbrock, {.max_iterations = 2});
  CHECK(result.end == NonlinearCGEnd::max_iterations);
  CHECK(result.iterations() == 2);
  result = minimize(w, rosenbrock);
  CHECK(result.end == NonlinearCGEnd::small_gradient);
  CHECK(result.gradient <= 1e-7);
  result = minimize(w, rosenbrock);
  CHECK(result.evaluations == 1);
  CHECK(result.iterations() == 0);
  w = tensor({-1.2, 1}, {.dtype = float64});
  CHECK(minimize(w, rosenbrock, {.tolerance_change = 0.5}).end == NonlinearCGEnd::small_change);
  nn::Parameter v = point({1});
  const auto wrong = [](const Tensor& p) { return sum(p.detach() * 2 - p); };
  CHECK(minimize(v, wrong).end == NonlinearCGEnd::no_decrease);
  CHECK(v.tensor().item() == 1);
  // Too long a step, to an infinite loss, is made shorter.
  v = tensor({3.0}, {.dtype = float64});
  result = minimize(v, [](const Tensor& p) { return sum(p - log(p)); });
  CHECK(result.converged());
  CHECK(v.tensor().item() == doctest::Approx(1));
}

TEST_CASE("nonlinear_cg names what does not fit, and changes nothing") {
  nn::Parameter w = point({1, 2});
  const auto refused = [&](auto f, const NonlinearCGOptions& options = {}) {
    return message_of([&] {
      return optim::nonlinear_cg(
                 std::vector{w.cell()}, [&] { return f(w.tensor()); }, options)
          .loss;
    });
  };
  const auto fine = [](const Tensor& p) { return sum(square(p)); };
  CHECK(refused(fine, {.max_iterations = 0}) == "nonlinear_cg: max_iterations must be at least 1: got 0");
  CHECK(refused(fine, {.tolerance_grad = -1}) ==
        "nonlinear_cg: tolerance_grad must be finite and at least 0: got -1");
  CHECK(refused(fine, {.formula = static_cast<ConjugateFormula>(5)}) ==
        "nonlinear_cg: formula is none of ConjugateFormula: got 5");
  CHECK(refused([](const Tensor& p) { return p; }) ==
        "nonlinear_cg: the loss must have one element: got [2]");
  CHECK(refused([](const Tensor& p) { return sum(log(-p)); }) ==
        "nonlinear_cg: the loss must be finite: got nan");
  CHECK(message_of([&] { return optim::nonlinear_cg({}, [&] { return w.tensor(); }).loss; }) ==
        "nonlinear_cg: there are no parameters to change");
  CHECK(w.tensor().at({1}) == 2);
}

}  // namespace xtgrad
