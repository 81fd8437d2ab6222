// The pure form: its two evaluators, its derivatives, its errors.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

using optim::State;
using optim::Stepped;

/// Options that, between them, reach every branch of every formula.
template <class F>
void for_each_options(const F& f) {
  f("SGD", optim::SGDOptions{.lr = 0.1});
  f("SGD decay", optim::SGDOptions{.lr = 0.1, .weight_decay = 0.02, .maximize = true});
  f("SGD momentum", optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.2, .weight_decay = 0.02});
  f("SGD nesterov", optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true, .maximize = true});
  f("SGD inside", optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .lr_in_velocity = true});
  f("SGD inside nesterov",
    optim::SGDOptions{
        .lr = 0.1, .momentum = 0.9, .weight_decay = 0.02, .nesterov = true, .lr_in_velocity = true});
  f("Adam", optim::AdamOptions{.lr = 0.1});
  f("Adam decay", optim::AdamOptions{.lr = 0.1, .weight_decay = 0.02, .maximize = true});
  f("AMSGrad", optim::AdamOptions{.lr = 0.1, .beta2 = 0.5, .weight_decay = 0.02, .amsgrad = true});
  f("AdamW", optim::AdamWOptions{.lr = 0.1});
  f("AdamW AMSGrad", optim::AdamWOptions{.lr = 0.1, .beta2 = 0.5, .amsgrad = true, .maximize = true});
  f("Adagrad", optim::AdagradOptions{.lr = 0.1, .lr_decay = 0.1, .initial_accumulator = 0.5});
  f("Adagrad decay", optim::AdagradOptions{.lr = 0.1, .weight_decay = 0.02, .maximize = true});
  f("RMSProp", optim::RMSPropOptions{.lr = 0.1});
  f("RMSProp inside", optim::RMSPropOptions{.lr = 0.1, .weight_decay = 0.02, .eps_inside_root = true});
  f("RMSProp momentum", optim::RMSPropOptions{.lr = 0.1, .momentum = 0.5, .maximize = true});
  f("RMSProp centered", optim::RMSPropOptions{.lr = 0.1, .eps = 1, .centered = true});
  f("RMSProp both", optim::RMSPropOptions{.lr = 0.1, .eps = 1, .momentum = 0.5, .centered = true});
  f("Adadelta", optim::AdadeltaOptions{.weight_decay = 0.02, .maximize = true});
  f("Adamax", optim::AdamaxOptions{.lr = 0.1, .weight_decay = 0.02, .maximize = true});
  f("NAdam", optim::NAdamOptions{.lr = 0.1, .weight_decay = 0.02, .maximize = true});
  f("NAdam decoupled", optim::NAdamOptions{.lr = 0.1, .weight_decay = 0.02, .decoupled_decay = true});
  f("RAdam", optim::RAdamOptions{.lr = 0.1, .beta2 = 0.9, .weight_decay = 0.02, .maximize = true});
  f("RAdam decoupled", optim::RAdamOptions{.lr = 0.1, .weight_decay = 0.02, .decoupled_decay = true});
  f("Rprop", optim::RpropOptions{.lr = 0.1, .maximize = true});
  f("ASGD", optim::ASGDOptions{.lr = 0.1, .decay = 0.1, .t0 = 2, .weight_decay = 0.02, .maximize = true});
  f("Lion", optim::LionOptions{.lr = 0.1, .weight_decay = 0.02, .maximize = true});
}

Tensor random_vector(std::int64_t n, Dtype dtype, Random& random) {
  return randn({n}, random, {.dtype = dtype});
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const testing::Values x = testing::to_values(a);
  const testing::Values y = testing::to_values(b);
  return x.data == y.data;
}

/// The largest difference in units of the last digit of the larger of the values before and after.
double ulps(const Tensor& before, const Tensor& got, const Tensor& want) {
  const testing::Values x = testing::to_values(before);
  const testing::Values y = testing::to_values(got);
  const testing::Values z = testing::to_values(want);
  double worst = 0;
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    worst = std::max(
        worst, testing::ulps_between(y.data[i], z.data[i], got.dtype(), {.scale = std::abs(x.data[i])}));
  }
  return worst;
}

