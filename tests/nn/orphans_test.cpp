// Parameters that get a gradient and that nobody looks after are found when an optimizer makes its step, even
// if no module's call operator was involved.

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/lbfgs.h"
#include "xtgrad/optim/levenberg_marquardt.h"
#include "xtgrad/optim/newton.h"
#include "xtgrad/optim/nonlinear_cg.h"
#include "xtgrad/optim/sgd.h"

using namespace xtgrad;
using nn_test::elements;

namespace {

/// A step beside forward uses what members has forgotten.
struct ForgotParameter : nn::Module {
  nn::Linear in{2, 2};
  nn::Parameter scale{ones({2})};
  void members(nn::Members& m) override { m("in", in); }
  Tensor forward(const Tensor& x) override { return in(x); }
  Tensor step(const Tensor& x, const Tensor& h) { return tanh(in(x) + h * scale); }
};

template <class Part>
struct ForgotPart : nn::Module {
  explicit ForgotPart(Part part) : back(std::move(part)) {}
  nn::Linear in{2, 2};
  Part back;
  void members(nn::Members& m) override { m("in", in); }
  Tensor forward(const Tensor& x) override { return in(x); }
  Tensor step(const Tensor& x, const Tensor& h) { return tanh(in(x) + back(h)); }
};

const std::string remedy =
    "but no optimizer holds it and no model that was asked for its parameters lists it, so nothing would "
    "train "
    "it; list it in the members of its model, give it to an optimizer, or freeze it with "
    "set_requires_grad(false)";

Tensor row() { return tensor({{1, 2}}); }

}  // namespace

TEST_CASE("a parameter used by a step beside forward, and forgotten by members, is found") {
  ForgotParameter model;
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const std::vector<double> before = elements(model.in.weight);
  sum(model.step(row(), row())).backward();
  const std::string message =
      "SGD: step: a parameter of shape [2] got a gradient from the same loss as a parameter of shape [2, 2] "
      "(\"in.weight\"), " +
      remedy;
  CHECK_THROWS_WITH_AS(sgd.step(), message.c_str(), GraphError);
  // Each time, until it is mended, and nothing has changed meanwhile.
  CHECK_THROWS_AS(sgd.step(), GraphError);
  CHECK(elements(model.in.weight) == before);
  optim::SGD mended({model.scale.cell()}, {.lr = 0.1});
  CHECK_NOTHROW(sgd.step());
  CHECK(elements(model.in.weight) != before);
}

TEST_CASE("the same in float64, for a parameter of no dimensions and for an empty one") {
  for (const Shape& shape : {Shape{}, Shape{0, 2}}) {
    nn::Parameter known(ones({2}, {.dtype = float64}));
    nn::Parameter forgotten(ones(shape, {.dtype = float64}));
    optim::Adam adam({known.cell()});
    (sum(known.tensor()) + sum(forgotten.tensor())).backward();
    CHECK_THROWS_AS(adam.step(), GraphError);
  }
}

TEST_CASE("a forgotten layer is found, although it is its own model when a step calls it") {
  ForgotPart model{nn::Linear{2, 2}};
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  sum(model.step(row(), row())).backward();
  CHECK_THROWS_AS(sgd.step(), GraphError);

  ForgotPart deeper{nn::MLP{{.sizes = {2, 3, 2}}}};
  optim::SGD other(deeper.parameters(), {.lr = 0.1});
  sum(deeper.step(row(), row())).backward();
  CHECK_THROWS_AS(other.step(), GraphError);
}

TEST_CASE("an orphan is found among several losses that add up") {
  for (const Dtype dtype : {float32, float64}) {
    ForgotParameter model;
    model.in.to(dtype);
    model.scale.to(dtype);
    const Tensor x = row().to(dtype);
    optim::SGD sgd(model.parameters(), {.lr = 0.1});
    const std::vector<double> before = elements(model.in.weight);
    const auto penalty = [&] {
      return 0.01 * sum(square(model.in.weight)) + 0.01 * sum(square(model.in.bias));
    };
    SUBCASE("followed by another loss") {
      sum(model.step(x, x)).backward();
      penalty().backward();
    }
    SUBCASE("and alone afterwards") {
      sum(model.step(x, x)).backward();
      sum(square(model.scale)).backward();
    }
    SUBCASE("of many pieces") {
      for (int i = 0; i < 40; ++i) {
        sum(model.step(x, x)).backward();
        penalty().backward();
      }
      sum(model.step(x, x)).backward();
    }
    SUBCASE("after clipping") {
      sum(model.step(x, x)).backward();
      penalty().backward();
      static_cast<void>(optim::clip_grad_norm(model.parameters(), 1));
    }
    CHECK_THROWS_AS(sgd.step(), GraphError);
    CHECK(elements(model.in.weight) == before);
  }
}

