// What all optimizers share: groups, parameters without gradient, moved models, other dtypes.

#include "xtgrad/optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Net : nn::Module {
  nn::Linear hidden{3, 4};
  nn::Linear head{4, 2};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(tanh(hidden(x))); }
};

std::vector<double> numbers(const Tensor& x) {
  const Tensor wide = x.detach().to(float64);
  const std::span<const double> data = wide.data<double>();
  return {data.begin(), data.end()};
}

/// Sets the gradient to the value itself, so that it differs from step to step.
void grow_gradient(const nn::Parameter& parameter) {
  parameter.cell()->set_grad(parameter.cell()->tensor().detach());
}

TEST_CASE("training lowers the loss, in both dtypes") {
  for (const Dtype dtype : {float32, float64}) {
    const DefaultDtype scope(dtype);
    manual_seed(0);
    Random random(2);
    const Tensor x = randn({16, 3}, random);
    const Tensor y = randn({16, 2}, random);
    const auto train = [&](auto make) {
      manual_seed(1);
      Net model;
      auto optimizer = make(model.parameters());
      const double before = nn::mse_loss(model(x), y).item();
      for (int i = 0; i < 200; ++i) {
        const Tensor loss = nn::mse_loss(model(x), y);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
      }
      CHECK(nn::mse_loss(model(x), y).item() < 0.5 * before);
      CHECK(model.hidden.weight.dtype() == dtype);
    };
    train([](auto p) { return optim::SGD(p, {.lr = 0.1, .momentum = 0.9}); });
    train([](auto p) { return optim::Adam(p, {.lr = 0.02}); });
    train([](auto p) { return optim::AdamW(p, {.lr = 0.02}); });
  }
}

TEST_CASE("the examples in optim/optimizer.h, optim/adam.h and optim/hyper.h") {
  Net model;
  const Tensor x = ones({4, 3});
  const Tensor y = zeros({4, 2});
  const double before = nn::mse_loss(model(x), y).item();
  {
    optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    for (int epoch = 0; epoch < 20; ++epoch) {
      Tensor loss = nn::mse_loss(model(x), y);
      sgd.zero_grad();
      loss.backward();
      sgd.step();
    }
  }
  CHECK(nn::mse_loss(model(x), y).item() < before);
  {
    optim::Adam adam(model.hidden.parameters(), {.lr = 3e-4});
    adam.add_group(model.head.parameters(), {.lr = 3e-3, .weight_decay = 0.01});
    CHECK(adam.lr(0) == 3e-4);
    CHECK(adam.options(1).weight_decay.value() == 0.01);
  }
  {
    optim::SGDOptions fixed{.lr = 0.1};
    Tensor lr = tensor(0.1, {.requires_grad = true});
    optim::SGDOptions learnt{.lr = lr};
    CHECK_FALSE(fixed.lr.is_tensor());
    CHECK(learnt.lr.requires_grad());
    CHECK(learnt.lr.value() == doctest::Approx(0.1));
  }
}

TEST_CASE("groups have options of their own") {
  const nn::Parameter a(tensor({1.0, 1.0}));
  const nn::Parameter b(tensor({1.0, 1.0}));
  const nn::Parameter c(tensor({1.0, 1.0}));
  optim::SGD sgd({a.cell()}, {.lr = 0.5});
  sgd.add_group({b.cell()}, {.lr = 0.25});
  sgd.add_group({c.cell()}, {.lr = 0.25, .weight_decay = 1});
  CHECK(sgd.group_count() == 3);
  CHECK(sgd.lr() == 0.5);
  CHECK(sgd.lr(1) == 0.25);
  CHECK(sgd.parameters() == std::vector{a.cell(), b.cell(), c.cell()});
  CHECK(sgd.parameters(1) == std::vector{b.cell()});
  for (const nn::Parameter* parameter : {&a, &b, &c}) parameter->cell()->set_grad(ones({2}));
  sgd.step();
  CHECK(numbers(a.tensor()) == std::vector{0.5, 0.5});
  CHECK(numbers(b.tensor()) == std::vector{0.75, 0.75});
  CHECK(numbers(c.tensor()) == std::vector{0.5, 0.5});

  sgd.set_lr(1, 1);
  CHECK(sgd.lr(0) == 0.5);
  CHECK(sgd.lr(1) == 1);
  CHECK(sgd.options(1).lr.value() == 1);
  sgd.set_lr(0);
  CHECK(sgd.lr(0) == 0);
  CHECK(sgd.lr(2) == 0);
  sgd.set_options({.lr = 2, .maximize = true}, 0);
  CHECK(sgd.lr(0) == 2);
  CHECK(sgd.options(0).maximize);
  sgd.step();
  CHECK(numbers(a.tensor()) == std::vector{2.5, 2.5});
  CHECK(numbers(b.tensor()) == std::vector{0.75, 0.75});

  sgd.zero_grad();
  CHECK_FALSE(a.grad().defined());
  CHECK_FALSE(c.grad().defined());
}