TEST_CASE("the recorded step agrees with the fused one within 8 ulps of the operands") {
  double worst = 0;
  for (const Dtype dtype : {float32, float64}) {
    for_each_options([&](const std::string& name, const auto& options) {
      CAPTURE(name);
      CAPTURE(to_string(dtype));
      Random random(3);
      Tensor p = random_vector(37, dtype, random);
      std::vector<State> states(1);
      for (int t = 0; t < 6; ++t) {
        const Tensor g = random_vector(37, dtype, random);
        const Stepped fused = optim::step({p}, {g}, states, options);
        const Tensor leaf = p.detach().set_requires_grad();
        const Stepped recorded = optim::step({leaf}, {g}, states, options);
        CHECK_FALSE(fused.parameters[0].requires_grad());
        CHECK(recorded.parameters[0].requires_grad());
        CHECK(recorded.states[0].step == t + 1);
        worst = std::max(worst, ulps(p, fused.parameters[0], recorded.parameters[0]));
        for (std::size_t k = 0; k < State::max_moments; ++k) {
          const Tensor& moment = fused.states[0].moments[k];
          REQUIRE(moment.defined() == recorded.states[0].moments[k].defined());
          if (!moment.defined()) continue;
          const Tensor& before = states[0].moments[k].defined() ? states[0].moments[k] : moment;
          worst = std::max(worst, ulps(before, moment, recorded.states[0].moments[k]));
        }
        p = fused.parameters[0];
        states = fused.states;
      }
    });
  }
  MESSAGE("largest difference: " << worst << " ulps");
  CHECK(worst <= 8);
}

TEST_CASE("the pure form and the optimizer compute the same bits") {
  const auto compare = [](auto& optimizer, const nn::Parameter& parameter, const auto& options, Dtype dtype) {
    Random random(5);
    Tensor p = parameter.tensor().detach();
    std::vector<State> states;
    for (int t = 0; t < 10; ++t) {
      const Tensor g = random_vector(p.numel(), dtype, random);
      parameter.cell()->set_grad(g);
      optimizer.step();
      const Stepped stepped = optim::step({p}, {g}, states, options);
      p = stepped.parameters[0];
      states = stepped.states;
      CHECK(same_bits(p, parameter.tensor()));
    }
  };
  for (const Dtype dtype : {float32, float64}) {
    for_each_options([&]<class Options>(const std::string& name, const Options& options) {
      CAPTURE(name);
      Random random(4);
      const nn::Parameter parameter(random_vector(37, dtype, random));
      optim::OptimizerOf<Options> optimizer({parameter.cell()}, options);
      compare(optimizer, parameter, options, dtype);
    });
  }
}

TEST_CASE("the pure form changes neither its arguments nor the state it was given") {
  for_each_options([&](const std::string& name, const auto& options) {
    CAPTURE(name);
    Random random(6);
    const Tensor p = random_vector(5, float64, random);
    const Tensor g = random_vector(5, float64, random);
    const Stepped first = optim::step({p}, {g}, {}, options);
    const Stepped once = optim::step(first.parameters, {g}, first.states, options);
    const Stepped again = optim::step(first.parameters, {g}, first.states, options);
    CHECK(same_bits(once.parameters[0], again.parameters[0]));
    CHECK(first.states[0].step == 1);
    CHECK(again.states[0].step == 2);
  });
}

// The loss after five training steps of a small net, as a function of whatever the test varies.

/// The same value as a leaf, if the caller does not differentiate in it already.
Tensor variable(const Tensor& x) { return x.requires_grad() ? x : x.detach().set_requires_grad(); }

struct Data {
  Tensor x;  // [4, 3]
  Tensor y;  // [4, 2]
};

Data make_data() {
  Random random(11);
  return {randn({4, 3}, random, {.dtype = float64}), randn({4, 2}, random, {.dtype = float64})};
}

Tensor loss_of(const Data& data, const Tensor& w, const Tensor& b) {
  return mean(square(tanh(matmul(data.x, w) + b) - data.y));
}

template <class Options>
Tensor loss_after_training(const Data& data, const Tensor& w0, const Tensor& b0, const Options& options) {
  const EnableGrad record;
  std::vector<Tensor> parameters{w0, b0};
  std::vector<State> states;
  for (int t = 0; t < 5; ++t) {
    for (Tensor& parameter : parameters) parameter = variable(parameter);
    const std::vector<Tensor> gradients = grad({loss_of(data, parameters[0], parameters[1])},
                                               {parameters[0], parameters[1]}, {.create_graph = true});
    Stepped stepped = optim::step(parameters, gradients, states, options);
    parameters = std::move(stepped.parameters);
    states = std::move(stepped.states);
  }
  return loss_of(data, parameters[0], parameters[1]);
}

Tensor number(double value) { return tensor(value, {.dtype = float64}); }

