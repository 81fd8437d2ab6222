// A model whose members forgets something must not train in silence.

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/nn/models.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"

using namespace xtgrad;

namespace {

struct ForgotParameter : nn::Module {
  nn::Linear layer{2, 2};
  nn::Parameter scale{ones({2})};
  void members(nn::Members& m) override { m("layer", layer); }
  Tensor forward(const Tensor& x) override { return layer(x) * scale; }
};

struct ForgotChild : nn::Module {
  nn::Linear first{2, 3};
  nn::Linear second{3, 2};
  void members(nn::Members& m) override { m("first", first); }
  Tensor forward(const Tensor& x) override { return second(first(x)); }
};

struct Outer : nn::Module {
  ForgotParameter inner;
  void members(nn::Members& m) override { m("inner", inner); }
  Tensor forward(const Tensor& x) override { return inner(x); }
};

/// Uses a model that belongs to somebody else.
struct Borrower : nn::Module {
  explicit Borrower(nn::Module& module) : borrowed(&module) {}
  nn::Linear own{2, 2};
  nn::Module* borrowed;
  void members(nn::Members& m) override { m("own", own); }
  Tensor forward(const Tensor& x) override { return own((*borrowed)(x)); }
};

}  // namespace

TEST_CASE("a forgotten parameter is an error that names model, shape and remedy") {
  ForgotParameter model;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(ones({1, 2}))),
      "ForgotParameter: ForgotParameter::forward uses a parameter of shape [2] that members does not "
      "list, so no optimizer would train it; list it in ForgotParameter::members, or freeze it with "
      "set_requires_grad(false)",
      GraphError);
}

TEST_CASE("a forgotten child is an error that names the child's type") {
  ForgotChild model;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(ones({1, 2}))),
      "ForgotChild: Linear::forward uses a parameter of shape [2, 3] that members does not list, so no "
      "optimizer would train it; list this Linear in the members of the module that holds it, or "
      "freeze it with set_requires_grad(false)",
      GraphError);
}

TEST_CASE("a parameter forgotten by a part is found from the model") {
  Outer model;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(ones({1, 2}))),
      "Outer: ForgotParameter::forward uses a parameter of shape [2] that members does not list, so no "
      "optimizer would train it; list it in ForgotParameter::members, or freeze it with "
      "set_requires_grad(false)",
      GraphError);
}

TEST_CASE("the error comes every time, and leaves no trace in later calls") {
  ForgotParameter model;
  CHECK_THROWS_AS(static_cast<void>(model(ones({1, 2}))), GraphError);
  CHECK_THROWS_AS(static_cast<void>(model(ones({1, 2}))), GraphError);
  // Outside of any module a parameter may be used freely.
  CHECK_NOTHROW(sum(square(model.scale)).backward());
  nn::Linear other{2, 2};
  CHECK_NOTHROW(sum(other(ones({1, 2}))).backward());
}

TEST_CASE("without recording, or frozen, a forgotten member does no harm") {
  ForgotParameter model;
  {
    const NoGrad no_grad;
    CHECK_NOTHROW(static_cast<void>(model(ones({1, 2}))));
  }
  model.scale.set_requires_grad(false);
  CHECK_NOTHROW(static_cast<void>(model(ones({1, 2}))));
}

TEST_CASE("a borrowed model must be listed, frozen, or run without recording") {
  nn::Linear teacher{2, 2};
  Borrower model(teacher);
  CHECK_THROWS_AS(static_cast<void>(model(ones({1, 2}))), GraphError);
  for (const nn::ParameterRef& parameter : teacher.parameters()) parameter->set_requires_grad(false);
  CHECK_NOTHROW(static_cast<void>(model(ones({1, 2}))));
}

TEST_CASE("a parameter added after the first forward is found, too") {
  struct Growing : nn::Module {
    std::vector<nn::Linear> layers;
    std::size_t listed = 0;
    void members(nn::Members& m) override {
      for (std::size_t i = 0; i < listed; ++i) m("layers." + std::to_string(i), layers[i]);
    }
    Tensor forward(const Tensor& x) override {
      Tensor y = x;
      for (nn::Linear& layer : layers) y = layer(y);
      return y;
    }
  };
  Growing model;
  model.layers.emplace_back(2, 2);
  model.listed = 1;
  CHECK_NOTHROW(static_cast<void>(model(ones({1, 2}))));
  model.layers.emplace_back(2, 2);
  CHECK_THROWS_AS(static_cast<void>(model(ones({1, 2}))), GraphError);
  model.listed = 2;
  CHECK_NOTHROW(static_cast<void>(model(ones({1, 2}))));
}

