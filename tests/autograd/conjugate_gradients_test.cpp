#include "xtgrad/autograd/conjugate_gradients.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

LinearMap map_of(const Tensor& matrix) {
  return [matrix](const Tensor& v) { return reshape(matmul(matrix, reshape(v, {v.numel(), 1})), v.shape()); };
}

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x)).item(); }

}  // namespace

TEST_CASE("conjugate gradients solve symmetric positive definite systems, in at most n iterations or so") {
  Random random(1);
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t n : {1, 5, 20}) {
      CAPTURE(n);
      const Tensor a = randn({n, n}, random, {.dtype = float64});
      const Tensor matrix =
          (matmul(a, a, {.transpose_b = true}) / static_cast<double>(n) + eye(n, n, {.dtype = float64}))
              .to(dtype);
      const Tensor b = randn({n}, random, {.dtype = float64}).to(dtype);
      const ConjugateGradientsResult result = run_conjugate_gradients(map_of(matrix), b);
      CHECK(result.converged);
      CHECK_FALSE(result.is_indefinite);
      CHECK(result.iterations <= n + 3);
      CHECK(result.x.dtype() == dtype);
      const double tolerance = dtype == float64 ? 1e-9 : 1e-4;
      CHECK(largest(map_of(matrix)(result.x) - b) < tolerance);
      CHECK(largest(conjugate_gradients()(map_of(matrix), b) - result.x) == 0);
      CHECK(largest(solve_dense(map_of(matrix), b) - result.x) < 10 * tolerance);
    }
  }
}

TEST_CASE("conjugate gradients: nothing to solve, and b of any shape") {
  CHECK(run_conjugate_gradients(map_of(eye(3)), zeros({3})).iterations == 0);
  CHECK(run_conjugate_gradients(map_of(eye(3)), zeros({3})).converged);
  CHECK(run_conjugate_gradients([](const Tensor& v) { return v; }, zeros({0})).converged);
  const ConjugateGradientsResult scaled =
      run_conjugate_gradients([](const Tensor& v) { return 4 * v; }, ones({2, 3}));
  CHECK(scaled.iterations == 1);
  CHECK(largest(scaled.x - 0.25) < 1e-7);
  CHECK(run_conjugate_gradients([](const Tensor& v) { return 2 * v; }, tensor(3.0)).x.item() == 1.5);
}

TEST_CASE("conjugate gradients end where they can go no further, and a solver says why") {
  const Tensor saddle = tensor({{1.0, 0.0}, {0.0, -1.0}}, {.dtype = float64});
  const Tensor b = tensor({1.0, 0.5}, {.dtype = float64});
  const ConjugateGradientsResult result = run_conjugate_gradients(map_of(saddle), b);
  CHECK(result.is_indefinite);
  CHECK_FALSE(result.converged);
  CHECK(message_of<ConvergenceError>([&] { return conjugate_gradients()(map_of(saddle), b); }) ==
        "conjugate_gradients: the map is not positive definite: found in iteration " +
            std::to_string(result.iterations));
  // A direction with no curvature at all.
  CHECK(run_conjugate_gradients([](const Tensor& v) { return 0 * v; }, b).is_indefinite);
  Random random(2);
  const Tensor a = randn({30, 30}, random, {.dtype = float64});
  const LinearMap hard = map_of(matmul(a, a, {.transpose_b = true}));
  const ConjugateGradientsResult cut =
      run_conjugate_gradients(hard, ones({30}, {.dtype = float64}), {.max_iterations = 3});
  CHECK(cut.iterations == 3);
  CHECK_FALSE(cut.converged);
  CHECK_FALSE(cut.is_indefinite);
  CHECK(message_of<ConvergenceError>([&] {
          return conjugate_gradients({.max_iterations = 3})(hard, ones({30}, {.dtype = float64}));
        }).starts_with("conjugate_gradients: did not converge: after 3 iterations the residual is "));
  // NaN ends it.
  const ConjugateGradientsResult nan = run_conjugate_gradients(
      [](const Tensor& v) { return v * std::numeric_limits<double>::quiet_NaN(); }, b);
  CHECK(nan.iterations == 1);
  CHECK_FALSE(nan.converged);
  CHECK_FALSE(nan.is_indefinite);
}

TEST_CASE("conjugate gradients name what does not fit") {
  const LinearMap same = [](const Tensor& v) { return v; };
  CHECK(message_of([&] { return run_conjugate_gradients(same, ones({2}, {.dtype = int64})).x; }) ==
        "conjugate_gradients: b must be float32 or float64: got int64");
  CHECK(message_of([&] { return conjugate_gradients({.tolerance = 0}); }) ==
        "conjugate_gradients: tolerance must be positive and finite: got 0");
  CHECK(message_of([&] { return conjugate_gradients({.max_iterations = 0}); }) ==
        "conjugate_gradients: max_iterations must be at least 1: got 0");
  CHECK(message_of([&] {
          return run_conjugate_gradients([](const Tensor& v) { return reshape(v, {2, 1}); }, ones({2})).x;
        }) == "conjugate_gradients: the map's result has shape [2, 1], its argument has [2]");
  CHECK(message_of([&] {
          return run_conjugate_gradients([](const Tensor& v) { return v.to(float64); }, ones({2})).x;
        }) == "conjugate_gradients: the map's result is float64, its argument is float32");
}