std::vector<Tensor> start_and(std::initializer_list<double> hypers) {
  Random random(12);
  std::vector<Tensor> inputs{randn({3, 2}, random, {.dtype = float64}),
                             randn({2}, random, {.dtype = float64})};
  for (const double hyper : hypers) inputs.push_back(number(hyper));
  return inputs;
}

void check(const char* name, const TensorFunction& f, const std::vector<Tensor>& inputs,
           std::vector<std::string> names) {
  names.insert(names.begin(), {"initial weight", "initial bias"});
  const CheckGradsReport report = check_grads(
      f, inputs, {.order = 1, .full_jacobian = true, .name = name, .input_names = std::move(names)});
  CHECK_MESSAGE(report.ok(), report.message);
}

TEST_CASE("the loss after five SGD steps is differentiable in weights and hyperparameters") {
  const Data data = make_data();
  for (const bool lr_in_velocity : {false, true}) {
    const auto f = [&](std::span<const Tensor> in) {
      const optim::SGDOptions options{.lr = in[2],
                                      .momentum = in[3],
                                      .dampening = in[4],
                                      .weight_decay = in[5],
                                      .lr_in_velocity = lr_in_velocity};
      return std::vector<Tensor>{loss_after_training(data, in[0], in[1], options)};
    };
    check("SGD", f, start_and({0.3, 0.8, 0.1, 0.05}), {"lr", "momentum", "dampening", "weight_decay"});
  }
  const auto nesterov = [&](std::span<const Tensor> in) {
    const optim::SGDOptions options{.lr = in[2], .momentum = in[3], .nesterov = true};
    return std::vector<Tensor>{loss_after_training(data, in[0], in[1], options)};
  };
  check("SGD with Nesterov's momentum", nesterov, start_and({0.3, 0.8}), {"lr", "momentum"});
}

template <class Options>
void check_adam(const char* name, bool amsgrad) {
  const Data data = make_data();
  const auto f = [&](std::span<const Tensor> in) {
    const Options options{.lr = in[2],
                          .beta1 = sigmoid(in[3]),  // below 1 wherever the check goes
                          .beta2 = sigmoid(in[4]),
                          .eps = in[5],
                          .weight_decay = in[6],
                          .amsgrad = amsgrad};
    return std::vector<Tensor>{loss_after_training(data, in[0], in[1], options)};
  };
  check(name, f, start_and({0.1, 1.4, 2.2, 0.01, 0.05}),
        {"lr", "logit of beta1", "logit of beta2", "eps", "weight_decay"});
}

TEST_CASE("the loss after five Adam steps is differentiable in weights and hyperparameters") {
  check_adam<optim::AdamOptions>("Adam", false);
  check_adam<optim::AdamOptions>("AMSGrad", true);
}

TEST_CASE("the loss after five AdamW steps is differentiable in weights and hyperparameters") {
  check_adam<optim::AdamWOptions>("AdamW", false);
}

TEST_CASE("second derivatives through training") {
  const Data data = make_data();
  const std::vector<Tensor> start = start_and({});
  const auto f = [&](const Tensor& lr) {
    return loss_after_training(data, start[0], start[1], optim::AdamOptions{.lr = lr, .eps = 0.01});
  };
  const CheckGradsReport report = check_grads(f, number(0.1), {.order = 2});
  CHECK_MESSAGE(report.ok(), report.message);
}

TEST_CASE("a gradient of exactly 0 does not spoil the derivatives of a recorded Adam step") {
  const Tensor lr = number(0.1).set_requires_grad();
  const Tensor g = tensor({0, 1}, {.dtype = float64, .requires_grad = true});
  const Tensor p = tensor({2, 3}, {.dtype = float64});
  const Stepped stepped = optim::step({p}, {g}, {}, optim::AdamOptions{.lr = lr, .eps = 0.25});
  CHECK(stepped.parameters[0].at({0}) == 2);
  const std::vector<Tensor> slopes = grad({sum(stepped.parameters[0])}, {lr, g});
  CHECK(slopes[0].item() == doctest::Approx(-1 / 1.25).epsilon(1e-14));
  // p - lr g / (|g| + eps): its derivative at 0 is -lr / eps, and -lr eps / (1 + eps)^2 at 1.
  CHECK(slopes[1].at({0}) == doctest::Approx(-0.1 / 0.25).epsilon(1e-14));
  CHECK(slopes[1].at({1}) == doctest::Approx(-0.1 * 0.25 / (1.25 * 1.25)).epsilon(1e-14));
}

