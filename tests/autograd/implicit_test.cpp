#include "xtgrad/autograd/implicit.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::message_of;
using xtgrad::testing::same_bits;

namespace {

using Tensors = std::span<const Tensor>;

/// The square root, by Newton's method.
Tensor newton_sqrt(const Tensor& a) {
  return implicit_root([](const Tensor& x, const Tensor& t) { return x * x - t; },
                       [](const Tensor& t) {
                         Tensor x = t;
                         for (int i = 0; i < 50; ++i) x = (x + t / x) * 0.5;
                         return x;
                       },
                       a);
}

Tensor normal(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype});
}

/// x = tanh(x w + b): a layer that is its own infinitely many, for w small enough.
Tensor layer(const Tensor& x, Tensors theta) { return tanh(matmul(x, theta[0] * 0.2) + theta[1]); }

}  // namespace

TEST_CASE("implicit_root: the square root by Newton's method, orders 1 to 3, 0-d and elementwise") {
  for (const Tensor& a : {tensor(2.5, {.dtype = float64}), tensor({0.5, 2, 9}, {.dtype = float64})}) {
    CAPTURE(to_string(a.shape()));
    CHECK_NOTHROW(require_grads([](const Tensor& t) { return newton_sqrt(t); }, a, {.order = 3}));
  }
  const Tensor a = tensor(4, {.dtype = float64, .requires_grad = true});
  const Tensor d1 = grad({newton_sqrt(a)}, {a}, {.create_graph = true})[0];
  const Tensor d2 = grad({d1}, {a}, {.create_graph = true})[0];
  CHECK(newton_sqrt(a).item() == doctest::Approx(2).epsilon(1e-15));
  CHECK(d1.item() == doctest::Approx(0.25).epsilon(1e-14));
  CHECK(d2.item() == doctest::Approx(-1.0 / 32).epsilon(1e-14));
  CHECK(grad({d2}, {a})[0].item() == doctest::Approx(3.0 / 256).epsilon(1e-13));
  CHECK(graph_of(newton_sqrt(a)).count("implicit_root") == 1);
}

TEST_CASE("implicit_root: float32") {
  const Tensor a = tensor({0.5, 2, 9}, {.dtype = float32, .requires_grad = true});
  const Tensor d1 = grad({sum(newton_sqrt(a))}, {a}, {.create_graph = true})[0];
  const Tensor d2 = grad({sum(d1)}, {a})[0];
  CHECK(d1.dtype() == float32);
  for (const std::int64_t i : {0, 1, 2}) {
    const double x = a.at({i});
    CHECK(d1.at({i}) == doctest::Approx(0.5 / std::sqrt(x)).epsilon(1e-6));
    CHECK(d2.at({i}) == doctest::Approx(-0.25 * std::pow(x, -1.5)).epsilon(1e-6));
  }
}

TEST_CASE("implicit_root: unknowns that depend on each other, several parameters, both linear solvers") {
  // m is no symmetric matrix: a transposed one would be noticed.
  const Tensor m = normal({4, 4}, 1), b = normal({4}, 2), shift = normal({}, 3);
  const auto equation = [](const Tensor& x, Tensors theta) {
    return x * 3 + sin(reshape(matmul(theta[0], reshape(x, {4, 1})), {4})) + x * x * x * 0.1 -
           theta[1] * theta[2];
  };
  // A fixed number of steps of Newton's method.
  const auto solver = [&](Tensors theta) {
    Tensor x = zeros({4}, {.dtype = float64});
    for (int i = 0; i < 40; ++i) {
      const auto at = [&](const Tensor& t) { return equation(t, theta); };
      x = x - solve_dense([&](const Tensor& v) { return jvp(at, x, v); }, equation(x, theta));
    }
    return x;
  };
  const std::vector<Tensor> theta{m, b, shift};
  for (const LinearSolver& linear_solver :
       {LinearSolver(), LinearSolver(solve_dense), gmres({.tolerance = 1e-13})}) {
    const auto f = [&](Tensors in) {
      return std::vector<Tensor>{implicit_root(equation, solver, in, {.linear_solver = linear_solver})};
    };
    CHECK(amax(abs(equation(f(theta)[0], theta))).item() < 1e-14);
    CHECK_NOTHROW(require_grads(f, theta, {.order = 2}));
  }
}

