#include "xtgrad/nn/sequential.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/module_list.h"

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
  CHECK(model(x).node() != x.node());
  CHECK(elements(model(x)) == elements(x));
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

TEST_CASE("Sequential gives its layers as what they are, by number or name, in a loop") {
  nn::Sequential model{nn::Linear{2, 3}, nn::Tanh{}};
  model.add("head", nn::Linear{3, 1}).add(nn::Tanh{});
  CHECK(model.names() == std::vector<std::string>{"0", "1", "head", "3"});
  CHECK(model.at<nn::Linear>(0).weight.shape() == Shape{3, 2});
  CHECK(&model.at<nn::Linear>("head") == &model[2]);
  CHECK(&model["head"] == &model[2]);
  CHECK(&model.at<nn::Module>(1) == &model[1]);
  std::vector<std::string> types;
  for (nn::Module& layer : model) types.push_back(layer.type_name());
  CHECK(types == std::vector<std::string>{"Linear", "Tanh", "Linear", "Tanh"});
  CHECK(model.begin()->type_name() == "Linear");
  CHECK(model.named_parameters().at(2).name == "head.weight");
  nn::Sequential empty;
  CHECK(empty.begin() == empty.end());

  CHECK_THROWS_WITH_AS(static_cast<void>(model.at<nn::Tanh>("head")),
                       "Sequential: layer \"head\" is a Linear, not a Tanh", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model["tail"]),
                       "Sequential: no layer \"tail\"; there are: 0, 1, head, 3", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.at<nn::Linear>(4)), "Sequential: no layer 4: there are 4",
                       ValueError);
  CHECK_THROWS_WITH_AS(model.add("head", nn::Tanh{}), "Sequential: the name \"head\" is there already",
                       ValueError);
  CHECK_THROWS_WITH_AS(model.add("a.b", nn::Tanh{}),
                       "Sequential: a layer's name must not be empty, nor have a dot: got \"a.b\"",
                       ValueError);
  CHECK_THROWS_AS(model.add("", nn::Tanh{}), ValueError);
  CHECK(model.size() == 4);

  // Copies have the names; so has what is assigned to.
  nn::Sequential copy = model, other{nn::Linear{2, 3}, nn::Tanh{}, nn::Linear{3, 1}, nn::Tanh{}};
  CHECK(copy.names() == model.names());
  other = model;
  CHECK(other.names() == model.names());
  other = other;
  CHECK(other.names() == model.names());
  const nn::Sequential moved = std::move(copy);
  CHECK(moved.names() == model.names());
}

TEST_CASE("a layer takes another's place and name") {
  nn::Sequential model = small();
  model.replace(2, nn::Linear{3, 5});
  CHECK(model(ones({4, 2})).shape() == Shape{4, 5});
  CHECK(model.state_dict().at("2.weight").shape() == Shape{5, 3});
  model.replace("1", nn::Sequential{nn::Tanh{}, nn::Linear{3, 3}});
  CHECK(model.state_dict().contains("1.1.weight"));
  CHECK_THROWS_AS(model.replace(3, nn::Tanh{}), ValueError);
  CHECK_THROWS_AS(model.replace("3", nn::Tanh{}), ValueError);
  // It is copied with the model.
  nn::Sequential copy = model;
  CHECK(copy.at<nn::Linear>(2).weight.shape() == Shape{5, 3});

  nn::ModuleList list{nn::Linear{2, 3}, nn::Tanh{}};
  CHECK(list.at<nn::Linear>(0).weight.shape() == Shape{3, 2});
  list.replace(0, nn::Linear{2, 4});
  CHECK(list.at<nn::Linear>(0).weight.shape() == Shape{4, 2});
  CHECK_THROWS_WITH_AS(static_cast<void>(list.at<nn::Linear>(1)),
                       "ModuleList: layer \"1\" is a Tanh, not a Linear", ValueError);
  CHECK_THROWS_AS(list.replace(2, nn::Tanh{}), ValueError);
}
