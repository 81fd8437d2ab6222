#include "xtgrad/nn/module.h"

#include <doctest/doctest.h>

#include <optional>
#include <utility>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"

using namespace xtgrad;
using nn_test::Classifier;
using nn_test::elements;
using nn_test::Everything;

namespace {

std::vector<std::string> names_of(const nn::Module& model) {
  std::vector<std::string> names;
  for (const nn::NamedParameter& named : model.named_parameters()) names.push_back(named.name);
  return names;
}

/// Two layers with one weight, tied again by each walk.
struct Tied : nn::Module {
  nn::Linear encode{3, 3};
  nn::Linear decode{3, 3};
  void members(nn::Members& m) override {
    m.tie(decode.weight, encode.weight);
    m("encode", encode);
    m("decode", decode);
  }
  Tensor forward(const Tensor& x) override { return decode(tanh(encode(x))); }
};

}  // namespace

TEST_CASE("parameters come in the order of members, named by their path") {
  const Classifier model;
  CHECK(names_of(model) ==
        std::vector<std::string>{"hidden.weight", "hidden.bias", "head.weight", "head.bias"});
  CHECK(model.parameters().size() == 4);
  CHECK(model.parameters()[2] == model.head.weight.cell());
  CHECK(model.parameter_count() == 4 * 5 + 5 + 5 * 3 + 3);
}

TEST_CASE("a listed parameter carries its path into the graph, the path from further out wins") {
  Classifier model;
  CHECK(model.head.weight.name().empty());
  static_cast<void>(model.head.parameters());
  CHECK(model.head.weight.name() == "weight");
  static_cast<void>(model.parameters());
  CHECK(model.head.weight.name() == "head.weight");
  CHECK(model.head.weight.tensor().name() == "head.weight");
  static_cast<void>(model.head.parameters());
  CHECK(model.head.weight.name() == "head.weight");
  model.head.bias.cell()->set_name("mine");
  static_cast<void>(model.parameters());
  CHECK(model.head.bias.name() == "mine");
}

