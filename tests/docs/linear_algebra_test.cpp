// The code of docs/operations/linear_algebra.md.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/functions/contraction.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using xtgrad::testing::values;

namespace {

/// log p(x) of the normal distribution with mean 0 and covariance c, for each row of x [n, d].
Tensor log_density(const Tensor& x, const Tensor& c) {
  const Tensor l = cholesky(c);
  const Tensor z = solve_triangular(l, transpose(x));  // [d, n], of covariance 1
  const Tensor log_root = sum(log(einsum("ii->i", {l})));
  const double constant = 0.5 * static_cast<double>(x.size(1)) * std::log(2 * std::numbers::pi);
  return sum(square(z), {.axes = 0}) * -0.5 - log_root - constant;
}

}  // namespace

TEST_CASE("linear_algebra.md: a normal distribution's covariance") {
  const Tensor x = tensor({{1, 0.5}, {-1, 2}}, {.dtype = float64});
  Tensor c = tensor({{2, 0.5}, {0.5, 1}}, {.dtype = float64, .requires_grad = true});
  const Tensor p = log_density(x, c);
  // By the formula: -1/2 x' c^-1 x - 1/2 log det c - log 2 pi.
  const double log_det = std::log(1.75);
  CHECK(values(p)[0] == doctest::Approx(-0.5 * (1 * 1 - 1 * 0.5 + 0.25 * 2) / 1.75 - 0.5 * log_det -
                                        std::log(2 * std::numbers::pi)));
  const Tensor g = grad(sum(p), c);
  CHECK(values(g)[1] == values(g)[2]);
}

TEST_CASE("linear_algebra.md: equations") {
  Random random(1);
  const Tensor a = randn({3, 4, 4}, random) + eye(4) * 4.0;
  const Tensor b = randn({4, 2}, random);
  const Tensor x = solve(a, b);                              // [3, 4, 2]: one b for all three
  const Tensor r = solve_triangular(a, b, {.upper = true});  // of the upper triangles
  const Tensor y = solve(a, ones({4}));                      // [3, 4]: a vector is a column
  CHECK(x.shape() == Shape{3, 4, 2});
  CHECK(r.shape() == Shape{3, 4, 2});
  CHECK(y.shape() == Shape{3, 4});
}

TEST_CASE("linear_algebra.md: a matrix of a batch that is refused is named") {
  const Tensor good = eye(2);
  const Tensor bad = tensor({{1, 2}, {2, 1}}, {.dtype = float32});
  const std::string message = testing::message_of([&] { return cholesky(stack({good, bad})); });
  CHECK(message ==
        "cholesky: the matrix [1] of the batch is not positive definite: leading minor of order 2");
}

TEST_CASE("linear_algebra.md: the gradient of a determinant that is 0") {
  Tensor a = tensor({{1, 2}, {2, 4}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = grad(det(a), a);  // the cofactors: 4, -2, -2, 1
  CHECK(values(g)[0] == doctest::Approx(4));
  CHECK(values(g)[1] == doctest::Approx(-2));
}

TEST_CASE("linear_algebra.md: equal eigenvalues") {
  Tensor a = eye(2, std::nullopt, {.dtype = float64}) * 3.0;
  a = a.detach().set_requires_grad();
  const Tensor g = grad(sum(square(eigvalsh(a))), a, {.create_graph = true});  // 2 a
  const Tensor h = grad(sum(g), a);                                            // NaN
  CHECK(values(g) == std::vector<double>{6, 0, 0, 6});
  CHECK(std::isnan(values(h)[0]));
  const Tensor same = grad(sum(grad(einsum("ij,ji->", {a, a}), a, {.create_graph = true})), a);
  CHECK(values(same) == std::vector<double>{2, 2, 2, 2});
}

TEST_CASE("linear_algebra.md: contractions") {
  const Tensor q = ones({2, 5, 3});
  const Tensor k = ones({2, 4, 3});
  const Tensor scores = einsum("bqd,bkd->bqk", {q, k});           // [2, 5, 4]
  const Tensor traces = einsum("...ii->...", {ones({2, 3, 3})});  // [2]
  const Tensor all = einsum("ij,jk,kl", {ones({2, 50}), ones({50, 50}), ones({50, 3})});
  CHECK(scores.shape() == Shape{2, 5, 4});
  CHECK(values(traces) == std::vector<double>{3, 3});
  CHECK(all.shape() == Shape{2, 3});
  const Tensor w = ones({3, 2});
  const Tensor x = ones({3});
  CHECK(matmul(x, w).shape() == Shape{2});
  CHECK(matmul(x, x).shape() == Shape{});
}