TEST_CASE("one part used by two models in turn is accepted by both") {
  nn::Linear shared{2, 2};
  struct User : nn::Module {
    explicit User(const nn::Linear& part) : weight(part.weight.share()) {}
    nn::Parameter weight;
    void members(nn::Members& m) override { m("weight", weight); }
    Tensor forward(const Tensor& x) override { return matmul(x, weight); }
  };
  User first(shared);
  User second(shared);
  for (int i = 0; i < 3; ++i) {
    CHECK_NOTHROW(static_cast<void>(first(ones({1, 2}))));
    CHECK_NOTHROW(static_cast<void>(second(ones({1, 2}))));
  }
}

TEST_CASE("a layer called on its own is its own model") {
  ForgotChild model;
  CHECK_NOTHROW(sum(model.second(model.first(ones({1, 2})))).backward());
  CHECK(model.second.weight.grad().defined());
}

namespace {

/// Lists a parameter, or not, that somebody else holds; counts how often it is asked.
struct Holder : nn::Module {
  Holder(nn::Parameter& parameter, bool lists) : held(&parameter), listing(lists) {}
  nn::Parameter* held;
  bool listing;
  int asked = 0;
  void members(nn::Members& m) override {
    ++asked;
    if (listing) m("held", *held);
  }
  Tensor forward(const Tensor& x) override { return x * *held; }
};

}  // namespace

TEST_CASE("a buffer that wants a gradient is no parameter") {
  struct PlainLeaf : nn::Module {
    nn::Linear in{2, 2};
    Tensor w = ones({2}, {.requires_grad = true});
    void members(nn::Members& m) override {
      m("in", in);
      m("w", w);
    }
    Tensor forward(const Tensor& x) override { return in(x)*w; }
  };
  PlainLeaf model;
  const char* message =
      "PlainLeaf: members lists the buffer \"w\", [2], which wants a gradient, but no optimizer is given "
      "buffers; make it a Parameter, or detach() it";
  CHECK_THROWS_WITH_AS(static_cast<void>(model.parameters()), message, GraphError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.state_dict()), message, GraphError);
  // One with a history is none of it, nor is one that wants nothing, or none.
  model.w = exp(model.w);
  CHECK_NOTHROW(static_cast<void>(model.parameters()));
  model.w = ones({2});
  CHECK_NOTHROW(static_cast<void>(model.parameters()));
  model.w = Tensor();
  CHECK_NOTHROW(static_cast<void>(model.parameters()));
}

TEST_CASE("a model is not taken for another that was at its address") {
  nn::Parameter parameter(ones({2}));
  std::optional<Holder> model(std::in_place, parameter, true);
  CHECK_NOTHROW(static_cast<void>((*model)(ones({2}))));
  model.emplace(parameter, false);
  CHECK_THROWS_AS(static_cast<void>((*model)(ones({2}))), GraphError);
  // Nor is one that takes a copy's or a moved model's place.
  Holder lists(parameter, true);
  CHECK_NOTHROW(static_cast<void>(lists(ones({2}))));
  Holder copy = lists;
  copy.listing = false;
  CHECK_THROWS_AS(static_cast<void>(copy(ones({2}))), GraphError);
  const Holder moved = std::move(lists);
  lists.listing = false;  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  CHECK_THROWS_AS(static_cast<void>(lists(ones({2}))), GraphError);
}

TEST_CASE("a moved model need not be listed again") {
  nn::Parameter parameter(ones({2}));
  Holder model(parameter, true);
  static_cast<void>(model(ones({2})));
  CHECK(model.asked == 1);
  Holder moved = std::move(model);
  static_cast<void>(moved(ones({2})));
  CHECK(moved.asked == 1);
}

TEST_CASE("a model and its part that run in turn are listed once each") {
  nn::Parameter parameter(ones({2}));
  struct Outer : nn::Module {
    explicit Outer(nn::Parameter& parameter) : part(parameter, true) {}
    Holder part;
    int asked = 0;
    void members(nn::Members& m) override {
      ++asked;
      m("part", part);
    }
    Tensor forward(const Tensor& x) override { return part(x); }
  };
  Outer model(parameter);
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(model(ones({2})));
    static_cast<void>(model.part(ones({2})));
  }
  CHECK(model.asked == 1);
  CHECK(model.part.asked == 2);
}

TEST_CASE("more models than are remembered may share a parameter") {
  nn::Parameter parameter(ones({2}));
  std::vector<Holder> models(10, Holder(parameter, true));
  models.emplace_back(parameter, false);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 10; ++i) CHECK_NOTHROW(static_cast<void>(models[i](ones({2}))));
    CHECK_THROWS_AS(static_cast<void>(models[10](ones({2}))), GraphError);
  }
}

TEST_CASE("threads that run different models over one parameter are all right") {
  nn::Parameter parameter(ones({2}));
  std::atomic<int> errors{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        Holder model(parameter, true);
        try {
          static_cast<void>(model(ones({2})));
        } catch (const Error&) {
          ++errors;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == 0);
}