TEST_CASE("options can be replaced in mid-training, with moments that were not needed before") {
  const nn::Parameter w(tensor({1, 2}, {.dtype = float64}));
  optim::Adam adam({w.cell()}, {.lr = 0.1});
  grow_gradient(w);
  adam.step();
  adam.set_options({.lr = 0.1, .amsgrad = true});
  adam.step();
  CHECK(adam.state_dict().contains("#0.v_max"));
  CHECK(adam.options().amsgrad);
  optim::AdamW adamw({w.cell()}, {.lr = 0.1});
  adamw.set_options({.lr = 0.2, .weight_decay = 0});
  CHECK(adamw.options().lr.value() == 0.2);
  CHECK(adamw.options().weight_decay.value() == 0);
}

TEST_CASE("no gradient is not a zero gradient") {
  const nn::Parameter moving(tensor({1.0, 2.0}));
  const nn::Parameter resting(tensor({1.0, 2.0}));
  optim::SGD sgd({moving.cell(), resting.cell()}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  for (const nn::Parameter* parameter : {&moving, &resting}) parameter->cell()->set_grad(ones({2}));
  sgd.step();
  const std::vector<double> before = numbers(resting.tensor());
  moving.cell()->set_grad(zeros({2}));
  resting.cell()->zero_grad();
  sgd.step();
  CHECK(numbers(moving.tensor()) != before);  // momentum and decay go on
  CHECK(numbers(resting.tensor()) == before);
  CHECK(sgd.state_dict().at("#0.step").item_int64() == 2);
  CHECK(sgd.state_dict().at("#1.step").item_int64() == 1);
}

TEST_CASE("a zero gradient without decay or earlier momentum changes nothing") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor start = tensor({1, -2, 0, -0.0, 1e-30, 1e30, inf, -inf}, {.dtype = dtype});
    const auto check = [&](auto make) {
      const nn::Parameter w(start);
      auto optimizer = make(std::vector{w.cell()});
      for (int i = 0; i < 3; ++i) {
        w.cell()->set_grad(zeros_like(start));
        optimizer.step();
      }
      CHECK(numbers(w.tensor()) == numbers(start));
    };
    check([](auto p) { return optim::SGD(p, {.lr = 0.1}); });
    check([](auto p) { return optim::SGD(p, {.lr = 0.1, .momentum = 0.9, .nesterov = true}); });
    check([](auto p) { return optim::SGD(p, {.lr = 0.1, .momentum = 0.9, .lr_in_velocity = true}); });
    check([](auto p) { return optim::Adam(p, {.lr = 0.1}); });
    check([](auto p) { return optim::Adam(p, {.lr = 0.1, .amsgrad = true}); });
    check([](auto p) { return optim::AdamW(p, {.lr = 0.1, .weight_decay = 0}); });
  }
}

TEST_CASE("a gradient that is NaN or infinite is not hidden") {
  for (const double bad : {nan, inf}) {
    const nn::Parameter w(tensor({1.0, 1.0}));
    const nn::Parameter v(tensor({1.0, 1.0}));
    optim::SGD sgd({w.cell()}, {.lr = 0.1});
    optim::Adam adam({v.cell()}, {.lr = 0.1});
    w.cell()->set_grad(tensor({bad, 1.0}));
    v.cell()->set_grad(tensor({bad, 1.0}));
    sgd.step();
    adam.step();
    CHECK_FALSE(std::isfinite(w.tensor().at({0})));
    CHECK(std::isnan(v.tensor().at({0})));
    CHECK(w.tensor().at({1}) == doctest::Approx(0.9));
    CHECK(v.tensor().at({1}) == doctest::Approx(0.9));
  }
}

TEST_CASE("a frozen parameter stays, and costs no memory for moments") {
  Net model;
  model.hidden.weight.set_requires_grad(false);
  optim::Adam adam(model.parameters(), {.lr = 0.1});
  const std::vector<double> before = numbers(model.hidden.weight.tensor());
  model.hidden.weight.cell()->set_grad(ones({4, 3}));
  model.hidden.bias.cell()->set_grad(ones({4}));
  adam.step();
  CHECK(numbers(model.hidden.weight.tensor()) == before);
  CHECK_FALSE(adam.state_dict().contains("hidden.weight.m"));
  CHECK(adam.state_dict().contains("hidden.bias.m"));
  CHECK_FALSE(model.hidden.weight.requires_grad());

  model.hidden.weight.set_requires_grad(true);
  adam.step();
  CHECK(numbers(model.hidden.weight.tensor()) != before);
  CHECK(adam.state_dict().contains("hidden.weight.m"));
}