TEST_CASE("without an optimizer, a model that clears its gradients finds what it has forgotten") {
  ForgotParameter model;
  const auto iterate = [&] {
    model.zero_grad();
    sum(model.step(row(), row())).backward();
    for (const nn::ParameterRef& parameter : model.parameters()) {
      parameter->set_value(parameter->tensor() - 0.1 * parameter->grad());
    }
  };
  iterate();
  iterate();
  const std::string message =
      "ForgotParameter: zero_grad: a parameter of shape [2] got a gradient from the same loss as a parameter "
      "of shape [2, 2] (\"in.weight\"), " +
      remedy;
  CHECK_THROWS_WITH_AS(model.zero_grad(), message.c_str(), GraphError);
  CHECK(model.in.weight.grad().defined());  // nothing is cleared
  static_cast<void>(model.scale.grad());
  CHECK_NOTHROW(iterate());
}

TEST_CASE("models that are trained by hand beside each other clear their gradients in peace") {
  nn::Linear body{2, 2}, head{2, 1};
  const auto update = [](nn::Linear& layer) {
    for (const nn::ParameterRef& parameter : layer.parameters()) {
      parameter->set_value(parameter->tensor() - 0.1 * parameter->grad());
    }
  };
  sum(head(body(row()))).backward();
  for (int i = 0; i < 4; ++i) {
    CHECK_NOTHROW(body.zero_grad());
    CHECK_NOTHROW(head.zero_grad());
    sum(head(body(row()))).backward();
    update(body);
    update(head);
  }
  // Nor is one that is asked twice in a row taken for one that found it twice.
  nn::Linear first{2, 2}, second{2, 1};
  sum(second(first(row()))).backward();
  CHECK_NOTHROW(first.zero_grad());
  CHECK_NOTHROW(first.zero_grad());
}

TEST_CASE("a forward that is called by its name is no way around") {
  struct Direct : nn::Module {
    nn::Linear in{2, 2};
    nn::Parameter scale{ones({2})};
    void members(nn::Members& m) override { m("in", in); }
    Tensor forward(const Tensor& x) override { return in(x)*scale; }
  };
  Direct model;
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  sum(model.forward(row())).backward();
  CHECK_THROWS_AS(sgd.step(), GraphError);
}

TEST_CASE("a parameter that was converted or got a new value is still found") {
  ForgotParameter model;
  model.in.to(float64);
  model.scale.to(float64);
  model.scale.set_value(ones({2}, {.dtype = float64}) * 3);
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const Tensor x = row().to(float64);
  sum(model.step(x, x)).backward();
  CHECK_THROWS_AS(sgd.step(), GraphError);
}

TEST_CASE("listed, held, frozen, or without a gradient of this loss, a parameter is no orphan") {
  ForgotParameter model;
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  SUBCASE("held by another optimizer") {
    optim::SGD second({model.scale.cell()}, {.lr = 0.1});
    sum(model.step(row(), row())).backward();
    CHECK_NOTHROW(sgd.step());
    CHECK_NOTHROW(second.step());
  }
  SUBCASE("frozen") {
    model.scale.set_requires_grad(false);
    sum(model.step(row(), row())).backward();
    CHECK_NOTHROW(sgd.step());
  }
  SUBCASE("frozen after it got one") {
    sum(model.step(row(), row())).backward();
    model.scale.set_requires_grad(false);
    CHECK_NOTHROW(sgd.step());
  }
  SUBCASE("used without recording") {
    const Tensor h = row() * model.scale.tensor().detach();
    sum(model.in(row()) + h).backward();
    CHECK_NOTHROW(sgd.step());
  }
  SUBCASE("of another loss") {
    sum(model.in(row())).backward();
    sum(row() * model.scale).backward();
    CHECK_NOTHROW(sgd.step());
  }
  SUBCASE("cleared since") {
    sum(model.step(row(), row())).backward();
    sgd.zero_grad();
    sum(model.in(row())).backward();
    CHECK_NOTHROW(sgd.step());
  }
  SUBCASE("of other losses, before and after this one") {
    sum(row() * model.scale).backward();
    sum(model.in(row())).backward();
    sum(row() * model.scale).backward();
    CHECK_NOTHROW(sgd.step());
  }
  SUBCASE("by grad, which adds to no gradient") {
    const std::vector<Tensor> inputs{model.in.weight.cell()->tensor(), model.scale.cell()->tensor()};
    const std::vector<Tensor> outputs{sum(model.step(row(), row()))};
    const std::vector<Tensor> gradients = grad(outputs, inputs);
    model.in.weight.set_grad(gradients[0]);
    CHECK_NOTHROW(sgd.step());
  }
}