TEST_CASE("the model of the design learns: the loss falls under gradient descent written by hand") {
  manual_seed(1);
  Classifier model;
  model.eval();
  const Tensor x = randn({12, 4});
  const Tensor labels = tensor({0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, {.dtype = int64});
  const auto loss_of = [&] { return nn::cross_entropy(model(x), labels); };
  const double first = loss_of().item();
  for (int step = 0; step < 200; ++step) {
    model.zero_grad();
    loss_of().backward();
    for (const nn::ParameterRef& parameter : model.parameters()) {
      const NoGrad no_grad;
      parameter->set_value(parameter->tensor() - 0.5 * parameter->grad());
    }
  }
  CHECK(loss_of().item() < first / 4);
}

TEST_CASE("a copy is a clone: the same values, parameters of its own") {
  Classifier model;
  Classifier copy = model;
  const Tensor x = ones({2, 4});
  model.eval();
  copy.eval();
  CHECK(elements(copy(x)) == elements(model(x)));
  copy.head.bias.set_value(tensor({100, 100, 100}));
  CHECK(elements(copy(x)) != elements(model(x)));
  sum(copy(x)).backward();
  CHECK(copy.head.bias.grad().defined());
  CHECK_FALSE(model.head.bias.grad().defined());
}

TEST_CASE("assigning a model keeps the identity of its parameters, as restoring the best weights needs") {
  Classifier model;
  const std::vector<nn::ParameterRef> held = model.parameters();
  const Classifier best = model;
  for (const nn::ParameterRef& parameter : held) parameter->set_value(zeros(parameter->shape()));
  model = best;
  CHECK(model.parameters() == held);
  CHECK(elements(held[0]->tensor()) == elements(best.hidden.weight.cell()->tensor()));
}

TEST_CASE(
    "a model moved between forward and backward gets its gradients, and so do those who hold its slots") {
  std::optional<Classifier> model(std::in_place);
  const std::vector<nn::ParameterRef> first_optimizer = model->parameters();
  const std::vector<nn::ParameterRef> second_optimizer = model->head.parameters();
  const Tensor loss = sum(square((*model)(ones({2, 4}))));
  Classifier moved = std::move(*model);
  model.reset();
  loss.backward();
  CHECK(moved.parameters() == first_optimizer);
  for (const nn::ParameterRef& parameter : first_optimizer) CHECK(parameter->grad().defined());
  CHECK(second_optimizer[0] == first_optimizer[2]);
  second_optimizer[0]->set_value(zeros({3, 5}));
  CHECK(elements(moved.head.weight) == std::vector<double>(15, 0));
  // The moved model runs and records, although it was listed at its old place.
  CHECK_NOTHROW(sum(moved(ones({2, 4}))).backward());
}

TEST_CASE("modules in a growing vector keep their parameters") {
  std::vector<nn::Linear> layers;
  std::vector<nn::ParameterRef> held;
  for (int i = 0; i < 20; ++i) {
    layers.emplace_back(2, 2);
    held.push_back(layers.back().weight.cell());
  }
  for (std::size_t i = 0; i < layers.size(); ++i) CHECK(layers[i].weight.cell() == held[i]);
}

TEST_CASE("tied weights are one parameter, and stay tied in copies") {
  Tied model;
  CHECK(names_of(model) == std::vector<std::string>{"encode.weight", "encode.bias", "decode.bias"});
  CHECK(model.parameter_count() == 9 + 3 + 3);
  Tied copy = model;
  // A step records, and the first use of a parameter lists the copy, which ties it before the weight is read.
  const Tensor loss = sum(square(copy(ones({1, 3}))));
  CHECK(copy.encode.weight.cell() == copy.decode.weight.cell());
  CHECK(copy.encode.weight.cell() != model.encode.weight.cell());
  loss.backward();
  CHECK(copy.parameters().size() == 3);
  CHECK(copy.state_dict().contains("decode.weight"));
  CHECK(copy.state_dict().size() == 4);
}

TEST_CASE("the gradient of a tied weight is the sum over its uses") {
  Tied model;
  model.to(float64);
  nn::Linear encode = model.encode;
  nn::Linear decode = model.encode;
  decode.bias = model.decode.bias;
  const Tensor x = tensor({{0.5, -1, 2}}, {.dtype = float64});
  sum(model(x)).backward();
  sum(decode(tanh(encode(x)))).backward();
  const Tensor apart = encode.weight.grad() + decode.weight.grad();
  CHECK(elements(model.encode.weight.grad()) == elements(apart));
}

TEST_CASE("train and eval reach every part, streams and counters stay") {
  Everything model;
  CHECK(model.is_training());
  CHECK(model.linear.is_training());
  model.eval();
  CHECK_FALSE(model.is_training());
  CHECK_FALSE(model.linear.is_training());
  static_cast<void>(model(ones({1, 2})));
  CHECK(model.batches == 0);
  model.train();
  CHECK(model.linear.is_training());
  static_cast<void>(model(ones({1, 2})));
  CHECK(model.batches == 1);
}

TEST_CASE("to converts parameters and floating buffers, not others") {
  Everything model;
  model.mask = tensor({1, 0}, {.dtype = int64});
  sum(model(ones({1, 2}))).backward();
  model.to(float64);
  CHECK(model.linear.weight.dtype() == float64);
  CHECK(model.scale.dtype() == float64);
  CHECK(model.average.dtype() == float64);
  CHECK(model.mask.dtype() == int64);
  CHECK_FALSE(model.scale.grad().defined());
  CHECK(model(ones({1, 2}, {.dtype = float64})).dtype() == float64);
  CHECK_THROWS_WITH_AS(model.to(int64), "to: a model must be float32 or float64: got int64", DtypeError);
  CHECK(model.average.dtype() == float64);
}

TEST_CASE("modules are made in the default dtype") {
  const DefaultDtype in_double(float64);
  const Classifier model;
  for (const nn::ParameterRef& parameter : model.parameters()) CHECK(parameter->dtype() == float64);
}

TEST_CASE("zero_grad clears every gradient") {
  Classifier model;
  sum(model(ones({2, 4}))).backward();
  CHECK(model.head.weight.grad().defined());
  model.zero_grad();
  for (const nn::ParameterRef& parameter : model.parameters()) CHECK_FALSE(parameter->grad().defined());
}

TEST_CASE("named_buffers leaves empty ones out") {
  Everything model;
  CHECK(model.named_buffers().size() == 1);
  model.mask = ones({2});
  const std::vector<nn::NamedBuffer> buffers = model.named_buffers();
  REQUIRE(buffers.size() == 2);
  CHECK(buffers[0].name == "average");
  CHECK(buffers[1].name == "mask");
}

TEST_CASE("OnForward sees every module's output, inner ones first, for as long as it lives") {
  Classifier model;
  std::vector<std::string> seen;
  {
    const nn::OnForward look([&](nn::Module& module, const Tensor& input, const Tensor& output) {
      seen.push_back(module.type_name() + " " + to_string(input.shape()) + " " + to_string(output.shape()));
    });
    static_cast<void>(model(ones({2, 4})));
  }
  static_cast<void>(model(ones({2, 4})));
  CHECK(seen == std::vector<std::string>{"Linear [2, 4] [2, 5]", "Dropout [2, 5] [2, 5]",
                                         "Linear [2, 5] [2, 3]", "Classifier [2, 4] [2, 3]"});
}

TEST_CASE("members reports what is wrong with a list") {
  struct Twice : nn::Module {
    nn::Linear a{1, 1};
    nn::Linear b{1, 1};
    void members(nn::Members& m) override {
      m("a", a);
      m("a", b);
    }
    Tensor forward(const Tensor& x) override { return x; }
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(Twice().parameters()), "Twice: members lists the name \"a\" twice",
                       ValueError);

  struct Nameless : nn::Module {
    nn::Parameter p{ones({1})};
    void members(nn::Members& m) override { m("", p); }
    Tensor forward(const Tensor& x) override { return x; }
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(Nameless().parameters()),
                       "Nameless: members lists something without a name", ValueError);

  struct Itself : nn::Module {
    void members(nn::Members& m) override { m("me", *this); }
    Tensor forward(const Tensor& x) override { return x; }
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(Itself().parameters()),
                       "members: \"me\" is an object that holds itself: Itself", ValueError);

  struct TiedLate : nn::Module {
    nn::Linear a{2, 2};
    nn::Linear b{2, 2};
    void members(nn::Members& m) override {
      m("a", a);
      m("b", b);
      m.tie(b.weight, a.weight);
    }
    Tensor forward(const Tensor& x) override { return x; }
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(TiedLate().parameters()),
                       "TiedLate: tie: the parameter, [2, 2], was listed already; tie it before listing it",
                       ValueError);

  struct TiedToNothing : nn::Module {
    nn::Linear a{2, 2};
    nn::Parameter none;
    void members(nn::Members& m) override { m.tie(a.weight, none); }
    Tensor forward(const Tensor& x) override { return x; }
  };
  CHECK_THROWS_WITH_AS(
      static_cast<void>(TiedToNothing().parameters()),
      "TiedToNothing: tie: the original is no parameter; it was default-constructed or moved from",
      ValueError);
}

TEST_CASE("type names lose their namespaces, also in template arguments") {
  CHECK(nn::Linear(1, 1).type_name() == "Linear");
  CHECK(Tied().type_name() == "Tied");
  struct Local : nn::Module {
    Tensor forward(const Tensor& x) override { return x; }
  };
  CHECK(Local().type_name() == "Local");
}