TEST_CASE("implicit_root: what minimises a loss, as a function of what the loss is given") {
  // argmin over x of sum((x - t)^2) + exp(t0 x0) + x0^4: the equation is that the gradient is 0.
  const auto slope = [](const Tensor& x, const Tensor& t) {
    const auto loss = [&](const Tensor& v) {
      return sum(square(v - t)) + sum(exp(v * t * 0.3)) + sum(square(square(v))) * 0.05;
    };
    return vjp(loss, x)(ones({}, {.dtype = float64}));
  };
  const auto f = [&](const Tensor& t) {
    return implicit_root(
        slope,
        [&](const Tensor& at) {
          Tensor x = zeros_like(at);
          for (int i = 0; i < 400; ++i) x = x - slope(x, at) * 0.2;
          return x;
        },
        t);
  };
  CHECK_NOTHROW(require_grads(f, tensor({0.5, -0.7, 1.1}, {.dtype = float64}), {.order = 2}));
}

TEST_CASE("fixed_point: a layer without end, a batch of it, orders 1 and 2") {
  const Tensor w = normal({3, 3}, 1), b = normal({3}, 2), x0 = zeros({2, 3}, {.dtype = float64});
  const std::vector<Tensor> theta{w, b};
  const auto f = [&](Tensors in) { return std::vector<Tensor>{fixed_point(layer, x0, in)}; };
  const Tensor x = f(theta)[0];
  CHECK(amax(abs(layer(x, theta) - x)).item() < 1e-11);
  CHECK_NOTHROW(require_grads(f, theta, {.order = 2}));
  const auto matrix_free = [&](Tensors in) {
    return std::vector<Tensor>{fixed_point(layer, x0, in, {.linear_solver = gmres({.tolerance = 1e-13})})};
  };
  CHECK_NOTHROW(require_grads(matrix_free, theta, {.order = 2}));
}

TEST_CASE("fixed_point: agrees with the derivative of the iteration itself") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const double close = dtype == float64 ? 1e-10 : 2e-5;
    const Tensor w = normal({3, 3}, 1, dtype).set_requires_grad(),
                 b = normal({3}, 2, dtype).set_requires_grad();
    const std::vector<Tensor> theta{w, b};
    const Tensor x0 = zeros({2, 3}, {.dtype = dtype});
    Tensor unrolled = x0;
    for (int i = 0; i < 100; ++i) unrolled = layer(unrolled, theta);
    const Tensor g = normal({2, 3}, 5, dtype);
    const std::vector<Tensor> expected = grad(std::span(&unrolled, 1), theta, {.cotangents = {g}});
    const Tensor x = fixed_point(layer, x0, theta);
    CHECK(x.dtype() == dtype);
    const std::vector<Tensor> found = grad(std::span(&x, 1), theta, {.cotangents = {g}});
    for (std::size_t i = 0; i < 2; ++i) CHECK(amax(abs(found[i] - expected[i])).item() < close);
  }
}

TEST_CASE("fixed_point: more unknowns than a matrix would be made of") {
  const Tensor a = normal({600}, 1).set_requires_grad();
  const Tensor x = fixed_point([](const Tensor& v, const Tensor& t) { return cos(v * 0.5 + t); },
                               zeros({600}, {.dtype = float64}), a);
  sum(x).backward();
  // x = cos(x / 2 + a), so dx/da = -s / (1 + s / 2), where s is the sine.
  const Tensor s = sin(x.detach() * 0.5 + a.detach());
  CHECK(amax(abs(a.grad() + s / (1 + s * 0.5))).item() < 1e-9);
}

