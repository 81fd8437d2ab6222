// x += y and the like: handles, leaves and shapes.
#include "xtgrad/autograd/assignment.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad::inline v1::testing { namespace {

template <class X, class Y>
concept Addable = requires(Y y) {
  std::declval<X>() += y;
};
static_assert(Addable<Tensor&, Tensor> && Addable<Tensor&, double> && Addable<Tensor&, nn::Parameter&>);
// A constant, a temporary and a parameter are no handles to change.
static_assert(!Addable<const Tensor&, Tensor> && !Addable<Tensor, Tensor>);
static_assert(!Addable<nn::Parameter&, Tensor> && !Addable<nn::Parameter&, double>);
static_assert(!Addable<decltype(std::declval<Tensor&>()[0]), double>);

TEST_CASE("a handle gets the result, others keep what they have") {
  Tensor x = tensor({8, 4});
  const Tensor before = x;
  x += tensor({1, 2});
  CHECK(values(x) == std::vector<double>{9, 6});
  x -= 1;
  x *= tensor({2, 3});
  x /= 2;
  CHECK(values(x) == std::vector<double>{8, 7.5});
  x -= tensor(0.5);
  x *= 2;
  x /= tensor({3, 2});
  x += 1;
  CHECK(values(x) == std::vector<double>{6, 8});
  x += x;
  CHECK(values(x) == std::vector<double>{12, 16});
  CHECK(values(before) == std::vector<double>{8, 4});
}

TEST_CASE("sums in a loop have their history") {
  const Tensor w = tensor({1, 2}, {.requires_grad = true});
  Tensor total = zeros({});
  for (int i = 1; i <= 3; ++i) total += sum(w * i);
  total.backward();
  CHECK(values(w.grad()) == std::vector<double>{6, 6});
}

TEST_CASE("a leaf that wants a gradient stays one, be it recorded or not") {
  Tensor w = tensor({1, 2}, {.requires_grad = true});
  const auto refused = [&] { return message_of<GraphError>([&] { return w -= 0.1; }); };
  const std::string message =
      "operator-=: x, of shape [2], is a leaf that wants a gradient, and the handle would be that of another "
      "tensor, which gets none: give the result a handle of its own";
  CHECK(refused() == message);
  const NoGrad no_grad;
  CHECK(refused() == message);
  Tensor frozen = w.detach();
  frozen += w;
  CHECK(values(frozen) == std::vector<double>{2, 4});
}

TEST_CASE("x keeps its shape and dtype") {
  Tensor x = ones({3});
  CHECK(message_of<ShapeError>([&] {
          return x += ones({2, 3});
        }) == "operator+=: y does not stretch to x's shape: x is [3], y is [2, 3]");
  CHECK(message_of<ShapeError>([&] {
          return x *= ones({2});
        }).starts_with("operator*=: shapes do not broadcast"));
  CHECK_THROWS_AS(x += ones({3}, {.dtype = float64}), DtypeError);
  Tensor count = tensor(1, {.dtype = int64});
  CHECK_THROWS_AS(count += 0.5, DtypeError);
  CHECK(values(x) == std::vector<double>{1, 1, 1});
}

}}  // namespace xtgrad::v1::testing
