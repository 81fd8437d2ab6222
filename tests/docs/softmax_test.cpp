// The code of docs/operations/softmax.md.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::message_of;
using testing::values;

TEST_CASE("docs/operations/softmax.md: probabilities and their logarithms") {
  Tensor scores = tensor({{1, 2, 3}, {1000, 0, 0}}, {.dtype = float64});
  Tensor p = softmax(scores, 1);                    // rows that sum to 1
  Tensor log_p = log_softmax(scores, 1);            // {{-2.41, -1.41, -0.41}, {0, -1000, -1000}}
  Tensor total = logsumexp(scores, {.axes = {1}});  // {3.41, 1000}
  CHECK(values(sum(p, {.axes = {1}}))[0] == doctest::Approx(1));
  CHECK(values(log_p)[0] == doctest::Approx(-2.4076059644));
  CHECK(values(log_p)[4] == -1000);
  CHECK(values(total)[0] == doctest::Approx(3.4076059644));
  CHECK(values(total)[1] == 1000);
}

TEST_CASE("docs/operations/softmax.md: a loss and its gradient") {
  Tensor logits = tensor({{1, 2, 3}, {1000, 0, 0}}, {.dtype = float64, .requires_grad = true});
  Tensor labels = tensor({2, 1}, {.dtype = int64});
  Tensor loss = softmax_cross_entropy(logits, labels);  // {0.41, 1000}
  Tensor slope = grad(sum(loss), logits);               // softmax(logits, 1) less 1 at the labels
  const Tensor expected = softmax(logits, 1) - one_hot(labels, 3, {.dtype = float64});
  CHECK(values(loss)[1] == 1000);
  for (std::size_t i = 0; i < 6; ++i) CHECK(values(slope)[i] == doctest::Approx(values(expected)[i]));
}

TEST_CASE("docs/operations/softmax.md: the derivatives are those of its table") {
  Random random(3);
  const Tensor x = randn({2, 4}, random, {.dtype = float64, .requires_grad = true});
  const Tensor g = randn({2, 4}, random, {.dtype = float64});
  const auto check = [&](const Tensor& y, const Tensor& expected) {
    CHECK(amax(abs(grad(sum(y), x) - expected)).item() < 1e-14);  // some ulps of numbers about 1
  };
  const auto total = [](const Tensor& t) { return sum(t, {.axes = {1}, .keepdim = true}); };
  const Tensor p = softmax(x, 1).detach();
  check(logsumexp(x, {.axes = {1}}), p);
  check(softmax(x, 1) * g, p * (g - total(g * p)));
  check(log_softmax(x, 1) * g, g - p * total(g));
}

TEST_CASE("docs/operations/softmax.md: errors") {
  const Tensor logits = zeros({2, 3});
  CHECK(message_of<ShapeError>([&] { return softmax(logits, 2); }) ==
        "softmax: axis 2 is out of range: 2 dimensions have the axes -2 to 1");
  CHECK(message_of<DtypeError>([&] { return softmax(ones({2}, {.dtype = int64}), 0); }) ==
        "softmax: needs float32 or float64, got int64; convert with to(float32)");
  CHECK(message_of<ShapeError>([&] { return softmax_cross_entropy(logits, zeros({3}, {.dtype = int64})); }) ==
        "softmax_cross_entropy: the index needs the logits' shape without axis 1: logits [2, 3] need [2], "
        "got [3]");
  CHECK(message_of<ValueError>([&] {
          return softmax_cross_entropy(logits, tensor({0, 3}, {.dtype = int64}));
        }) ==
        "softmax_cross_entropy: the index is out of range: 3 at [1], but axis 1 of the logits has size 3");
}
