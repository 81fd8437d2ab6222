#include "xtgrad/nn/sequential.h"

#include <doctest/doctest.h>

#include <utility>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using nn_test::elements;

namespace {

nn::Sequential small() { return nn::Sequential{nn::Linear{2, 3}, nn::Tanh{}, nn::Linear{3, 1}}; }

}  // namespace

TEST_CASE("Sequential calls one after the other and lists by number") {
  nn::Sequential model = small();
  CHECK(model.size() == 3);
  const Tensor x = ones({4, 2});
  CHECK(elements(model(x)) == elements(model[2](tanh(model[0](x)))));
  const std::vector<nn::NamedParameter> named = model.named_parameters();
  REQUIRE(named.size() == 4);
  CHECK(named[0].name == "0.weight");
  CHECK(named[3].name == "2.bias");
}

TEST_CASE("an empty Sequential is the identity") {
  nn::Sequential model;
  const Tensor x = ones({2});
  CHECK(model(x).node() == x.node());
  CHECK(model.parameters().empty());
}

TEST_CASE("Sequentials nest, a user's own module fits in") {
  nn::Sequential model;
  model.add(small()).add(nn::Linear{1, 4}).add(nn_test::Classifier{});
  CHECK(model(ones({5, 2})).shape() == Shape{5, 3});
  CHECK(model.named_parameters()[0].name == "0.0.weight");
  CHECK(model.state_dict().contains("2.drop.stream"));
  model.eval();
  CHECK_FALSE(model[2].is_training());
  sum(model(ones({5, 2}))).backward();
  for (const nn::ParameterRef& parameter : model.parameters()) CHECK(parameter->grad().defined());
}

TEST_CASE("one Sequential in braces is a copy, not a nesting") {
  nn::Sequential model = small();
  nn::Sequential copy{model};
  CHECK(copy.size() == 3);
  const nn::Sequential moved{std::move(copy)};
  CHECK(moved.size() == 3);
}

TEST_CASE("copies of a Sequential are deep") {
  nn::Sequential model;
  model.add(small()).add(nn::Dropout{{.p = 0.5}});
  model.eval();
  nn::Sequential copy = model;
  CHECK_FALSE(copy.is_training());
  CHECK_FALSE(copy[1].is_training());
  const Tensor x = ones({2, 2});
  CHECK(elements(copy(x)) == elements(model(x)));
  for (const nn::ParameterRef& parameter : copy.parameters()) parameter->set_value(zeros(parameter->shape()));
  CHECK(elements(copy(x)) != elements(model(x)));
  copy.train();
  CHECK_FALSE(model[1].is_training());
}

TEST_CASE("assigning a Sequential of the same layers keeps the parameters' identity") {
  nn::Sequential model = small();
  const std::vector<nn::ParameterRef> held = model.parameters();
  const nn::Sequential best = small();
  model = best;
  CHECK(model.parameters() == held);
  CHECK(elements(held[0]->tensor()) == elements(best.parameters()[0]->tensor()));
  CHECK(held[0] != best.parameters()[0]);
}

TEST_CASE("assigning a Sequential of other layers copies it") {
  nn::Sequential model = small();
  const nn::Sequential other{nn::Linear{2, 3}, nn::Sigmoid{}, nn::Linear{3, 1}};
  model = other;
  CHECK(model[1].type_name() == "Sigmoid");
  CHECK(model.parameters()[0] != other.parameters()[0]);
  model = nn::Sequential{nn::Linear{2, 2}};
  CHECK(model.size() == 1);
}

TEST_CASE("moving a Sequential keeps its parameters") {
  nn::Sequential model = small();
  const std::vector<nn::ParameterRef> held = model.parameters();
  const nn::Sequential moved = std::move(model);
  CHECK(moved.parameters() == held);
}

TEST_CASE("Sequential says which layer there is none of, and where an error comes from") {
  nn::Sequential model = small();
  CHECK_THROWS_WITH_AS(static_cast<void>(model[3]), "Sequential: no layer 3: there are 3", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model(ones({4, 5}))),
                       "Linear (0): input has 5 features in its last dimension, weight is [3, 2]",
                       ShapeError);
}

TEST_CASE("a model derived from Sequential copies like any other") {
  struct Net : nn::Sequential {
    Net() : Sequential(nn::Linear{2, 3}, nn::Tanh{}) {}
    Net(const Net& other) : Sequential(other) {}
  };
  Net model;
  Net copy = model;
  CHECK(copy.size() == 2);
  CHECK(elements(copy(ones({1, 2}))) == elements(model(ones({1, 2}))));
  CHECK(nn::Sequential{nn::Tanh{}}.size() == 1);
}

TEST_CASE("a layer that cannot be assigned to is copied instead") {
  struct Scaled : nn::Module {
    explicit Scaled(double by) : factor(by) {}
    const double factor;
    Tensor forward(const Tensor& x) override { return x * factor; }
  };
  nn::Sequential model{Scaled(2), Scaled(3)};
  const nn::Sequential other{Scaled(5), Scaled(7)};
  model = other;
  CHECK(elements(model(ones({1}))) == std::vector<double>{35});
}