TEST_CASE("hyperparameters take the dtype of each parameter") {
  const Tensor lr = number(0.5).set_requires_grad();
  const Tensor w = tensor({1, 2}, {.dtype = float32});
  const Tensor v = tensor({1, 2}, {.dtype = float64});
  const Tensor beta1 = tensor(0.5, {.dtype = float32});  // meets lr, a float64, in float64
  const Stepped stepped = optim::step({w, v}, {w, v}, {}, optim::AdamOptions{.lr = lr, .beta1 = beta1});
  CHECK(stepped.parameters[0].dtype() == float32);
  CHECK(stepped.parameters[1].dtype() == float64);
  const Tensor slope = grad({sum(stepped.parameters[0]).to(float64) + sum(stepped.parameters[1])}, {lr})[0];
  CHECK(slope.dtype() == float64);
  CHECK(slope.item() == doctest::Approx(-4).epsilon(1e-6));  // every element moves by -lr
}

TEST_CASE("each hyperparameter alone makes a step recorded, and without recording none does") {
  const Tensor p = tensor({1, 2}, {.dtype = float64});
  const auto check = [&](auto options, auto pick) {
    CHECK_FALSE(optim::step({p}, {p}, {}, options).parameters[0].requires_grad());
    const Tensor hyper = number(0.5).set_requires_grad();
    pick(options) = hyper;
    const Stepped first = optim::step({p}, {p}, {}, options);
    const Stepped second = optim::step(first.parameters, {p}, first.states, options);
    CHECK(grad({sum(second.parameters[0])}, {hyper})[0].item() != 0);
    const NoGrad no_grad;
    CHECK_FALSE(optim::step({p}, {p}, {}, options).parameters[0].requires_grad());
  };
  const optim::SGDOptions sgd{.lr = 0.1, .momentum = 0.9, .dampening = 0.1};
  check(
      sgd, [](auto& o) -> auto& { return o.lr; });
  check(
      sgd, [](auto& o) -> auto& { return o.momentum; });
  check(
      sgd, [](auto& o) -> auto& { return o.dampening; });
  check(
      sgd, [](auto& o) -> auto& { return o.weight_decay; });
  const auto check_adam_options = [&](const auto& adam) {
    check(
        adam, [](auto& o) -> auto& { return o.lr; });
    check(
        adam, [](auto& o) -> auto& { return o.beta1; });
    check(
        adam, [](auto& o) -> auto& { return o.beta2; });
    check(
        adam, [](auto& o) -> auto& { return o.eps; });
    check(
        adam, [](auto& o) -> auto& { return o.weight_decay; });
  };
  // eps and decay large enough to matter, or both moments would cancel.
  check_adam_options(optim::AdamOptions{.lr = 0.1, .eps = 0.5, .weight_decay = 0.5});
  check_adam_options(optim::AdamWOptions{.lr = 0.1, .eps = 0.5});
}

TEST_CASE("a moment with a history makes a step recorded") {
  const Tensor b = tensor({3, 4}, {.dtype = float64, .requires_grad = true});
  State state{.step = 1, .moments = {b}};
  const Tensor p = tensor({1, 2}, {.dtype = float64});
  const Stepped stepped = optim::step({p}, {p}, {state}, optim::SGDOptions{.lr = 0.5, .momentum = 0.25});
  const Tensor slope = grad({sum(stepped.parameters[0])}, {b})[0];
  CHECK(slope.at({0}) == -0.125);
  CHECK(slope.at({1}) == -0.125);
}

TEST_CASE("an empty gradient leaves parameter and state alone") {
  const Tensor p = tensor({1, 2});
  const Stepped first = optim::step({p, p}, {p, p}, {}, optim::SGDOptions{.lr = 0.1, .momentum = 0.9});
  const Stepped second = optim::step(first.parameters, {Tensor(), p}, first.states,
                                     optim::SGDOptions{.lr = 0.1, .momentum = 0.9});
  CHECK(second.parameters[0].node() == first.parameters[0].node());
  CHECK(second.states[0].step == 1);
  CHECK(second.states[0].moments[0].node() == first.states[0].moments[0].node());
  CHECK(second.states[1].step == 2);
}

