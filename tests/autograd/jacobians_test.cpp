#include "xtgrad/autograd/jacobians.h"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::testing { namespace {

Tensor drawn(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype});
}

bool is_close(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.numel() == 0 || amax(abs(a - b)).item() < 1e-13);
}

std::vector<Tensor> two_of_two(const Tensor& a, const Tensor& b) {
  return {matmul(a, reshape(tanh(b), {3, 1})), sum(exp(b)) * a};
}

TEST_CASE("jacobian: blocks of several outputs and inputs, forward as reverse") {
  const Tensor a = drawn({2, 3}, 1), b = drawn({3}, 2);
  const Blocks reverse = jacobian(two_of_two, {a, b}, {.mode = JacobianMode::reverse});
  const Blocks forward = jacobian(two_of_two, {a, b}, {.mode = JacobianMode::forward});
  const Blocks either = jacobian(two_of_two, {a, b});
  REQUIRE(reverse.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 0; i < 2; ++i) {
      CAPTURE(k);
      CAPTURE(i);
      const Tensor one =
          jacobian([&](const Tensor& x) { return i == 0 ? two_of_two(x, b)[k] : two_of_two(a, x)[k]; },
                   i == 0 ? a : b);
      CHECK(is_close(reverse[k][i], one));
      CHECK(is_close(forward[k][i], one));
      CHECK(is_close(either[k][i], one));
    }
  }
}

TEST_CASE("jacobian: what has no derivative, and what has no elements") {
  const Tensor a = drawn({4}, 1), index = tensor({1, 3}, {.dtype = int64}),
               none = zeros({0}, {.dtype = float64});
  const auto f = [](std::span<const Tensor> in) {
    return std::vector<Tensor>{index_select(in[0], 0, in[1]) * 2, argmax(in[0], 0), in[2] * 3};
  };
  for (const JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
    const Blocks j = jacobian(f, {a, index, none}, {.mode = mode});
    CHECK(same_bits(j[0][0], tensor({{0, 2, 0, 0}, {0, 0, 0, 2}}, {.dtype = float64})));
    CHECK(!j[0][1].defined());
    CHECK(j[0][2].shape() == Shape{2, 0});
    CHECK(!j[1][0].defined());
    CHECK(j[2][0].shape() == Shape{0, 4});
    CHECK(j[2][2].shape() == Shape{0, 0});
  }
}

TEST_CASE("jacobian: the mode of one tensor, which is chosen by shape, and derivatives of the result") {
  const Tensor x = drawn({2}, 1), wide = drawn({30, 2}, 2);
  const auto f = [&](const Tensor& at) { return tanh(matmul(wide, reshape(at, {2, 1}))); };
  const Tensor reverse = jacobian(f, x);
  CHECK(is_close(jacobian(f, x, {.mode = JacobianMode::forward}), reverse));
  CHECK(is_close(jacobian(f, x, {}), reverse));
  for (const JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
    const auto j = [&](std::span<const Tensor> in) {
      return std::vector<Tensor>{
          jacobian([&](const Tensor& at) { return sin(at * in[1]); }, in[0], JacobianOptions{.mode = mode})};
    };
    CHECK_NOTHROW(require_grads(j, std::vector<Tensor>{drawn({3}, 1), drawn({3}, 2)}));
  }
}

TEST_CASE("hessian: blocks of several inputs") {
  const Tensor a = drawn({2, 2}, 1), b = drawn({2}, 2);
  const auto f = [](const Tensor& x, const Tensor& y) {
    return sum(matmul(square(x), reshape(exp(y), {2, 1})));
  };
  const Blocks h = hessian(f, {a, b});
  CHECK(is_close(h[0][0], hessian([&](const Tensor& x) { return f(x, b); }, a)));
  CHECK(is_close(h[1][1], hessian([&](const Tensor& y) { return f(a, y); }, b)));
  CHECK(h[0][1].shape() == Shape{2, 2, 2});
  CHECK(is_close(reshape(transpose(reshape(h[0][1], {4, 2})), {2, 2, 2}), h[1][0]));
  CHECK(is_close(h[1][0][0][1], 2 * a[1] * exp(b[0]) * tensor({1, 0}, {.dtype = float64})));
}

TEST_CASE("sparse_jacobian: elements of a band, by as many products as there are colours") {
  constexpr std::int64_t n = 40;
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < n; ++i) {
    for (const std::int64_t j : {i - 1, i, i + 1}) places.push_back(j < n ? j : -1);
  }
  const Tensor columns = from_span(std::span<const std::int64_t>(places), {n, 3});
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = drawn({n}, 1, dtype);
    const auto f = [](const Tensor& at) {
      const Tensor padded = pad(at, {.axis = 0, .low = 1, .high = 1});
      return at * slice(padded, {.stop = n}) + exp(slice(padded, {.start = 2}));
    };
    const Tensor got = sparse_jacobian(f, x, columns);
    CHECK(got.dtype() == dtype);
    const Tensor whole = jacobian(f, x);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < 3; ++k) {
        const std::int64_t j = places[static_cast<std::size_t>(i * 3 + k)];
        CHECK(got.at({i, k}) == doctest::Approx(j < 0 ? 0 : whole.at({i, j})).epsilon(1e-6));
      }
    }
  }
  const auto squares = [](std::span<const Tensor> in) {
    const Tensor own = from_span(std::span<const std::int64_t>(std::vector<std::int64_t>{0, 1, 2}), {3, 1});
    return std::vector<Tensor>{
        sparse_jacobian([&](const Tensor& at) { return pow(at, 3.0) * in[1]; }, in[0], own)};
  };
  CHECK_NOTHROW(require_grads(squares, std::vector<Tensor>{drawn({3}, 1), drawn({3}, 2)}));
  CHECK(message_of<ShapeError>([&] {
          static_cast<void>(sparse_jacobian([](const Tensor& at) { return exp(at); }, ones({4}), columns));
        }).starts_with("sparse_jacobian: pattern must have a row for each of 4 residuals"));
}

TEST_CASE("value_and_grad: of one and of several tensors") {
  const Tensor a = drawn({3}, 1), b = drawn({3}, 2);
  const auto f = [](const Tensor& x, const Tensor& y) { return sum(square(x) * y); };
  const auto [value, gradients] = value_and_grad(f)(a, b);
  CHECK(same_bits(value, f(a, b)));
  CHECK(is_close(gradients[0], 2 * a * b));
  CHECK(is_close(gradients[1], square(a)));
  CHECK(!value.requires_grad());
  CHECK(!gradients[0].requires_grad());
  const auto g = [&](std::span<const Tensor> in) { return value_and_grad(f)(in[0], in[1]).gradients; };
  CHECK_NOTHROW(require_grads(g, std::vector<Tensor>{a, b}));
  const auto message = [](const auto& h) {
    return message_of<Error>([&] { static_cast<void>(value_and_grad(h)(ones({2}))); });
  };
  CHECK(message([](const Tensor& x) { return x; }) ==
        "value_and_grad: the function's value must have one element, it has shape [2]; sum it, or use "
        "jacobian");
  CHECK(message([](const Tensor& x) { return argmax(x, 0); }) ==
        "value_and_grad: the function's value must be float32 or float64: got int64");
  CHECK(message([](const Tensor& x) {
          return std::vector<Tensor>{x, x};
        }) == "value_and_grad: the function must have one output, it has 2");
}

}}  // namespace xtgrad::testing
