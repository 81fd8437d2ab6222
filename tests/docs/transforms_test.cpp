// The code of docs/transforms.md.
#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/jacobians.h"
#include "xtgrad/autograd/vmap.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;

namespace {

const TensorOptions in_double{.dtype = float64};

bool is_close(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && amax(abs(a - b)).item() < 1e-5;
}

struct Net : nn::Module {
  nn::Linear first{3, 4};
  nn::Linear second{4, 2};
  void members(nn::Members& m) override {
    m("first", first);
    m("second", second);
  }
  Tensor forward(const Tensor& x) override { return second(tanh(first(x))); }
};

TEST_CASE("docs/transforms.md: vmap") {
  Random random(1);
  const Tensor points = randn({5, 3}, random), others = randn({5, 3}, random), origin = zeros({3});
  const auto distance = [](const Tensor& a, const Tensor& b) { return norm(a - b); };
  Tensor d = vmap(distance)(points, others);                                 // [5]
  Tensor e = vmap(distance, {.in_axes = {0, not_batched}})(points, origin);  // [5], to one point
  const auto to_all = vmap(distance, {.in_axes = {not_batched, 0}});
  Tensor table = vmap(to_all, {.in_axes = {0, not_batched}})(points, others);  // [5, 5]
  CHECK(same_bits(d[2], distance(points[2], others[2])));
  CHECK(same_bits(e[2], distance(points[2], origin)));
  CHECK(same_bits(table[1][3], distance(points[1], others[3])));
}

TEST_CASE("docs/transforms.md: gradients of each example") {
  Random random(1);
  Net net;
  const Tensor images = randn({6, 3}, random), targets = randn({6, 2}, random);
  std::vector<Tensor> weights;
  for (const nn::ParameterRef& weight : net.parameters()) weights.push_back(weight->tensor());
  const auto gradients = [&](const Tensor& image, const Tensor& target) {
    const Tensor loss = sum(square(reshape(net(reshape(image, {1, 3})), {2}) - target));
    return grad({loss}, weights);
  };
  std::vector<Tensor> each = vmap(gradients)(images, targets);  // [6, 4, 3], [6, 4], ...
  REQUIRE(each.size() == 4);
  for (std::size_t k = 0; k < each.size(); ++k) {
    for (std::int64_t i = 0; i < 6; ++i) CHECK(same_bits(each[k][i], gradients(images[i], targets[i])[k]));
  }
}

TEST_CASE("docs/transforms.md: sweeps of many rows") {
  Random random(1);
  const Tensor w = randn({30, 4}, random), x = randn({4}, random), rows = randn({50, 30, 1}, random);
  const auto f = [&](const Tensor& at) { return tanh(matmul(w, reshape(at, {4, 1}))); };
  const Pullback pullback = vjp(f, x);
  Tensor gradients = pullback.batched(rows);  // [50, 30, 1] to [50, 4]
  CHECK(same_bits(gradients[7], pullback(rows[7])));
}

TEST_CASE("docs/transforms.md: blocks") {
  Random random(1);
  const Tensor a = randn({2, 3}, random), b = randn({3, 1}, random);
  const auto f = [](const Tensor& x, const Tensor& y) { return matmul(x, tanh(y)); };
  Blocks j = jacobian(f, {a, b});  // j[0][1], [2, 1, 3, 1]: of the first output in the second input
  Blocks forward = jacobian(f, {a, b}, {.mode = JacobianMode::forward});
  const auto loss = [&](const Tensor& x, const Tensor& y) { return sum(square(f(x, y))); };
  Blocks h = hessian(loss, {a, b});  // h[0][1], [2, 3, 3, 1]
  auto [value, gradients] = value_and_grad(loss)(a, b);
  CHECK(is_close(j[0][1], forward[0][1]));
  CHECK(h[0][1].shape() == Shape{2, 3, 3, 1});
  CHECK(same_bits(value, loss(a, b)));
  CHECK(gradients[1].shape() == b.shape());
}

TEST_CASE("docs/transforms.md: a sparse Jacobian") {
  constexpr std::int64_t n = 100;
  const Tensor x = linspace(-1, 1, n, in_double);
  const auto f = [](const Tensor& at) { return at * roll(at, {1}, {0}); };
  std::vector<std::int64_t> depends_on;
  for (std::int64_t i = 0; i < n; ++i) depends_on.insert(depends_on.end(), {i, (i + n - 1) % n});
  const Tensor columns = from_span(std::span<const std::int64_t>(depends_on), {n, 2});
  Tensor elements = sparse_jacobian(f, x, columns);  // [100, 2], by two products
  CHECK(elements.at({7, 0}) == doctest::Approx(x.at({6})));
  CHECK(elements.at({7, 1}) == doctest::Approx(x.at({7})));
}

}  // namespace