TEST_CASE("gradients reach a learning rate through a module") {
  DefaultDtype in_double(float64);
  Random random(1);
  nn::Linear model(3, 2);
  const Tensor x = randn({5, 3}, random);
  const std::vector<nn::ParameterRef> slots = model.parameters();
  const auto loss_after_a_step = [&](const Tensor& lr) {
    const EnableGrad record;
    std::vector<Tensor> values;
    for (const nn::ParameterRef& slot : slots) values.push_back(slot->tensor());
    const std::vector<Tensor> gradients =
        grad(std::vector<Tensor>{mean(square(model(x)))}, values, {.create_graph = true});
    const Stepped stepped = optim::step(values, gradients, {}, optim::SGDOptions{.lr = lr});
    const nn::WithParameters scope(slots, stepped.parameters);
    return mean(square(model(x)));
  };
  const CheckGradsReport report = check_grads(loss_after_a_step, number(0.3), {.order = 1});
  CHECK_MESSAGE(report.ok(), report.message);
}

TEST_CASE("the example in optim/sgd.h") {
  Tensor lr = tensor(0.1, {.requires_grad = true});
  Tensor w = tensor({1, -2}, {.requires_grad = true});
  std::vector<optim::State> states;
  for (int i = 0; i < 3; ++i) {
    std::vector<Tensor> g = grad({sum(square(w))}, {w}, {.create_graph = true});
    auto [parameters, next] = optim::step({w}, g, states, optim::SGDOptions{.lr = lr, .momentum = 0.9});
    w = parameters[0];
    states = next;
  }
  Tensor slope = grad({sum(square(w))}, {lr})[0];

  // By hand: w3 = c(lr) w0 where c = 1 - 2 lr (3 + 2 mu + mu^2) + 4 lr^2 (3 + 2 mu) - 8 lr^3.
  const double mu = 0.9;
  const double c = 1 - 0.2 * (3 + 2 * mu + mu * mu) + 0.04 * (3 + 2 * mu) - 0.008;
  const double dc = -2 * (3 + 2 * mu + mu * mu) + 0.8 * (3 + 2 * mu) - 0.24;
  CHECK(w.at({0}) == doctest::Approx(c).epsilon(1e-6));
  CHECK(w.at({1}) == doctest::Approx(-2 * c).epsilon(1e-6));
  CHECK(slope.item() == doctest::Approx(5 * 2 * c * dc).epsilon(1e-5));
}

TEST_CASE("what the pure form refuses") {
  const Tensor p = tensor({1, 2});
  const optim::SGDOptions options{.lr = 0.1, .momentum = 0.9};
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step({p}, {}, {}, options)),
                       "SGD: got 0 gradients for 1 parameters; an empty handle stands for no gradient",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step({p}, {p}, std::vector<State>(2), options)),
                       "SGD: got 2 states for 1 parameters; the first step takes none", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(optim::step({p, p}, {p, tensor({1})}, {}, options)),
      "SGD: parameter 1 and its gradient differ: the parameter is float32 [2], the gradient is "
      "float32 [1]",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(optim::step({p}, {tensor({1, 2}, {.dtype = float64})}, {}, optim::AdamOptions{})),
      "Adam: parameter 0 and its gradient differ: the parameter is float32 [2], the gradient is float64 [2]",
      DtypeError);
  std::vector<State> states(1);
  states[0].moments[0] = tensor({1, 2, 3});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(optim::step({p}, {p}, states, optim::AdamWOptions{})),
      "AdamW: parameter 0 and its moment differ: the parameter is float32 [2], the moment is "
      "float32 [3]",
      ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step({arange(2)}, {arange(2)}, {}, options)),
                       "SGD: a parameter must be float32 or float64: parameter 0 is int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(optim::step({p}, {p}, {}, optim::SGDOptions{})),
                       "SGD: lr is required, and was not given", ValueError);
}

TEST_CASE("what a hyperparameter can be") {
  CHECK_FALSE(optim::Hyper().is_set());
  CHECK(optim::Hyper(0.5).value() == 0.5);
  CHECK(optim::Hyper(0).is_number_zero());
  CHECK_FALSE(optim::Hyper(number(0)).is_number_zero());
  CHECK(optim::Hyper(number(0.25)).value() == 0.25);
  CHECK_FALSE(optim::Hyper(number(0.25)).requires_grad());
  CHECK(optim::Hyper(number(0.25).set_requires_grad()).requires_grad());
  CHECK_THROWS_WITH_AS(optim::Hyper(tensor({1, 2})),
                       "Hyper: a hyperparameter is a number or a 0-d tensor: got a tensor of shape [2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(optim::Hyper(tensor(1, {.dtype = int64})),
                       "Hyper: a hyperparameter is a number, or a tensor of float32 or float64: got int64",
                       DtypeError);
}

}}  // namespace xtgrad