TEST_CASE("empty and 0-d parameters") {
  for (const Dtype dtype : {float32, float64}) {
    const nn::Parameter empty(zeros({0, 3}, {.dtype = dtype}));
    const nn::Parameter scalar(tensor(2, {.dtype = dtype}));
    const nn::Parameter single(tensor({2}, {.dtype = dtype}));
    optim::SGD sgd({empty.cell(), scalar.cell(), single.cell()}, {.lr = 0.5, .momentum = 0.5});
    optim::AdamW adamw({empty.cell(), scalar.cell(), single.cell()}, {.lr = 0.5, .amsgrad = true});
    for (int i = 0; i < 2; ++i) {
      for (const nn::Parameter* parameter : {&empty, &scalar, &single}) grow_gradient(*parameter);
      sgd.step();
      adamw.step();
    }
    CHECK(empty.shape() == Shape{0, 3});
    CHECK(scalar.shape() == Shape{});
    CHECK(scalar.tensor().item() < 2);
    CHECK(scalar.tensor().item() == single.tensor().item());
  }
}

TEST_CASE("two optimizers may hold one parameter, with states of their own") {
  const nn::Parameter w(tensor({1.0}));
  optim::SGD sgd({w.cell()}, {.lr = 0.5});
  optim::SGD other({w.cell()}, {.lr = 0.25});
  w.cell()->set_grad(ones({1}));
  sgd.step();
  CHECK(w.tensor().item() == 0.5);
  other.step();
  CHECK(w.tensor().item() == 0.25);
}

TEST_CASE("two optimizers on the parts of one model") {
  Net model;
  optim::SGD slow(model.hidden.parameters(), {.lr = 0.001});
  optim::Adam fast(model.head.parameters());
  const std::vector<double> hidden = numbers(model.hidden.weight.tensor());
  const std::vector<double> head = numbers(model.head.weight.tensor());
  sum(square(model(ones({1, 3})))).backward();
  slow.step();
  CHECK(numbers(model.hidden.weight.tensor()) != hidden);
  CHECK(numbers(model.head.weight.tensor()) == head);
  fast.step();
  CHECK(numbers(model.head.weight.tensor()) != head);
}

TEST_CASE("an optimizer follows a model that is moved, assigned to or gone") {
  auto first = std::make_unique<Net>();
  optim::SGD sgd(first->parameters(), {.lr = 0.1});
  Net moved = std::move(*first);
  first.reset();
  const auto step_changes = [&](const Net& model) {
    const std::vector<double> before = numbers(model.head.weight.tensor());
    sgd.zero_grad();
    sum(square(moved(ones({1, 3})))).backward();
    sgd.step();
    return numbers(model.head.weight.tensor()) != before;
  };
  CHECK(step_changes(moved));
  const Net other;
  moved = other;  // takes over the values, keeps the slots
  CHECK(numbers(moved.head.weight.tensor()) == numbers(other.head.weight.tensor()));
  CHECK(step_changes(moved));
  CHECK_FALSE(step_changes(other));
}

TEST_CASE("an optimizer outlives its model") {
  std::unique_ptr<optim::Adam> adam;
  {
    Net model;
    adam = std::make_unique<optim::Adam>(model.parameters());
    sum(square(model(ones({1, 3})))).backward();
  }
  adam->step();
  CHECK(adam->state_dict().at("head.weight.step").item_int64() == 1);
}

TEST_CASE("a handle on a parameter's value keeps that value") {
  const nn::Parameter w(tensor({1.0, 2.0}));
  optim::Adam adam({w.cell()}, {.lr = 0.5});
  const Tensor before = w.tensor();
  w.cell()->set_grad(ones({2}));
  adam.step();
  CHECK(numbers(before) == std::vector{1.0, 2.0});
  const nn::StateDict snapshot = adam.state_dict();
  const std::vector<double> m = numbers(snapshot.at("#0.m"));
  adam.step();
  CHECK(numbers(snapshot.at("#0.m")) == m);
  CHECK(numbers(adam.state_dict().at("#0.m")) != m);
}

