// The code of docs/operations/linear_algebra.md.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/functions/contraction.h"
#include "xtgrad/autograd/functions/diagonal.h"
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

Tensor t(const Tensor& x) { return transpose(x); }
Tensor turned(const Tensor& x) { return x - t(x); }
/// The symmetric matrix with the lower triangle of x.
Tensor mirrored(const Tensor& x) { return tril(x) + t(tril(x, -1)); }
/// 1 / (w_j - w_i), and 0 for i = j.
Tensor inverse_gaps(const Tensor& w) {
  const Tensor gaps = reshape(w, {1, -1}) - reshape(w, {-1, 1}),
               one = eye(w.size(0), std::nullopt, {.dtype = float64});
  return (1 - one) / (gaps + one);
}

void check_close(const Tensor& x, const Tensor& y) {
  CHECK(x.shape() == y.shape());
  CHECK(amax(abs(x - y)).item() < 1e-10);  // of numbers about 1, and of matrices that are well conditioned
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

TEST_CASE("linear_algebra.md: products of vectors, powers") {
  const Tensor a = tensor({1, 2, 3}), b = tensor({4, 5, 6});
  const Tensor length = dot(a, b);                                   // 32
  const Tensor products = outer(a, b);                               // [3, 3]
  const Tensor normal = cross(a, b);                                 // {-3, 6, -3}
  const Tensor blocks = kron(eye(2), ones({2, 2}));                  // [4, 4], two blocks of ones
  const Tensor powers = vander(a);                                   // {{1, 1, 1}, {1, 2, 4}, {1, 3, 9}}
  const Tensor pairs = tensordot(ones({2, 3, 4}), ones({3, 4}), 2);  // {12, 12}
  CHECK(length.item() == 32);
  CHECK(products.shape() == Shape{3, 3});
  CHECK(values(normal) == std::vector<double>{-3, 6, -3});
  CHECK(values(sum(blocks, {.axes = {1}})) == std::vector<double>{2, 2, 2, 2});
  CHECK(values(powers) == std::vector<double>{1, 1, 1, 1, 2, 4, 1, 3, 9});
  CHECK(values(pairs) == std::vector<double>{12, 12});
}

TEST_CASE("linear_algebra.md: the derivatives of products") {
  Random random(3);
  const TensorOptions wanted{.dtype = float64, .requires_grad = true};
  const Tensor a = randn({3}, random, wanted), b = randn({3}, random, wanted);
  const Tensor g = randn({3}, random, {.dtype = float64});
  const auto slopes = grad(dot(g, cross(a, b)), {a, b});
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(values(slopes[0])[i] == doctest::Approx(values(cross(b, g))[i]));
    CHECK(values(slopes[1])[i] == doctest::Approx(values(cross(g, a))[i]));
  }
}

TEST_CASE("linear_algebra.md: a logarithm of a positive definite matrix") {
  const Tensor a = tensor({{2, 0.5}, {0.5, 1}}, {.dtype = float64, .requires_grad = true});
  const auto [w, v] = eigh(a);
  const Tensor log_a = matmul(v * log(w), v, {.transpose_b = true});
  const Tensor again = matrix_exp(log_a);
  for (std::size_t i = 0; i < 4; ++i) CHECK(values(again)[i] == doctest::Approx(values(a)[i]));
  // d trace(log a) = trace(a^-1 da)
  const Tensor slope = grad(sum(log(w)), a, {.keep_graph = true}), inverted = inverse(a);
  const Tensor through = grad(einsum("ii->", {log_a}), a);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(values(slope)[i] == doctest::Approx(values(inverted)[i]));
    CHECK(values(through)[i] == doctest::Approx(values(inverted)[i]));
  }
}