TEST_CASE(
    "implicit functions: the way to the solution is not recorded, and the starting point gets nothing") {
  const Tensor a = tensor({0.3}, {.dtype = float64, .requires_grad = true});
  const Tensor x0 = tensor({0.1}, {.dtype = float64, .requires_grad = true});
  int calls = 0;
  const Tensor x = fixed_point(
      [&](const Tensor& v, const Tensor& t) {
        ++calls;
        return cos(v * t);
      },
      x0, a);
  CHECK(calls > 5);
  CHECK(graph_of(x).nodes.size() == 2);
  sum(x).backward();
  CHECK(a.grad().defined());
  CHECK_FALSE(x0.grad().defined());
  CHECK_FALSE(newton_sqrt(a.detach()).requires_grad());
  const NoGrad no_grad;
  CHECK_FALSE(newton_sqrt(a).requires_grad());
}

TEST_CASE("implicit functions: no unknowns, and parameters that are no floating numbers") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor none = zeros({0, 3}, {.dtype = dtype, .requires_grad = true});
    sum(newton_sqrt(none)).backward();
    CHECK(none.grad().shape() == Shape{0, 3});
    const Tensor x =
        fixed_point([](const Tensor& v, const Tensor& t) { return v * 0.5 + t; }, none.detach(), none);
    none.clear_grad();
    sum(x).backward();
    CHECK(none.grad().shape() == Shape{0, 3});
  }
  const Tensor a = tensor({1, 2, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor order = tensor({2, 0, 1}, {.dtype = int64});
  const std::vector<Tensor> theta{a, order};
  const Tensor x = fixed_point([](const Tensor& v, Tensors in) { return v * 0.5 + gather(in[0], 0, in[1]); },
                               zeros_like(a.detach()), theta);
  x.backward({.gradient = tensor({1, 10, 100}, {.dtype = float64})});
  // x = 2 gather(a)
  CHECK(a.grad().at({0}) == doctest::Approx(20));
  CHECK(a.grad().at({1}) == doctest::Approx(200));
  CHECK(a.grad().at({2}) == doctest::Approx(2));
}

TEST_CASE("implicit functions inside a checkpoint, and with a gradient of a gradient on top") {
  const Tensor a = tensor({0.5, 2, 9}, {.dtype = float64, .requires_grad = true});
  const auto f = [](const Tensor& t) { return exp(newton_sqrt(t * t + 1)); };
  const Tensor g = tensor({1, -2, 3}, {.dtype = float64});
  const Tensor plain = f(a), checkpointed = checkpoint(f, a);
  const auto gradient = [&](const Tensor& y) { return grad({y}, {a}, {.cotangents = {g}})[0]; };
  CHECK(same_bits(gradient(plain), gradient(checkpointed)));
  CHECK_NOTHROW(require_grads([&](const Tensor& t) { return checkpoint(f, t); }, a.detach(), {.order = 2}));
}

TEST_CASE("implicit_root: the equation may be a gradient") {
  const Tensor matrix = tensor({{1, -2}, {0.5, 3}, {2, 1}}, {.dtype = float64});
  const auto loss = [&](const Tensor& x, const Tensor& t) {
    return sum(exp(t) * square(x)) + mean(softplus(matmul(matrix, x)));
  };
  const auto equation = [&](const Tensor& x, const Tensor& t) {
    return vjp([&](const Tensor& v) { return loss(v, t); }, x)(ones({}, {.dtype = float64}));
  };
  const auto newton = [&](const Tensor& t) {
    Tensor x = zeros({2}, {.dtype = float64});
    for (int i = 0; i < 8; ++i)
      x = x - solve(hessian([&](const Tensor& v) { return loss(v, t); }, x), equation(x, t));
    return x;
  };
  CHECK_NOTHROW(require_grads([&](const Tensor& t) { return implicit_root(equation, newton, t); },
                              tensor({0.25, -1}, {.dtype = float64}), {.order = 2}));
}

TEST_CASE("implicit functions: errors") {
  const Tensor a = tensor({0.5, 2}, {.dtype = float64, .requires_grad = true});
  const Tensor b = tensor({1, 1}, {.dtype = float64, .requires_grad = true});
  b.set_name("scale");
  const auto same = [](const Tensor& t) { return t; };
  const auto root = [&](const UnaryEquationFunction& f, const UnaryTensorFunction& solver) {
    return implicit_root(f, solver, a);
  };
  CHECK(
      message_of<GraphError>([&] {
        static_cast<void>(root([&](const Tensor& x, const Tensor& t) { return x * b - t; }, same));
      }) ==
      "implicit_root: the function uses a tensor that wants a gradient and is none of its inputs: \"scale\"; "
      "make it an input, or detach() it");
  CHECK(message_of<ShapeError>([&] {
          static_cast<void>(root([](const Tensor& x, const Tensor&) { return sum(x); }, same));
        }) == "implicit_root: the equation's value has shape [], x has [2]");
  CHECK(message_of<DtypeError>([&] {
          static_cast<void>(root([](const Tensor& x, const Tensor&) { return x.to(float32); }, same));
        }) == "implicit_root: the equation's value is float32, x is float64");
  CHECK(message_of<DtypeError>([&] {
          static_cast<void>(root([](const Tensor& x, const Tensor&) { return x; },
                                 [](const Tensor& t) { return argmax(t, 0); }));
        }) == "implicit_root: x must be float32 or float64: the solver returned int64");
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(
              root([](const Tensor& x, const Tensor&) { return x; }, [](const Tensor&) { return Tensor(); }));
        }) == "implicit_root: the solver returned an empty handle");
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(root([](const Tensor&, const Tensor&) { return Tensor(); }, same));
        }) == "implicit_root: the equation returned an empty handle");
  CHECK(message_of<ValueError>([&] { static_cast<void>(root({}, same)); }) ==
        "implicit_root: needs an equation and a solver, got an empty function");
  CHECK(message_of<ValueError>([&] {
          static_cast<void>(root([](const Tensor& x, const Tensor&) { return x; }, {}));
        }) == "implicit_root: needs an equation and a solver, got an empty function");

  // x0 + x1 = t0 and 2 (x0 + x1) = t1 have no single solution.
  const Tensor x = root(
      [](const Tensor& v, const Tensor& t) {
        return sum(v) * tensor({1, 2}, {.dtype = float64}) - t;
      },
      same);
  CHECK(message_of<ConvergenceError>([&] { sum(x).backward(); }) ==
        "implicit_root: solve_dense: the matrix is singular: the largest pivot of column 1 is 0, while the "
        "column "
        "has entries up to 2");
}

