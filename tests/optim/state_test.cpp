// Saving and loading an optimizer's state.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

struct Net : nn::Module {
  nn::Linear hidden{3, 4};
  nn::Linear head{4, 2};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(tanh(hidden(x))); }
};

std::vector<std::string> names(const nn::StateDict& state) {
  std::vector<std::string> all;
  for (const auto& entry : state) all.push_back(entry.name);
  return all;
}

bool same(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    if (reshape(a, {a.numel()}).at({i}) != reshape(b, {b.numel()}).at({i})) return false;
  }
  return true;
}

bool same(const nn::StateDict& a, const nn::StateDict& b) {
  if (names(a) != names(b)) return false;
  for (const auto& entry : a) {
    if (!same(entry.value, b.at(entry.name))) return false;
  }
  return true;
}

void train(Net& model, optim::Optimizer& optimizer, int first, int last) {
  for (int t = first; t < last; ++t) {
    Random random(static_cast<std::uint64_t>(t));
    optimizer.set_lr(0.1 / (1 + t));
    const Tensor loss = mean(square(model(randn({5, 3}, random))));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
}

template <class Optimizer, class Options>
void check_continuation(const Options& options, Dtype dtype) {
  const DefaultDtype scope(dtype);
  manual_seed(3);
  Net model;
  Optimizer optimizer(model.parameters(), options);
  train(model, optimizer, 0, 4);
  const nn::StateDict saved_model = model.state_dict();
  const nn::StateDict saved = optimizer.state_dict();
  train(model, optimizer, 4, 9);

  Net other;
  Optimizer resumed(other.parameters(), options);
  other.load_state_dict(saved_model);
  resumed.load_state_dict(saved);
  CHECK(same(resumed.state_dict(), saved));
  CHECK(resumed.lr() == 0.1 / 4);
  train(other, resumed, 4, 9);
  CHECK(same(other.state_dict(), model.state_dict()));
  CHECK(same(resumed.state_dict(), optimizer.state_dict()));
  CHECK_FALSE(same(resumed.state_dict(), saved));  // which training on did not change
}

TEST_CASE("training continued from a saved state has the bits of training without interruption") {
  for (const Dtype dtype : {float32, float64}) {
    check_continuation<optim::SGD>(optim::SGDOptions{.lr = 1}, dtype);
    check_continuation<optim::SGD>(
        optim::SGDOptions{.lr = 1, .momentum = 0.9, .dampening = 0.1, .weight_decay = 0.1}, dtype);
    check_continuation<optim::Adam>(optim::AdamOptions{.amsgrad = true}, dtype);
    check_continuation<optim::AdamW>(optim::AdamWOptions{}, dtype);
  }
}

TEST_CASE("the names in a state") {
  Net model;
  optim::SGD sgd(model.head.parameters(), {.lr = 0.5, .momentum = 0.9});
  sgd.add_group(model.hidden.parameters(), {.lr = 0.25});
  CHECK(names(sgd.state_dict()) == std::vector<std::string>{"groups.0.lr",
                                                            "groups.0.momentum",
                                                            "groups.0.dampening",
                                                            "groups.0.weight_decay",
                                                            "groups.0.nesterov",
                                                            "groups.0.lr_in_velocity",
                                                            "groups.0.maximize",
                                                            "groups.1.lr",
                                                            "groups.1.momentum",
                                                            "groups.1.dampening",
                                                            "groups.1.weight_decay",
                                                            "groups.1.nesterov",
                                                            "groups.1.lr_in_velocity",
                                                            "groups.1.maximize",
                                                            "weight.step",
                                                            "weight.momentum",
                                                            "bias.step",
                                                            "bias.momentum",
                                                            "weight#2.step",
                                                            "bias#3.step"});
  CHECK(sgd.state_dict().at("groups.1.lr").item() == 0.25);
  CHECK(sgd.state_dict().at("groups.1.lr").dtype() == float64);
  CHECK(sgd.state_dict().at("bias.step").item_int64() == 0);

  const nn::Parameter unnamed(ones({2}));
  optim::Adam adam({model.parameters()[2], unnamed.cell()}, {.amsgrad = true});
  CHECK(names(adam.state_dict()) ==
        std::vector<std::string>{"groups.0.lr", "groups.0.beta1", "groups.0.beta2", "groups.0.eps",
                                 "groups.0.weight_decay", "groups.0.amsgrad", "groups.0.maximize",
                                 "head.weight.step", "head.weight.m", "head.weight.v", "head.weight.v_max",
                                 "#1.step", "#1.m", "#1.v", "#1.v_max"});
}

TEST_CASE("a name given later does not change the names in a state") {
  Net model;
  optim::SGD sgd(model.head.parameters(), {.lr = 0.5});
  const std::vector<std::string> before = names(sgd.state_dict());
  CHECK(model.parameters()[2]->name() == "head.weight");
  CHECK(names(sgd.state_dict()) == before);
}

TEST_CASE("a state that does not fit is refused, with everything that is wrong, and changes nothing") {
  Net model;
  optim::SGD sgd(model.parameters(), {.lr = 0.5, .momentum = 0.9});
  train(model, sgd, 0, 2);
  const nn::StateDict before = sgd.state_dict();
  nn::StateDict wrong = before;
  wrong.erase("head.weight.momentum");
  wrong.erase("groups.0.lr");
  wrong.add("head.weight.m", ones({2, 4}));
  wrong.set("hidden.bias.momentum", ones({5}));
  wrong.set("hidden.weight.momentum", ones({4, 3}, {.dtype = float64}));
  wrong.set("head.bias.step", tensor(99, {.dtype = int64}));
  CHECK_THROWS_WITH_AS(
      sgd.load_state_dict(wrong),
      "load_state_dict: the state does not fit this SGD, which was left as it is:\n"
      "  missing: groups.0.lr, head.weight.momentum\n"
      "  unexpected: head.weight.m\n"
      "  different: hidden.weight.momentum is float32 [4, 3], the state has float64 [4, 3]; "
      "hidden.bias.momentum is float32 [4], the state has float32 [5]\n"
      "  to keep what differs as it is, leave it out: state.erase(\"hidden.weight.momentum\"), and pass "
      "{.strict = false}",
      ValueError);
  CHECK(same(sgd.state_dict(), before));
  CHECK(sgd.state_dict().at("head.bias.step").item_int64() == 2);
}

TEST_CASE("a fresh optimizer checks shapes, too, and a state of other options is refused") {
  Net model;
  optim::Adam adam(model.parameters());
  train(model, adam, 0, 1);
  nn::StateDict wrong = adam.state_dict();
  wrong.set("head.bias.v", ones({7}));
  optim::Adam fresh(model.parameters());
  CHECK_THROWS_WITH_AS(
      fresh.load_state_dict(wrong),
      "load_state_dict: the state does not fit this Adam, which was left as it is:\n"
      "  different: head.bias.v is float32 [2], the state has float32 [7]\n"
      "  to keep what differs as it is, leave it out: state.erase(\"head.bias.v\"), and pass {.strict = "
      "false}",
      ValueError);
  optim::SGD sgd(model.head.parameters(), {.lr = 1});
  CHECK_THROWS_AS(sgd.load_state_dict(adam.state_dict()), ValueError);
}

TEST_CASE("a moment loaded for a frozen parameter must fit once the parameter learns") {
  const nn::Parameter w(ones({2}));
  w.cell()->set_requires_grad(false);
  optim::SGD sgd({w.cell()}, {.lr = 1, .momentum = 0.9});
  nn::StateDict state = sgd.state_dict();
  CHECK_FALSE(state.contains("#0.momentum"));
  state.add("#0.momentum", ones({3}));
  sgd.load_state_dict(state);
  w.cell()->set_requires_grad(true);
  w.cell()->set_grad(ones({2}));
  CHECK_THROWS_WITH_AS(
      sgd.step(),
      "SGD: parameter \"#0\" and its loaded \"momentum\" differ: the parameter is [2], the latter is "
      "[3]",
      ShapeError);
}

TEST_CASE("an optimizer is a part of whatever lists it") {
  struct Trainer : nn::Stateful {
    Net model;
    optim::SGD sgd{model.parameters(), {.lr = 0.5}};
    void members(nn::Members& m) override {
      m("model", model);
      m("sgd", sgd);
    }
  };
  Trainer trainer;
  trainer.sgd.set_lr(0.125);
  const nn::StateDict state = trainer.state_dict();
  CHECK(state.at("sgd.groups.0.lr").item() == 0.125);
  CHECK(state.contains("sgd.head.weight.step"));
  CHECK(state.contains("model.head.weight"));
  trainer.sgd.set_lr(1);
  trainer.load_state_dict(state);
  CHECK(trainer.sgd.lr() == 0.125);
}

}}  // namespace xtgrad