TEST_CASE("linear_algebra.md: the derivatives of decompositions are those of its table") {
  Random random(5);
  const TensorOptions in_double{.dtype = float64};
  const Tensor x = randn({4, 4}, random, in_double);
  const Tensor a = (x + eye(4, std::nullopt, in_double) * 3.0).detach().set_requires_grad();
  const Tensor c =
      (matmul(x, x, {.transpose_b = true}) + eye(4, std::nullopt, in_double)).detach().set_requires_grad();
  const Tensor g = randn({4, 4}, random, in_double), h = randn({4, 4}, random, in_double);
  const Tensor n = randn({4}, random, in_double);
  const auto slope = [](const Tensor& y, const Tensor& of) { return grad(sum(y), of, {.keep_graph = true}); };

  const Tensor k = cholesky(c);
  check_close(slope(k * g, c), matmul(matmul(t(inverse(k)), mirrored(matmul(t(k), g))), inverse(k)) / 2);

  const auto [p, l, u] = lu(a);
  const Tensor triangles = tril(matmul(t(l), g), -1) + triu(matmul(h, t(u)));
  check_close(slope(l * g + u * h, a), matmul(matmul(matmul(p, t(inverse(l))), triangles), t(inverse(u))));

  const auto [q, r] = qr(a);
  const Tensor gr = triu(h);  // below its diagonal r is 0
  const Tensor m = mirrored(matmul(r, t(gr)) - matmul(t(g), q));
  check_close(slope(q * g + r * gr, a), matmul(g + matmul(q, m), t(inverse(r))));

  const auto [w, v] = eigh(c);
  const Tensor inner = diag(n) + inverse_gaps(w) * matmul(t(v), g);
  check_close(slope(w * n, c) + slope(v * g, c), matmul(matmul(v, (inner + t(inner)) / 2), t(v)));
  check_close(slope(eigvalsh(c) * n, c), matmul(v * n, t(v)));

  const auto [left, s, vh] = svd(a);
  const Tensor right = t(vh), f = inverse_gaps(square(s));
  const Tensor middle =
      diag(n) + (f * turned(matmul(t(left), g))) * s + reshape(s, {4, 1}) * (f * turned(matmul(t(right), h)));
  check_close(slope(s * n, a) + slope(left * g, a) + slope(right * h, a), matmul(matmul(left, middle), vh));
  check_close(slope(svdvals(a) * n, a), matmul(left * n, vh));

  const Tensor wide = slice(a, {.stop = 3}).detach().set_requires_grad();  // [3, 4], of rank 3
  const Tensor y = pinv(wide), gy = slice(g, {.axis = 1, .stop = 3});
  const Tensor expected =
      matmul(eye(3, std::nullopt, in_double) - matmul(wide, y), matmul(t(gy), matmul(y, t(y)))) +
      matmul(matmul(t(y), matmul(y, t(gy))), eye(4, std::nullopt, in_double) - matmul(y, wide)) -
      matmul(matmul(t(y), gy), t(y));
  check_close(slope(y * gy, wide), expected);
}

TEST_CASE("linear_algebra.md: the derivatives of products, determinants and norms are those of its tables") {
  Random random(7);
  const TensorOptions in_double{.dtype = float64}, wanted{.dtype = float64, .requires_grad = true};
  const Tensor a = randn({3, 3}, random, wanted), b = randn({2, 2}, random, wanted),
               x = randn({3}, random, wanted);
  const Tensor g = randn({6, 6}, random, in_double), h = randn({3, 3}, random, in_double);
  const auto slope = [](const Tensor& y, const Tensor& of) { return grad(sum(y), of, {.keep_graph = true}); };

  const Tensor blocks = permute(reshape(g, {3, 2, 3, 2}), {0, 2, 1, 3});  // one for each element of a
  const Tensor y = kron(a, b);
  check_close(slope(y * g, a), sum(blocks * b, {.axes = {2, 3}}));
  check_close(slope(y * g, b), sum(blocks * reshape(a, {3, 3, 1, 1}), {.axes = {0, 1}}));

  const Tensor exponents = arange(3, {}, in_double);
  const Tensor slopes = exponents * pow(reshape(x, {3, 1}), maximum(exponents - 1, 0));
  check_close(slope(vander(x) * h, x), sum(h * slopes, {.axes = {1}}));
  check_close(slope(outer(x, x.detach()) * h, x), matmul(h, x));
  check_close(slope(outer(x.detach(), x) * h, x), matmul(t(h), x));

  check_close(slope(det(a), a), det(a) * t(inverse(a)));
  check_close(slope(slogdet(a).logabs, a), t(inverse(a)));
  const auto [u, s, vh] = svd(a);
  check_close(slope(matrix_norm(a), a), a / matrix_norm(a));
  check_close(slope(matrix_norm(a, MatrixNorm::nuclear), a), matmul(u, vh));
  const Tensor first = matmul(slice(u, {.axis = 1, .stop = 1}), slice(vh, {.stop = 1}));
  check_close(slope(matrix_norm(a, MatrixNorm::spectral), a), first);
  const Tensor sums = sum(abs(a), {.axes = {0}});
  check_close(slope(matrix_norm(a, MatrixNorm::one), a), where(sums == amax(sums), sign(a), 0));
}
