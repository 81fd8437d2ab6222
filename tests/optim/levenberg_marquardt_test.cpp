#include "xtgrad/optim/levenberg_marquardt.h"

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
#include "xtgrad/nn/mlp.h"

namespace xtgrad {
namespace {

using optim::LeastSquaresEnd;
using optim::LeastSquaresFit;
using optim::LeastSquaresSolver;
using optim::LevenbergMarquardtOptions;
using optim::StepScale;
using testing::message_of;

constexpr LeastSquaresSolver all_solvers[] = {LeastSquaresSolver::qr, LeastSquaresSolver::cholesky,
                                              LeastSquaresSolver::conjugate_gradients};

nn::Parameter point(const std::vector<double>& x) { return nn::Parameter(from_vector(x)); }
double largest(const Tensor& x) { return amax(abs(x)).item(); }

template <class F>
LeastSquaresFit fit(nn::Parameter& p, const F& residuals, const LevenbergMarquardtOptions& options = {}) {
  int calls = 0;
  const LeastSquaresFit found = optim::levenberg_marquardt(
      std::vector{p.cell()},
      [&] {
        ++calls;
        return residuals(p.tensor());
      },
      options);
  CHECK(found.evaluations == calls);
  // What is taken costs less than what was before, and the last of it is the cost.
  double cost = INFINITY;
  for (const optim::LeastSquaresTrial& trial : found.trials) {
    if (!trial.is_taken) continue;
    CHECK(trial.cost < cost);
    cost = trial.cost;
  }
  if (std::isfinite(cost)) CHECK(found.cost == cost);
  return found;
}

Tensor rosenbrock(const Tensor& w) {
  const Tensor x = slice(w, {.stop = 1}), y = slice(w, {.start = 1});
  return concat({1 - x, 10 * (y - square(x))});
}

// Problems of NIST's Statistical Reference Datasets for nonlinear regression, with certified values.
struct Problem {
  std::string name;
  std::vector<double> x, y;
  Tensor (*model)(const Tensor& b, const Tensor& x);
  std::vector<std::vector<double>> starts;
  std::vector<double> certified, errors;
  double sum_of_squares;
};

const std::vector<Problem>& nist_problems() {
  static const std::vector<Problem> problems{
      {"Misra1a",
       {77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0},
       {10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78},
       [](const Tensor& b, const Tensor& x) { return b[0] * (1 - exp(-b[1] * x)); },
       {{500, 1e-4}, {250, 5e-4}},
       {2.3894212918e+02, 5.5015643181e-04},
       {2.7070075241e+00, 7.2668688436e-06},
       1.2455138894e-01},
      {"MGH09",
       {4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625},
       {0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246},
       [](const Tensor& b, const Tensor& x) {
         return b[0] * (square(x) + x * b[1]) / (square(x) + x * b[2] + b[3]);
       },
       {{25, 39, 41.5, 39}, {0.25, 0.39, 0.415, 0.39}},
       {1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01},
       {1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02},
       3.0750560385e-04},
      {"Thurber",
       {-3.067, -2.981, -2.921, -2.912, -2.840, -2.797, -2.702, -2.699, -2.633, -2.481,
        -2.363, -2.322, -1.501, -1.460, -1.274, -1.212, -1.100, -1.046, -0.915, -0.714,
        -0.566, -0.545, -0.400, -0.309, -0.109, -0.103, 0.010,  0.119,  0.377,  0.790,
        0.963,  1.006,  1.115,  1.572,  1.841,  2.047,  2.200},
       {80.574,   84.248,   87.264,   87.195,   89.076,   89.608,   89.868,   90.101,   92.405,   95.854,
        100.696,  101.060,  401.672,  390.724,  567.534,  635.316,  733.054,  759.087,  894.206,  990.785,
        1090.109, 1080.914, 1122.643, 1178.351, 1260.531, 1273.514, 1288.339, 1327.543, 1353.863, 1414.509,
        1425.208, 1421.384, 1442.962, 1464.350, 1468.705, 1447.894, 1457.628},
       [](const Tensor& b, const Tensor& x) {
         return (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1 + x * (b[4] + x * (b[5] + x * b[6])));
       },
       {{1000, 1000, 400, 40, 0.7, 0.3, 0.03}, {1300, 1500, 500, 75, 1, 0.4, 0.05}},
       {1.2881396800e+03, 1.4910792535e+03, 5.8323836877e+02, 7.5416644291e+01, 9.6629502864e-01,
        3.9797285797e-01, 4.9727297349e-02},
       {4.6647963344e+00, 3.9571156086e+01, 2.8698696102e+01, 5.5675370270e+00, 3.1333340687e-02,
        1.4984928198e-02, 6.5842344623e-03},
       5.6427082397e+03},
  };
  return problems;
}

}  // namespace

TEST_CASE("levenberg_marquardt: NIST's problems, to 7 digits of the certified values") {
  for (const Problem& problem : nist_problems()) {
    CAPTURE(problem.name);
    const Tensor x = from_vector(problem.x), y = from_vector(problem.y);
    const auto residuals = [&](const Tensor& b) { return problem.model(b, x) - y; };
    for (const std::vector<double>& start : problem.starts) {
      for (const StepScale scale : {StepScale::per_parameter, StepScale::uniform}) {
        // Uniformly damped, parameters of very different units take thousands of steps.
        if (scale == StepScale::uniform && problem.name != "MGH09") continue;
        CAPTURE(start[0]);
        nn::Parameter b = point(start);
        const LeastSquaresFit found = fit(b, residuals, {.scale = scale});
        CHECK(found.converged());
        CHECK(found.trials.size() < 150);
        CHECK(2 * found.cost == doctest::Approx(problem.sum_of_squares).epsilon(1e-9));
        const Tensor errors =
            sqrt(diag(optim::fit_covariance(std::vector{b.cell()}, [&] { return residuals(b.tensor()); })));
        for (std::size_t i = 0; i < start.size(); ++i) {
          const auto at = static_cast<std::int64_t>(i);
          CHECK(b.tensor().at({at}) == doctest::Approx(problem.certified[i]).epsilon(1e-7));
          CHECK(errors.at({at}) == doctest::Approx(problem.errors[i]).epsilon(1e-6));
        }
      }
    }
  }
}

TEST_CASE("levenberg_marquardt: Rosenbrock's valley by every solver, to residuals of 0") {
  for (const LeastSquaresSolver solver : all_solvers) {
    for (const double damping : {0., 1e-3, 10.}) {
      CAPTURE(static_cast<int>(solver));
      CAPTURE(damping);
      nn::Parameter w = point({-1.2, 1});
      const LeastSquaresFit found = fit(w, rosenbrock, {.solver = solver, .damping = damping});
      CHECK(found.converged());
      CHECK(found.cost < 1e-20);
      CHECK(largest(w.tensor() - 1) < 1e-9);
      CHECK(found.trials.size() < 60);
    }
  }
}

TEST_CASE(
    "levenberg_marquardt: without damping a step is Gauss and Newton's, and linear residuals take one") {
  Random random(2);
  const Tensor x = randn({30, 3}, random, {.dtype = float64}), y = randn({30, 2}, random, {.dtype = float64});
  for (const LeastSquaresSolver solver : all_solvers) {
    nn::Linear layer{3, 2};
    layer.to(float64);
    const LeastSquaresFit found =
        optim::levenberg_marquardt(layer.parameters(), [&] { return layer(x) - y; },
                                   {.solver = solver, .damping = 0, .tolerance_grad = 1e-5});
    CHECK(found.trials.size() == 1);
    CHECK(found.end == LeastSquaresEnd::small_gradient);
    const nn::LinearFit closed = nn::least_squares(x, y);
    CHECK(largest(layer.weight.tensor() - closed.weight) < 1e-5);
    CHECK(largest(layer.bias.tensor() - closed.bias) < 1e-5);
  }
}

TEST_CASE("levenberg_marquardt: J without full rank, or with a column of zeros") {
  for (const LeastSquaresSolver solver : all_solvers) {
    for (const double damping : {0., 1e-3}) {
      CAPTURE(static_cast<int>(solver));
      CAPTURE(damping);
      nn::Parameter w = point({0, 3, 7});
      // Of a + b = 5 alone, whatever c is.
      const auto residuals = [](const Tensor& p) {
        return (p[0] + p[1] - 5) * tensor({1, 2, 3, 4}, {.dtype = float64}) + 0 * p[2];
      };
      const LeastSquaresFit found = fit(w, residuals, {.solver = solver, .damping = damping});
      CHECK(found.converged());
      CHECK(found.cost < 1e-16);
      CHECK(w.tensor().at({0}) == doctest::Approx(1));  // each by the same
      CHECK(w.tensor().at({2}) == 7);
    }
  }
}

TEST_CASE("levenberg_marquardt: more parameters than residuals, one parameter, one residual") {
  nn::Parameter w = point({3, -2, 1});
  const auto sphere = [](const Tensor& p) { return norm(p) - 1; };
  const LeastSquaresFit found = fit(w, sphere);
  CHECK(found.converged());
  CHECK(sum(square(w.tensor())).item() == doctest::Approx(1));
  nn::Parameter one(tensor(3.0, {.dtype = float64}));
  CHECK(fit(one, [](const Tensor& p) { return square(p) - 2; }).converged());
  CHECK(one.tensor().item() == doctest::Approx(std::sqrt(2.0)));
}

TEST_CASE("levenberg_marquardt: no elements to change, or no residuals") {
  for (const LeastSquaresSolver solver : all_solvers) {
    nn::Parameter none(zeros({0}, {.dtype = float64})), some = point({1, 2});
    const LeastSquaresFit found = fit(none,
                                      [](const Tensor& p) {
                                        return concat({p, ones({2}, {.dtype = float64})});
                                      },
                                      {.solver = solver});
    CHECK(found.end == LeastSquaresEnd::small_gradient);
    CHECK(found.cost == 1);
    CHECK(fit(some, [](const Tensor& p) { return slice(p, {.stop = 0}); }, {.solver = solver}).cost == 0);
  }
}

TEST_CASE("levenberg_marquardt: float32 parameters, frozen ones, several, inside a NoGrad") {
  const NoGrad no_grad;
  const Tensor t = linspace(0, 2, 20);
  const Tensor y = 2 * exp(-1.5 * t) + 0.25;
  for (const LeastSquaresSolver solver : all_solvers) {
    nn::Parameter a(tensor(1)), rate(tensor(-0.5)), offset(tensor(0.25));
    offset.set_requires_grad(false);
    const LeastSquaresFit found = optim::levenberg_marquardt(
        std::vector{a.cell(), rate.cell(), offset.cell(), a.cell()},
        [&] { return a.tensor() * exp(rate.tensor() * t) + offset.tensor() - y; }, {.solver = solver});
    CHECK(found.converged());
    CHECK(a.dtype() == float32);
    CHECK(a.tensor().item() == doctest::Approx(2).epsilon(1e-5));
    CHECK(rate.tensor().item() == doctest::Approx(-1.5).epsilon(1e-5));
    CHECK(offset.tensor().item() == 0.25);
    CHECK_FALSE(a.grad().defined());
  }
}

TEST_CASE("levenberg_marquardt: a step to residuals that are NaN is not taken") {
  // Gauss and Newton's first step from 3 leads below 0, where the logarithm is NaN.
  nn::Parameter w = point({3});
  const auto residuals = [](const Tensor& p) { return log(p) + 1; };
  const LeastSquaresFit found = fit(w, residuals, {.damping = 0});
  CHECK(std::isnan(found.trials[0].cost));
  CHECK_FALSE(found.trials[0].is_taken);
  CHECK(found.trials[1].damping == 1e-3);
  CHECK(found.converged());
  CHECK(w.tensor().item() == doctest::Approx(std::exp(-1)));
}

TEST_CASE("levenberg_marquardt: says why it ends") {
  nn::Parameter w = point({-1.2, 1});
  LeastSquaresFit found = fit(w, rosenbrock, {.max_iterations = 3});
  CHECK(found.end == LeastSquaresEnd::max_iterations);
  CHECK(found.trials.size() == 3);
  CHECK_FALSE(found.converged());
  nn::Parameter best = point({1, 1});
  found = fit(best, rosenbrock);
  CHECK(found.end == LeastSquaresEnd::small_gradient);
  CHECK(found.evaluations == 1);
  CHECK(found.gradient == 0);
  w = tensor({-1.2, 1}, {.dtype = float64});
  found = fit(w, rosenbrock, {.tolerance_grad = 0, .tolerance_step = 0.5, .tolerance_cost = 0});
  CHECK(found.end == LeastSquaresEnd::small_step);
  w = tensor({-1.2, 1}, {.dtype = float64});
  const auto far = [](const Tensor& p) { return concat({rosenbrock(p), tensor({1e3}, {.dtype = float64})}); };
  found = fit(w, far, {.tolerance_grad = 0, .tolerance_step = 0, .tolerance_cost = 1e-3});
  CHECK(found.end == LeastSquaresEnd::small_decrease);
  // A slope that is not the function's.
  nn::Parameter v = point({1});
  const auto wrong = [](const Tensor& p) { return p.detach() * 2 - p; };
  found = fit(v, wrong, {.tolerance_step = 0, .tolerance_cost = 0});
  CHECK(found.end == LeastSquaresEnd::no_decrease);
  CHECK(v.tensor().item() == 1);
}

TEST_CASE("levenberg_marquardt: a sparse J by its pattern makes the steps that the whole one makes") {
  // p[i+1] follows from p[i]: residual i is of two parameters, which alternate between two colours.
  constexpr std::int64_t n = 30;
  std::vector<std::int64_t> pattern;
  for (std::int64_t i = 0; i + 1 < n; ++i) pattern.insert(pattern.end(), {i, i + 1});
  pattern.insert(pattern.end(), {0, -1});
  const Tensor columns = from_span(std::span<const std::int64_t>(pattern), {n, 2});
  const auto residuals = [](const Tensor& p) {
    const Tensor before = slice(p, {.stop = n - 1}), after = slice(p, {.start = 1});
    return concat({after - before - 0.1 * sin(before), slice(p, {.stop = 1}) - 1});
  };
  for (const LeastSquaresSolver solver : all_solvers) {
    CAPTURE(static_cast<int>(solver));
    nn::Parameter dense = point(std::vector<double>(n, 0.3)), sparse = point(std::vector<double>(n, 0.3));
    const LeastSquaresFit a = fit(dense, residuals, {.solver = LeastSquaresSolver::qr});
    const LeastSquaresFit b = fit(sparse, residuals, {.solver = solver, .pattern = columns});
    CHECK(a.converged());
    CHECK(b.converged());
    CHECK(largest(dense.tensor() - sparse.tensor()) < 1e-9);
    if (solver != LeastSquaresSolver::conjugate_gradients) CHECK(a.trials.size() == b.trials.size());
  }
  nn::Parameter p = point(std::vector<double>(n, 0.3));
  const auto refused = [&](const Tensor& of) {
    return message_of([&] { return fit(p, residuals, {.pattern = of}).cost; });
  };
  CHECK(
      refused(slice(columns, {.axis = 1, .stop = 1}))
          .starts_with("levenberg_marquardt: pattern must name all parameters that a residual depends on: "));
  CHECK(refused(slice(columns, {.stop = 4})) ==
        "levenberg_marquardt: pattern must have a row for each of 30 residuals, [30, k]: got [4, 2]");
  CHECK(refused(columns.to(float64)) == "levenberg_marquardt: pattern must be int64: got float64");
  CHECK(refused(full({n, 1}, 30, {.dtype = int64})) ==
        "levenberg_marquardt: pattern must be of 30 parameters, or -1: got 30");
  CHECK(p.tensor().at({3}) == 0.3);
}

TEST_CASE("levenberg_marquardt: a net by products alone") {
  Random random(5);
  manual_seed(3);
  const Tensor x = randn({40, 2}, random, {.dtype = float64}) * 0.5;
  const Tensor y = sin(sum(x, {.axes = {1}, .keepdim = true}) * 2);
  nn::MLP model{{.sizes = {2, 8, 1}, .activation = nn::ActivationKind::tanh}};
  model.to(float64);
  const LeastSquaresFit found =
      optim::levenberg_marquardt(model.parameters(), [&] { return model(x) - y; },
                                 {.solver = LeastSquaresSolver::conjugate_gradients, .max_iterations = 40});
  CHECK(found.cost < 1e-3);
}

TEST_CASE("levenberg_marquardt: a single product gives a step along the gradient") {
  const Tensor roots = tensor({1.0, 2.0, 3.0}, {.dtype = float64});
  nn::Parameter w = point({1, 1, 1});
  const LeastSquaresFit found = fit(w, [&](const Tensor& p) { return roots * p; },
                                    {.solver = LeastSquaresSolver::conjugate_gradients,
                                     .damping = 0,
                                     .max_iterations = 1,
                                     .max_products = 1});
  CHECK(found.trials[0].is_taken);
  // J^T r is (1, 4, 9); its length along itself is (1 + 16 + 81) / (1 + 64 + 729).
  const double length = 98. / 794;
  for (std::int64_t i = 0; i < 3; ++i) {
    const double square = static_cast<double>((i + 1) * (i + 1));
    CHECK(w.tensor().at({i}) == doctest::Approx(1 - length * square));
  }
}

TEST_CASE("levenberg_marquardt: columns of J whose squares leave the range") {
  for (const double size : {1e-200, 1e200}) {
    nn::Parameter w = point({3 / size});
    const LeastSquaresFit found = fit(w, [&](const Tensor& p) {
      return concat({p * size - 1, p * size - 3});
    });
    CHECK(found.converged());
    CHECK(w.tensor().item() * size == doctest::Approx(2));
  }
}

TEST_CASE("levenberg_marquardt names what does not fit, and changes nothing") {
  nn::Parameter w = point({1, 2});
  const auto residuals = [](const Tensor& p) { return p - 3; };
  const auto refused = [&](const LevenbergMarquardtOptions& options) {
    return message_of([&] { return fit(w, residuals, options).cost; });
  };
  CHECK(refused({.damping = -1}) == "levenberg_marquardt: damping must be finite and at least 0: got -1");
  CHECK(refused({.max_iterations = 0}) == "levenberg_marquardt: max_iterations must be at least 1: got 0");
  CHECK(refused({.max_products = 0}) == "levenberg_marquardt: max_products must be at least 1: got 0");
  CHECK(refused({.tolerance_step = NAN}).starts_with("levenberg_marquardt: tolerance_step must be "));
  CHECK(refused({.solver = static_cast<LeastSquaresSolver>(7)}) ==
        "levenberg_marquardt: solver is none of LeastSquaresSolver: got 7");
  CHECK(refused({.scale = static_cast<StepScale>(7)}) ==
        "levenberg_marquardt: scale is none of StepScale: got 7");
  const auto of = [&](auto f) { return message_of([&] { return fit(w, f).cost; }); };
  CHECK(of([](const Tensor& p) { return log(-p); }) ==
        "levenberg_marquardt: the residuals must be finite to begin with: |r|^2 / 2 is nan");
  CHECK(of([](const Tensor& p) { return sqrt(p - 1); }) ==
        "levenberg_marquardt: the Jacobian must be finite: it is not, where the cost is 0.5");
  CHECK(message_of([&] { return optim::levenberg_marquardt({}, [&] { return w.tensor(); }).cost; }) ==
        "levenberg_marquardt: there are no parameters to change");
  CHECK(message_of([&] {
          return optim::fit_covariance(std::vector{w.cell()}, [&] { return residuals(w.tensor()); }).numel();
        }) == "fit_covariance: there must be more residuals than parameters: got 2 of 2 parameters");
  CHECK(message_of<ConvergenceError>([&] {
          return optim::fit_covariance(
                     std::vector{w.cell()},
                     [&] { return (w.tensor()[0] + w.tensor()[1]) * ones({4}, {.dtype = float64}); })
              .numel();
        }) == "fit_covariance: the Jacobian [4, 2] has not full rank: some parameters cannot be told apart");
  CHECK(w.tensor().at({1}) == 2);
}

}  // namespace xtgrad
