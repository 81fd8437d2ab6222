#include <doctest/doctest.h>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using nn_test::Classifier;
using nn_test::elements;
using nn_test::Everything;

TEST_CASE("the summary lists path, type, output and parameters of each part, then totals") {
  Classifier model;
  CHECK(model.summary(ones({2, 4})) ==
        "module   type        output  parameters\n"
        "(model)  Classifier  [2, 3]           0\n"
        "hidden   Linear      [2, 5]          25\n"
        "drop     Dropout     [2, 5]           0\n"
        "head     Linear      [2, 3]          18\n"
        "total: 43 parameters, 43 learning, 172 bytes\n");
}

TEST_CASE("the summary tells repeated calls, own parameters, frozen ones and the dtype's bytes") {
  Everything model;
  model.to(float64);
  model.scale.set_requires_grad(false);
  CHECK(model.summary(ones({3, 2}, {.dtype = float64})) ==
        "module   type        output     parameters\n"
        "(model)  Everything  [3, 2]              2\n"
        "linear   Linear      [3, 2] x2           6\n"
        "total: 8 parameters, 6 learning, 64 bytes\n");
}

TEST_CASE("the summary shows parts that never ran, and parts of parts") {
  struct Idle : nn::Module {
    nn::MLP used{{.sizes = {2, 3, 1}}};
    nn::Linear unused{2, 2};
    void members(nn::Members& m) override {
      m("used", used);
      m("unused", unused);
    }
    Tensor forward(const Tensor& x) override { return used(x); }
  };
  CHECK(Idle().summary(ones({2})) ==
        "module         type    output  parameters\n"
        "(model)        Idle    [1]              0\n"
        "used           MLP     [1]              0\n"
        "used.layers.0  Linear  [3]              9\n"
        "used.layers.1  Linear  [1]              4\n"
        "unused         Linear  -                6\n"
        "total: 19 parameters, 19 learning, 76 bytes\n");
}

TEST_CASE("the summary counts a tied parameter once, where it comes first") {
  struct Tied : nn::Module {
    nn::Linear a{2, 2};
    nn::Linear b{2, 2};
    void members(nn::Members& m) override {
      m.tie(b.weight, a.weight);
      m("a", a);
      m("b", b);
    }
    Tensor forward(const Tensor& x) override { return b(a(x)); }
  };
  CHECK(Tied().summary(ones({1, 2})) ==
        "module   type    output  parameters\n"
        "(model)  Tied    [1, 2]           0\n"
        "a        Linear  [1, 2]           6\n"
        "b        Linear  [1, 2]           2\n"
        "total: 8 parameters, 8 learning, 32 bytes\n");
}

TEST_CASE("the summary leaves buffers, streams and counters as they were, even if the forward throws") {
  Everything model;
  const auto state_of = [&] {
    std::vector<std::vector<double>> values;
    for (const auto& entry : model.state_dict()) values.push_back(elements(entry.value));
    return values;
  };
  const auto before = state_of();
  static_cast<void>(model.summary(ones({3, 2})));
  CHECK(state_of() == before);
  CHECK_THROWS_AS(static_cast<void>(model.summary(ones({3, 5}))), ShapeError);
  CHECK(state_of() == before);
}