TEST_CASE("a free parameter that is trained by hand is nobody's orphan") {
  nn::Parameter w(tensor({1, 2}));
  for (int i = 0; i < 3; ++i) {
    sum(square(w)).backward();
    w.set_value(w.tensor() - 0.1 * w.grad());
    w.zero_grad();
  }
  CHECK(elements(w)[0] < 1);

  // Beside an optimizer, too: whoever reads a gradient looks after its parameter.
  nn::Linear layer{2, 2};
  nn::Parameter temperature(ones({1}));
  optim::SGD sgd(layer.parameters(), {.lr = 0.1});
  for (int i = 0; i < 2; ++i) {
    sgd.zero_grad();
    temperature.zero_grad();
    sum(square(layer(row()) * temperature)).backward();
    CHECK_NOTHROW(sgd.step());
    temperature.set_value(temperature.tensor() - 0.1 * temperature.grad());
  }
}

TEST_CASE("the head of a model may be trained alone, when the model itself runs") {
  nn::Sequential model{nn::Linear{2, 2}, nn::Tanh{}, nn::Linear{2, 1}};
  optim::SGD sgd(dynamic_cast<nn::Linear&>(model[2]).parameters(), {.lr = 0.1});
  for (int i = 0; i < 2; ++i) {
    sum(model(row())).backward();
    CHECK_NOTHROW(sgd.step());
  }
}

TEST_CASE("layers that no model holds must be given to an optimizer, loaded, or frozen") {
  nn::Linear body{2, 2};
  nn::Linear head{2, 1};
  optim::SGD sgd(head.parameters(), {.lr = 0.1});
  sum(head(body(row()))).backward();
  CHECK_THROWS_AS(sgd.step(), GraphError);
  SUBCASE("asked for its state") { static_cast<void>(body.state_dict()); }
  SUBCASE("loaded") { body.load_state_dict(nn::Linear{2, 2}.state_dict()); }
  SUBCASE("asked for its parameters") { static_cast<void>(body.parameter_count()); }
  SUBCASE("read") {
    CHECK(body.weight.grad().defined());
    CHECK(body.bias.grad().defined());
  }
  SUBCASE("frozen") {
    body.weight.set_requires_grad(false);
    body.bias.set_requires_grad(false);
  }
  CHECK_NOTHROW(sgd.step());
}

TEST_CASE("two models with an optimizer each, whose losses reach both, disturb nobody") {
  nn::Linear generator{2, 2};
  nn::Linear critic{2, 1};
  optim::Adam of_generator(generator.parameters());
  optim::Adam of_critic(critic.parameters());
  sum(critic(generator(row()))).backward();
  CHECK_NOTHROW(of_critic.step());
  CHECK_NOTHROW(of_generator.step());
}

TEST_CASE("what another thread does with its parameters is its own business") {
  nn::Linear model{2, 2};
  optim::SGD sgd(model.parameters(), {.lr = 0.01});
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      nn::Parameter w(tensor({1, 2}));
      w.set_value(tensor({3, 4}));
      w.to(float64);
      sum(square(w)).backward();
      nn::Parameter moved = std::move(w);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    sgd.zero_grad();
    sum(model(row())).backward();
    sgd.step();
  }
  stop = true;
  other.join();
  CHECK(elements(model.bias).size() == 2);
}

namespace {

/// A model whose step beside forward uses what members has forgotten, and what steps without a `backward`.
struct Steps {
  ForgotParameter model;
  Tensor x;

  explicit Steps(Dtype dtype) : x(row().to(dtype)) {
    model.in.to(dtype);
    model.scale.to(dtype);
  }
  Tensor output() { return model.step(x, x); }
  Tensor loss() { return sum(square(output())); }

