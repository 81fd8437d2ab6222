// What was read stays as it was read.
#include <doctest/doctest.h>

#include <span>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/optim/sgd.h"

using namespace xtgrad;

TEST_CASE("elements that are held do not change under the next backward or step") {
  nn::Parameter w(tensor({1, 2}));
  optim::SGD sgd({w.cell()}, {.lr = 1});
  sum(w * 3).backward();
  const auto gradient = w.grad().data<float>();
  const auto weight = w.tensor().data<float>();
  const Tensor named = w.grad();
  const std::span<const float> span = named.data<float>();
  sum(w * 4).backward();
  sgd.step();
  CHECK(gradient[0] == 3);
  CHECK(span[0] == 3);
  CHECK(weight[1] == 2);
  CHECK(w.grad().at({0}) == 7);
  CHECK(w.tensor().at({1}) == -5);
}
