#include "xtgrad/nn/linear.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using nn_test::close;
using nn_test::elements;

namespace {

/// A layer with weight {{1, 2, 3}, {4, 5, 6}} and bias {10, 20}.
nn::Linear numbered(Dtype dtype) {
  nn::Linear layer{3, 2};
  layer.to(dtype);
  layer.weight.set_value(tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = dtype}));
  layer.bias.set_value(tensor({10, 20}, {.dtype = dtype}));
  return layer;
}

}  // namespace

TEST_CASE("Linear is x W^T + b, for any leading dimensions") {
  for (const Dtype dtype : {float32, float64}) {
    nn::Linear layer = numbered(dtype);
    const Tensor x = tensor({{1, 0, 0}, {0, 1, 0}, {1, 1, 1}, {-1, 2, 0}}, {.dtype = dtype});
    const std::vector<double> expected{11, 24, 12, 25, 16, 35, 13, 26};
    CHECK(elements(layer(x)) == expected);
    CHECK(layer(x).dtype() == dtype);
    CHECK(layer(reshape(x, Shape{2, 2, 3})).shape() == Shape{2, 2, 2});
    CHECK(elements(layer(reshape(x, Shape{2, 2, 3}))) == expected);
    CHECK(layer(reshape(x, Shape{2, 1, 2, 3})).shape() == Shape{2, 1, 2, 2});
    const Tensor row = layer(tensor({1, 1, 1}, {.dtype = dtype}));
    CHECK(row.shape() == Shape{2});
    CHECK(elements(row) == std::vector<double>{16, 35});
  }
}

TEST_CASE("Linear takes batches of zero and one, and layers without inputs or outputs") {
  nn::Linear layer = numbered(float32);
  CHECK(layer(zeros({0, 3})).shape() == Shape{0, 2});
  CHECK(layer(zeros({2, 0, 3})).shape() == Shape{2, 0, 2});
  CHECK(layer(ones({1, 3})).shape() == Shape{1, 2});
  sum(layer(zeros({0, 3}))).backward();
  CHECK(elements(layer.weight.grad()) == std::vector<double>(6, 0));
  CHECK(elements(layer.bias.grad()) == std::vector<double>(2, 0));

  nn::Linear no_inputs{0, 2};
  CHECK(elements(no_inputs(zeros({3, 0}))) == std::vector<double>(6, 0));
  nn::Linear no_outputs{3, 0};
  CHECK(no_outputs(zeros({4, 3})).shape() == Shape{4, 0});
}

TEST_CASE("Linear's gradients against the hand: dW = g^T x, db = sum of g, dx = g W") {
  nn::Linear layer = numbered(float64);
  const Tensor x = tensor({{1, 2, -1}, {0, 3, 2}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = tensor({{1, -2}, {3, 5}}, {.dtype = float64});
  layer(x).backward({.gradient = g});
  CHECK(elements(layer.weight.grad()) == std::vector<double>{1, 11, 5, -2, 11, 12});
  CHECK(elements(layer.bias.grad()) == std::vector<double>{4, 3});
  CHECK(elements(x.grad()) == std::vector<double>{-7, -8, -9, 23, 31, 39});
}

TEST_CASE("Linear without bias") {
  nn::Linear layer{{.in_features = 3, .out_features = 2, .bias = false}};
  CHECK_FALSE(layer.bias.defined());
  CHECK(layer.parameters().size() == 1);
  CHECK(elements(layer(zeros({1, 3}))) == std::vector<double>{0, 0});
}

TEST_CASE("Linear starts uniform in 1/sqrt(in)") {
  manual_seed(5);
  const nn::Linear layer{100, 400};
  for (const nn::ParameterRef& parameter : layer.parameters()) {
    double sum_of_squares = 0;
    for (const double w : elements(parameter->tensor())) {
      CHECK(std::abs(w) <= 0.1);
      sum_of_squares += w * w;
    }
    // The variance of U(-0.1, 0.1) is 0.01 / 3; of n draws, known to 0.9/sqrt(n), and n is 400 at least.
    CHECK(close(sum_of_squares / static_cast<double>(parameter->numel()), 0.01 / 3, 0.2));
  }
  manual_seed(5);
  CHECK(elements(nn::Linear(100, 400).weight) == elements(layer.weight));
  CHECK(elements(nn::Linear(100, 400).weight) != elements(layer.weight));
}

TEST_CASE("Linear's errors name the rule and both values") {
  nn::Linear layer{4, 10};
  CHECK_THROWS_WITH_AS(static_cast<void>(layer(ones({2, 5}))),
                       "Linear: input has 5 features in its last dimension, weight is [10, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(layer(tensor(1))),
                       "Linear: input has no dimensions, weight is [10, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(layer(ones({2, 4}, {.dtype = float64}))),
      "Linear: input is float64, weight is float32; convert the input or the model with to()", DtypeError);
  CHECK_THROWS_WITH_AS(nn::Linear({.in_features = 3}), "Linear: out_features is required, and was not given",
                       ValueError);
  CHECK_THROWS_WITH_AS(nn::Linear({.out_features = 3}), "Linear: in_features is required, and was not given",
                       ValueError);
  CHECK_THROWS_WITH_AS(nn::Linear(-3, 2), "Linear: in_features must be at least 0: got -3", ValueError);
  CHECK_THROWS_WITH_AS(nn::Linear(3, -2), "Linear: out_features must be at least 0: got -2", ValueError);
}

TEST_CASE("inside a model, Linear's errors say which one") {
  nn_test::Classifier model;
  model.head = nn::Linear{7, 3};
  CHECK_THROWS_WITH_AS(static_cast<void>(model(ones({2, 4}))),
                       "Linear (head): input has 5 features in its last dimension, weight is [3, 7]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.head(ones({2, 4}))),
                       "Linear: input has 4 features in its last dimension, weight is [3, 7]", ShapeError);
}
