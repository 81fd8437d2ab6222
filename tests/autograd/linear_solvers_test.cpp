#include "xtgrad/autograd/linear_solvers.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

Tensor normal(const Shape& shape, std::uint64_t seed, Dtype dtype) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype});
}

/// A matrix times a vector.
Tensor times(const Tensor& m, const Tensor& v) {
  return reshape(matmul(m, reshape(v, {v.size(0), 1})), {m.size(0)});
}

}  // namespace

TEST_CASE("linear solvers: random systems") {
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t n : {1, 2, 7, 40}) {
      CAPTURE(to_string(dtype));
      CAPTURE(n);
      const Tensor m = normal({n, n}, 1, dtype) + normal({n, 1}, 2, dtype), b = normal({n}, 3, dtype);
      const LinearMap map = [&](const Tensor& v) { return times(m, v); };
      const double small = dtype == float64 ? 1e-12 : 1e-3;
      CHECK(amax(abs(map(solve_dense(map, b)) - b)).item() < small);
      const LinearSolver solver = gmres({.tolerance = dtype == float64 ? 1e-13 : 1e-4});
      CHECK(amax(abs(map(solver(map, b)) - b)).item() < small);
    }
  }
}

TEST_CASE("linear solvers: tensors of any rank, 0-d and without elements") {
  for (const LinearSolver& solver : {LinearSolver(solve_dense), gmres()}) {
    // Mixes the rows of x.
    const Tensor m = tensor({{2, 1}, {0, 3}}, {.dtype = float64});
    const Tensor b = normal({2, 3}, 1, float64);
    const Tensor x = solver([&](const Tensor& v) { return matmul(m, v); }, b);
    CHECK(x.shape() == Shape{2, 3});
    CHECK(amax(abs(matmul(m, x) - b)).item() < 1e-9);
    CHECK(solver([](const Tensor& v) { return v * 4; }, tensor(8)).item() == doctest::Approx(2));
    CHECK(solver([](const Tensor& v) { return v * 4; }, zeros({0, 2})).shape() == Shape{0, 2});
    CHECK(amax(abs(solver([](const Tensor& v) { return v * 4; }, zeros({3})))).item() == 0);
    // Rows exchanged: the first pivot is 0 where it stands.
    const Tensor swap = tensor({{0, 1}, {1, 0}});
    const Tensor y = solver([&](const Tensor& v) { return times(swap, v); }, tensor({3, 4}));
    CHECK(y.at({0}) == doctest::Approx(4));
    CHECK(y.at({1}) == doctest::Approx(3));
    // Columns of very different sizes are no singular matrix.
    const Tensor scales = tensor({1e-20, 1}, {.dtype = float64});
    CHECK(solve_dense([&](const Tensor& v) { return v * scales; }, ones({2}, {.dtype = float64})).at({0}) ==
          doctest::Approx(1e20));
  }
}

TEST_CASE("gmres: restarts, and stops") {
  const std::int64_t n = 60;
  const Tensor m = normal({n, n}, 1, float64) * 0.1, b = normal({n}, 2, float64);
  int calls = 0;
  const LinearMap map = [&](const Tensor& v) {
    ++calls;
    return v * 2 + times(m, v);
  };
  const Tensor x = gmres({.restart = 5})(map, b);
  CHECK(amax(abs(map(x) - b)).item() < 1e-8);
  calls = 0;
  CHECK_THROWS_AS(static_cast<void>(gmres({.restart = 5, .max_iterations = 3})(map, b)), ConvergenceError);
  CHECK(calls == 4);  // and one for the residual
}

TEST_CASE("linear solvers: errors") {
  const Tensor b = ones({2}, {.dtype = float64});
  const Tensor singular = tensor({{1, 2}, {2, 4}}, {.dtype = float64});
  const LinearMap map = [&](const Tensor& v) { return times(singular, v); };
  CHECK(message_of<ConvergenceError>([&] { static_cast<void>(solve_dense(map, b)); }) ==
        "solve_dense: the matrix is singular: the largest pivot of column 1 is 0, while the column has "
        "entries up "
        "to 4");
  CHECK(message_of<ConvergenceError>([&] {
          static_cast<void>(gmres()(map, b));
        }).find("gmres: did not converge: after ") == 0);
  const LinearMap zero = [](const Tensor& v) { return v * 0; };
  CHECK_THROWS_AS(static_cast<void>(solve_dense(zero, b)), ConvergenceError);
  CHECK_THROWS_AS(static_cast<void>(gmres()(zero, b)), ConvergenceError);
  const LinearMap reducing = [](const Tensor& v) { return sum(v); };
  CHECK(message_of<ShapeError>([&] { static_cast<void>(solve_dense(reducing, b)); }) ==
        "solve_dense: the map's result has shape [], its argument has [2]");
  CHECK(message_of<ShapeError>([&] { static_cast<void>(gmres()(reducing, b)); }) ==
        "gmres: the map's result has shape [], its argument has [2]");
  const LinearMap narrowing = [](const Tensor& v) { return v.to(float32); };
  CHECK(message_of<DtypeError>([&] { static_cast<void>(solve_dense(narrowing, b)); }) ==
        "solve_dense: the map's result is float32, its argument is float64");
  CHECK(message_of<ValueError>([] { static_cast<void>(gmres({.tolerance = -1.0})); }) ==
        "gmres: the tolerance must be positive: got -1");
  CHECK(message_of<ValueError>([] { static_cast<void>(gmres({.restart = 0})); }) ==
        "gmres: restart and max_iterations must be at least 1: got 0 and 1000");
}
