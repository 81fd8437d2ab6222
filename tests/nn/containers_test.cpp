// ModuleList and Residual: modules made of modules of any class.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/module_list.h"
#include "xtgrad/nn/residual.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

/// As a user would write it: layers called in an order of one's own.
struct Stack : nn::Module {
  nn::ModuleList layers{nn::Linear{3, 3}, nn::Tanh{}};
  void members(nn::Members& m) override { m("layers", layers); }
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (nn::Module& layer : layers) y = y + layer(y);
    return y;
  }
};

std::vector<std::string> names_of(const nn::ModuleBase& module) {
  std::vector<std::string> names;
  for (const auto& named : module.named_parameters()) names.push_back(named.name);
  return names;
}

nn::Linear doubling() {
  nn::Linear layer{{.in_features = 2, .out_features = 2, .bias = false}};
  layer.weight.set_value(tensor({{2, 0}, {0, 2}}));
  return layer;
}

nn::Linear widening() {
  nn::Linear layer{{.in_features = 2, .out_features = 3, .bias = false}};
  layer.weight.set_value(tensor({{1, 0}, {0, 1}, {1, 1}}));
  return layer;
}

}  // namespace

TEST_CASE("a ModuleList is indexed, grows, is walked through, and names its modules by number") {
  Stack model;
  model.layers.append(nn::Linear{3, 3}).append(nn::Dropout{{.p = 0}});
  CHECK(model.layers.size() == 4);
  CHECK_FALSE(model.layers.empty());
  CHECK(nn::ModuleList().empty());
  CHECK(names_of(model) ==
        std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"});
  CHECK(model.layers[1].type_name() == "Tanh");
  CHECK(&model.layers[0] == &*model.layers.begin());
  const Tensor x = ramp({2, 3});
  Tensor want = x;
  for (std::size_t i = 0; i < 4; ++i) want = want + model.layers[i](want);
  CHECK(elements(model(x)) == elements(want));
  CHECK(model(zeros({0, 3})).shape() == Shape{0, 3});
  const nn::ModuleList one(nn::Linear{2, 2});
  CHECK(one.size() == 1);
  nn::ModuleList nested;
  nested.append(one);
  CHECK(names_of(nested) == std::vector<std::string>{"0.0.weight", "0.0.bias"});
  CHECK(message_of<ValueError>([&] { return model.layers[4].type_name(); }) ==
        "ModuleList: no module 4: there are 4");
}

TEST_CASE("a ModuleList has no forward, and says so") {
  nn::ModuleList layers{nn::Linear{3, 3}, nn::Tanh{}};
  CHECK(message_of<GraphError>([&] {
          return layers(ones({1, 3}));
        }) ==
        "ModuleList: a list does not say in what order its 2 modules run; call them one by one, or use "
        "nn::Sequential");
  nn::Sequential model{nn::ModuleList{nn::Linear{3, 3}, nn::Tanh{}}, nn::ReLU{}};
  CHECK(message_of<GraphError>([&] { return model(ones({1, 3})); }).find("ModuleList (0): a list") == 0);
}

TEST_CASE("a ModuleList in a model: summary, files, copies, training mode, derivatives") {
  manual_seed(1);
  Stack model, other;
  check_module(model, other, randn({2, 3}));
  CHECK(model.summary(zeros({2, 3})) ==
        "module    type        output  parameters\n"
        "(model)   Stack       [2, 3]           0\n"
        "layers    ModuleList  -                0\n"
        "layers.0  Linear      [2, 3]          12\n"
        "layers.1  Tanh        [2, 3]           0\n"
        "total: 12 parameters, 12 learning, 48 bytes\n");
  model.eval();
  CHECK_FALSE(model.layers[1].is_training());
  model.to(float64);
  CHECK(model(zeros({2, 3}, {.dtype = float64})).dtype() == float64);
}

TEST_CASE("assigning a ModuleList keeps parameters where the modules are alike, else copies") {
  nn::ModuleList a{nn::Linear{2, 2}, nn::Tanh{}}, b{nn::Linear{2, 2}, nn::Tanh{}};
  const auto before = a.parameters();
  a = b;
  CHECK(a.parameters() == before);
  CHECK(elements(a.parameters()[0]->tensor()) == elements(b.parameters()[0]->tensor()));
  nn::ModuleList longer{nn::Linear{2, 2}, nn::Tanh{}, nn::Linear{2, 3}};
  a = longer;
  CHECK(a.size() == 3);
  CHECK(a.parameters()[0] != before[0]);
  CHECK(a.parameters()[0] != longer.parameters()[0]);
  const nn::ModuleList moved = std::move(longer);
  CHECK(moved.size() == 3);
}

TEST_CASE("a Residual adds its input, or the projection of it") {
  for (const Dtype dtype : {float32, float64}) {
    nn::Residual plain{doubling()};
    nn::Residual wide{widening(), widening()};
    plain.to(dtype);
    wide.to(dtype);
    const Tensor x = tensor({{1, -2}}, {.dtype = dtype});
    CHECK(elements(plain(x)) == Numbers{3, -6});
    CHECK(plain(x).dtype() == dtype);
    CHECK(elements(wide(x)) == Numbers{2, -4, -2});
    CHECK(plain(zeros({0, 2}, {.dtype = dtype})).shape() == Shape{0, 2});
    CHECK(plain.projection() == nullptr);
    CHECK(wide.projection() != nullptr);
    CHECK(plain.body().type_name() == "Linear");
    CHECK(names_of(wide) == std::vector<std::string>{"body.weight", "projection.weight"});
    CHECK(names_of(plain) == std::vector<std::string>{"body.weight"});
    // x + 2 x, and so is its gradient.
    const Tensor leaf = x.detach().set_requires_grad();
    sum(plain(leaf)).backward();
    CHECK(elements(leaf.grad()) == Numbers{3, 3});
  }
}

TEST_CASE("a Residual keeps the rules of modules") {
  manual_seed(2);
  const auto make = [] {
    return nn::Residual{nn::Sequential{nn::Linear{3, 4}, nn::Tanh{}}, nn::Linear{3, 4}};
  };
  nn::Residual block = make(), other = make();
  check_module(block, other, randn({2, 3}));
  const auto before = block.parameters();
  block = other;
  CHECK(block.parameters() == before);
  CHECK(block.summary(zeros({1, 3})) ==
        "module      type        output  parameters\n"
        "(model)     Residual    [1, 4]           0\n"
        "body        Sequential  [1, 4]           0\n"
        "body.0      Linear      [1, 4]          16\n"
        "body.1      Tanh        [1, 4]           0\n"
        "projection  Linear      [1, 4]          16\n"
        "total: 32 parameters, 32 learning, 128 bytes\n");
}

TEST_CASE("a Residual says what cannot be added") {
  nn::Residual plain{widening()};
  CHECK(message_of<ShapeError>([&] {
          return plain(ones({4, 2}));
        }) ==
        "Residual: body gives [4, 3], input is [4, 2]; the two are added, so give a projection to the body's "
        "shape");
  // Not broadcast either.
  nn::Residual narrow{nn::Linear{2, 1}};
  CHECK(message_of<ShapeError>([&] {
          return narrow(ones({4, 2}));
        }).find("body gives [4, 1], input is [4, 2]") != std::string::npos);
  nn::Residual wrong{widening(), doubling()};
  CHECK(message_of<ShapeError>([&] {
          return wrong(ones({4, 2}));
        }) == "Residual: body gives [4, 3], projection gives [4, 2]; the two are added");
  struct ToDouble : nn::Module {
    Tensor forward(const Tensor& x) override { return x.to(float64); }
  };
  nn::Residual mixed{ToDouble{}};
  CHECK(message_of<DtypeError>([&] {
          return mixed(ones({4, 2}));
        }) == "Residual: body gives float64, input is float32; the two are added");
}