TEST_CASE("fixed_point: errors") {
  const Tensor a = tensor({0.5, 2}, {.dtype = float64, .requires_grad = true});
  const Tensor x0 = zeros({2}, {.dtype = float64});
  const auto run = [&](const UnaryEquationFunction& f, const FixedPointOptions& options = {}) {
    return fixed_point(f, x0, a, options);
  };
  CHECK(message_of<ConvergenceError>([&] {
          static_cast<void>(
              run([](const Tensor& x, const Tensor&) { return 1 - x; }, {.max_iterations = 20}));
        }) ==
        "fixed_point: did not converge: iteration 20 changed x by 1, the tolerance is 1e-12; start nearer, "
        "allow "
        "more iterations, or damp f");
  CHECK(message_of<ConvergenceError>([&] {
          static_cast<void>(run([](const Tensor& x, const Tensor&) { return exp(exp(x + 1)); }));
        }) == "fixed_point: x is no longer finite after 2 iterations");
  CHECK(message_of<ShapeError>([&] {
          static_cast<void>(run([](const Tensor& x, const Tensor&) { return sum(x); }));
        }) == "fixed_point: f(x) has shape [], x has [2]");
  CHECK(message_of<ValueError>([&] {
          static_cast<void>(run([](const Tensor& x, const Tensor&) { return x; }, {.tolerance = 0.0}));
        }) == "fixed_point: the tolerance must be positive: got 0");
  CHECK(message_of<ValueError>([&] {
          static_cast<void>(run([](const Tensor& x, const Tensor&) { return x; }, {.max_iterations = 0}));
        }) == "fixed_point: max_iterations must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { static_cast<void>(run({})); }) ==
        "fixed_point: needs a function, got an empty function");
  CHECK(message_of<GraphError>(
            [&] { static_cast<void>(run([&](const Tensor& x, const Tensor&) { return x * 0.5 + a; })); })
            .find("fixed_point: the function uses a tensor that wants a gradient and is none of its inputs: "
                  "a leaf") == 0);
}