  void lbfgs() {
    optim::LBFGS(model.parameters()).step([&] { return loss(); });
  }
  void newton() {
    optim::newton_step(model.parameters(), [&] { return loss(); }, {.damping = 1});
  }
  void gauss_newton() {
    optim::gauss_newton_step(model.parameters(), [&] { return output(); }, {.damping = 1});
  }
  void levenberg_marquardt() {
    optim::levenberg_marquardt(model.parameters(), [&] { return output(); }, {.max_iterations = 20});
  }
  void nonlinear_cg() {
    optim::nonlinear_cg(model.parameters(), [&] { return loss(); }, {.max_iterations = 1});
  }
};

struct NamedStep {
  const char* function;
  void (Steps::*run)();
};
const NamedStep named_steps[] = {{"LBFGS: step", &Steps::lbfgs},
                                 {"newton_step", &Steps::newton},
                                 {"gauss_newton_step", &Steps::gauss_newton},
                                 {"levenberg_marquardt", &Steps::levenberg_marquardt},
                                 {"nonlinear_cg", &Steps::nonlinear_cg}};

}  // namespace

TEST_CASE("steps that compute gradients of their own find what members has forgotten") {
  for (const auto& [function, run] : named_steps) {
    for (const Dtype dtype : {float32, float64}) {
      const auto& shown_function = function;
      CAPTURE(shown_function);
      CAPTURE(to_string(dtype));
      Steps steps(dtype);
      const std::vector<double> before = elements(steps.model.in.weight);
      const std::string message = std::string(function) +
                                  ": a parameter of shape [2] is reached by the same loss as a parameter of "
                                  "shape [2, 2] (\"in.weight\"), " +
                                  remedy;
      CHECK_THROWS_WITH_AS((steps.*run)(), message.c_str(), GraphError);
      CHECK_THROWS_AS((steps.*run)(), GraphError);
      CHECK(elements(steps.model.in.weight) == before);
      optim::SGD mended({steps.model.scale.cell()}, {.lr = 0.1});
      CHECK_NOTHROW((steps.*run)());
      CHECK(elements(steps.model.in.weight) != before);
    }
  }
}

TEST_CASE("steps that compute gradients of their own let those be that are looked after") {
  for (const auto& [function, run] : named_steps) {
    const auto& shown_function = function;
    CAPTURE(shown_function);
    Steps steps(float64);
    nn::Parameter stranger(ones({2}));
    SUBCASE("frozen") { steps.model.scale.set_requires_grad(false); }
    SUBCASE("read") { static_cast<void>(steps.model.scale.grad()); }
    SUBCASE("listed together by a model that has run") {
      struct Whole : nn::Module {
        ForgotParameter* part = nullptr;
        nn::Parameter scale;
        void members(nn::Members& m) override {
          m("in", part->in);
          m("scale", scale);
        }
        Tensor forward(const Tensor& x) override { return part->step(x, x); }
      };
      Whole whole;
      whole.part = &steps.model;
      whole.scale = steps.model.scale.share();
      static_cast<void>(whole(steps.x));
    }
    CHECK_NOTHROW((steps.*run)());
    CHECK(stranger.defined());
  }
}

TEST_CASE("parameters that are given to a step of Newton by their cells are looked after by it") {
  for (const Dtype dtype : {float32, float64}) {
    nn::Parameter w(tensor({3}).to(dtype)), frozen(tensor({1}).to(dtype));
    const std::vector<nn::ParameterRef> cells{w.cell(), frozen.cell()};
    const auto residuals = [&] { return w - frozen; };
    frozen.set_requires_grad(false);
    CHECK_NOTHROW(optim::gauss_newton_step(cells, residuals));
    CHECK(elements(w)[0] == doctest::Approx(1));
    CHECK_NOTHROW(optim::newton_step(cells, [&] { return sum(square(residuals())); }));
  }
}

TEST_CASE(
    "a step that computes gradients of its own finds an orphan behind many layers and many parameters") {
  ForgotParameter model;
  optim::LBFGS lbfgs(model.parameters());
  std::vector<nn::Parameter> others;
  for (int i = 0; i < 100; ++i) others.emplace_back(ones({}));
  static_cast<void>(optim::SGD(
      [&] {
        std::vector<nn::ParameterRef> cells;
        for (const nn::Parameter& other : others) cells.push_back(other.cell());
        return cells;
      }(),
      {.lr = 0.1}));
  const auto loss = [&] {
    Tensor h = row();
    for (const nn::Parameter& other : others) h = model.step(row(), h * other);
    return sum(h);
  };
  CHECK_THROWS_AS(lbfgs.step(loss), GraphError);
}