TEST_CASE("a step overwrites no elements that a graph, a copy or another tensor still has") {
  const nn::Parameter w(tensor({1.0, 2.0}));
  const nn::Parameter copy(w);
  optim::SGD sgd({w.cell()}, {.lr = 0.5, .momentum = 0.5});
  const Tensor loss = sum(w * w);
  loss.backward({.keep_graph = true});
  sgd.step();
  CHECK(numbers(w.tensor()) == std::vector{0.0, 0.0});
  CHECK(numbers(copy.tensor()) == std::vector{1.0, 2.0});
  sgd.zero_grad();
  loss.backward();  // at the value that the loss was computed from
  CHECK(numbers(w.grad()) == std::vector{2.0, 4.0});

  const Tensor source = tensor({1.0, 2.0});
  w.cell()->set_value(source);
  sgd.step();
  CHECK(numbers(source) == std::vector{1.0, 2.0});

  // The graph alone, without any handle: the elements belong to it.
  const nn::Parameter v(tensor({3.0}));
  optim::Adam adam({v.cell()}, {.lr = 1});
  const Tensor square_of_v = sum(v * v);
  v.cell()->set_grad(tensor({1.0}));
  adam.step();
  adam.zero_grad();
  square_of_v.backward();
  CHECK(v.grad().item() == 6);
}

TEST_CASE("a gradient that shares the parameter's elements") {
  const nn::Parameter w(tensor({1.0, 2.0}));
  optim::SGD sgd({w.cell()}, {.lr = 0.5, .weight_decay = 1});
  for (int i = 0; i < 3; ++i) {
    grow_gradient(w);
    sgd.step();  // p - 0.5 (p + p) = 0
    CHECK(numbers(w.tensor()) == std::vector{0.0, 0.0});
    CHECK(numbers(w.grad()) == (i == 0 ? std::vector{1.0, 2.0} : std::vector{0.0, 0.0}));
  }
}

TEST_CASE("a copied optimizer goes on by itself") {
  const nn::Parameter w(tensor({1.0}));
  optim::SGD sgd({w.cell()}, {.lr = 1, .momentum = 0.5});
  w.cell()->set_grad(ones({1}));
  sgd.step();
  optim::SGD copy = sgd;
  copy.set_lr(0);
  copy.step();
  CHECK(numbers(copy.state_dict().at("#0.momentum")) == std::vector{1.5});
  CHECK(numbers(sgd.state_dict().at("#0.momentum")) == std::vector{1.0});
  CHECK(sgd.lr() == 1);
}

TEST_CASE("a model may change its dtype in mid-training") {
  Net model;
  optim::Adam adam(model.parameters(), {.lr = 0.1});
  sum(square(model(ones({1, 3})))).backward();
  adam.step();
  model.to(float64);
  sum(square(model(ones({1, 3}, {.dtype = float64})))).backward();
  adam.step();
  const nn::StateDict state = adam.state_dict();
  CHECK(model.head.weight.dtype() == float64);
  CHECK(state.at("head.weight.m").dtype() == float64);
  CHECK(state.at("head.weight.step").item_int64() == 2);
}

TEST_CASE("a step is not recorded, whatever its gradients are") {
  const nn::Parameter w(tensor({1.0}));
  optim::SGD sgd({w.cell()}, {.lr = 0.1, .momentum = 0.9});
  sum(w * w * w).backward({.create_graph = true});
  CHECK(w.grad().requires_grad());
  sgd.step();
  CHECK(w.tensor().is_leaf());
  CHECK(w.requires_grad());
  CHECK_FALSE(sgd.state_dict().at("#0.momentum").requires_grad());
  CHECK(is_recording());
  sgd.zero_grad();  // a gradient with a history holds the parameter that holds it
}

/// One's own optimizer: signs alone, as in signSGD.
class SignDescent : public optim::Optimizer {
 public:
  SignDescent(std::vector<nn::ParameterRef> parameters, double lr) : Optimizer("SignDescent") {
    add_parameters(std::move(parameters), lr);
  }

 protected:
  [[nodiscard]] std::span<const std::string_view> moment_names(std::size_t) const override { return {}; }
  [[nodiscard]] Tensor advance(std::size_t, const optim::Update& update, optim::State& state) const override {
    ++state.step;
    return update.value - update.lr.value() * sign(update.gradient);
  }
};

TEST_CASE("an optimizer of one's own") {
  const nn::Parameter w(tensor({1.0, 1.0, 1.0}));
  SignDescent descent({w.cell()}, 0.25);
  w.cell()->set_grad(tensor({5.0, -0.1, 0.0}));
  descent.step();
  CHECK(numbers(w.tensor()) == std::vector{0.75, 1.25, 1.0});
  CHECK(descent.state_dict().at("#0.step").item_int64() == 1);
}

}}  // namespace xtgrad
