// Options that are saved with an optimizer's state, and numbers of a state that none could have come to.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/training/confusion_matrix.h"

namespace xtgrad { namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

Tensor count(std::int64_t value) { return full({}, value, {.dtype = int64}); }
Tensor number(double value) { return full({}, value, {.dtype = float64}); }

/// One parameter, after a step.
template <class Optimizer, class Options>
struct Trained {
  explicit Trained(const Options& options) : optimizer({weight.cell()}, options) { step(); }
  void step() {
    weight.set_grad(tensor({0.5, -0.25}));
    optimizer.step();
  }
  nn::Parameter weight{tensor({1, 2})};
  Optimizer optimizer;
};

template <class Optimizer, class Options>
void check_refused_and_adopted(const std::string& option, const Options& saved, const Options& other,
                               double saved_value, double other_value) {
  CAPTURE(option);
  Trained<Optimizer, Options> from(saved);
  Trained<Optimizer, Options> to(other);
  const nn::StateDict state = from.optimizer.state_dict();
  const nn::StateDict before = to.optimizer.state_dict();
  const std::string message = testing::message_of<ValueError>([&] { to.optimizer.load_state_dict(state); });
  CHECK(message.find("groups.0." + option + " is ") != std::string::npos);
  CHECK(message.find("pass {.adopt_settings = true} to go on with the state's settings") !=
        std::string::npos);
  CHECK(to.optimizer.state_dict().at("groups.0." + option).item() == other_value);
  CHECK(to.optimizer.state_dict().size() == before.size());

  to.optimizer.load_state_dict(state, {.adopt_settings = true});
  CHECK(to.optimizer.state_dict().at("groups.0." + option).item() == saved_value);
  to.weight.set_value(from.weight.tensor());
  from.step();
  to.step();
  CHECK(testing::values(to.weight.tensor()) == testing::values(from.weight.tensor()));
}

TEST_CASE("a state of other options is refused with both values, or its options are adopted") {
  using namespace optim;
  check_refused_and_adopted<Adam>("beta1", AdamOptions{}, AdamOptions{.beta1 = 0.5}, 0.9, 0.5);
  check_refused_and_adopted<Adam>("amsgrad", AdamOptions{.amsgrad = true}, AdamOptions{}, 1, 0);
  check_refused_and_adopted<Adam>("amsgrad", AdamOptions{}, AdamOptions{.amsgrad = true}, 0, 1);
  check_refused_and_adopted<AdamW>("weight_decay", AdamWOptions{}, AdamWOptions{.weight_decay = 0.5}, 0.01,
                                   0.5);
  check_refused_and_adopted<SGD>("momentum", SGDOptions{.lr = 1, .momentum = 0.5}, SGDOptions{.lr = 1}, 0.5,
                                 0);
  check_refused_and_adopted<SGD>("maximize", SGDOptions{.lr = 1, .maximize = true}, SGDOptions{.lr = 1}, 1,
                                 0);
  check_refused_and_adopted<Adagrad>("initial_accumulator", AdagradOptions{.initial_accumulator = 0.5},
                                     AdagradOptions{}, 0.5, 0);
  check_refused_and_adopted<RMSProp>("centered", RMSPropOptions{.centered = true}, RMSPropOptions{}, 1, 0);
  check_refused_and_adopted<Adadelta>("rho", AdadeltaOptions{.rho = 0.5}, AdadeltaOptions{}, 0.5, 0.9);
  check_refused_and_adopted<Adamax>("beta2", AdamaxOptions{.beta2 = 0.5}, AdamaxOptions{}, 0.5, 0.999);
  check_refused_and_adopted<NAdam>("decoupled_decay", NAdamOptions{.decoupled_decay = true}, NAdamOptions{},
                                   1, 0);
  check_refused_and_adopted<RAdam>("eps", RAdamOptions{.eps = 0.5}, RAdamOptions{}, 0.5, 1e-8);
  check_refused_and_adopted<Rprop>("max_step", RpropOptions{.max_step = 2}, RpropOptions{}, 2, 50);
  check_refused_and_adopted<ASGD>("t0", ASGDOptions{.t0 = 1}, ASGDOptions{}, 1, 1e6);
  check_refused_and_adopted<Lion>("beta2", LionOptions{.beta2 = 0.5}, LionOptions{}, 0.5, 0.99);
}

TEST_CASE("the message of other options") {
  Trained<optim::Adam, optim::AdamOptions> from(optim::AdamOptions{});
  Trained<optim::Adam, optim::AdamOptions> to(optim::AdamOptions{.beta1 = 0.5, .eps = 1e-4});
  CHECK_THROWS_WITH_AS(
      to.optimizer.load_state_dict(from.optimizer.state_dict()),
      "load_state_dict: the state does not fit this Adam, which was left as it is:\n"
      "  other settings: groups.0.beta1 is 0.5, the state's is 0.9; groups.0.eps is 0.0001, the "
      "state's is 1e-08\n"
      "  pass {.adopt_settings = true} to go on with the state's settings",
      ValueError);
}

TEST_CASE("LBFGS's options are saved with its state") {
  nn::Parameter weight(tensor({1, 2}));
  optim::LBFGS lbfgs({weight.cell()}, {.max_iter = 3, .line_search = optim::LineSearch::strong_wolfe});
  static_cast<void>(lbfgs.step([&] { return sum(square(weight.tensor() - 3.0)); }));
  optim::LBFGS other({weight.cell()}, {.max_iter = 4, .max_eval = 7});
  CHECK_THROWS_AS(other.load_state_dict(lbfgs.state_dict()), ValueError);
  CHECK(other.options().max_eval == 7);
  other.load_state_dict(lbfgs.state_dict(), {.adopt_settings = true});
  CHECK(other.options().max_iter == 3);
  CHECK(!other.options().max_eval.has_value());
  CHECK(other.options().line_search == optim::LineSearch::strong_wolfe);
}

TEST_CASE("a state without options, as files of before have it, is loaded as it is") {
  Trained<optim::Adam, optim::AdamOptions> from(optim::AdamOptions{});
  nn::StateDict old;
  for (const auto& entry : from.optimizer.state_dict()) {
    if (!entry.name.starts_with("groups.") || entry.name == "groups.0.lr") old.add(entry.name, entry.value);
  }
  Trained<optim::Adam, optim::AdamOptions> to(optim::AdamOptions{.beta1 = 0.5});
  to.optimizer.load_state_dict(old);
  CHECK(to.optimizer.options().beta1.value() == 0.5);
  to.optimizer.load_state_dict(old, {.adopt_settings = true});
  CHECK(to.optimizer.options().beta1.value() == 0.5);
}

TEST_CASE("adopted options that cannot be are refused, and those of before stay") {
  Trained<optim::Adam, optim::AdamOptions> trained(optim::AdamOptions{});
  nn::StateDict state = trained.optimizer.state_dict();
  for (const double beta1 : {nan, 1.0, -0.5, inf}) {
    CAPTURE(beta1);
    state.set("groups.0.beta1", number(beta1));
    CHECK_THROWS_AS(trained.optimizer.load_state_dict(state), ValueError);
    CHECK_THROWS_AS(trained.optimizer.load_state_dict(state, {.adopt_settings = true}), ValueError);
    CHECK(trained.optimizer.options().beta1.value() == 0.9);
  }
  // Good options of a state that does not fit otherwise are not taken either.
  state.set("groups.0.beta1", number(0.5));
  state.set("#0.m", ones({3}));
  CHECK_THROWS_AS(trained.optimizer.load_state_dict(state, {.adopt_settings = true}), ValueError);
  CHECK(trained.optimizer.options().beta1.value() == 0.9);
}

/// Each of these in the place of an entry is refused, and all stays what it was.
void check_impossible(nn::Stateful& object, const std::string& name, const std::vector<Tensor>& impossible) {
  CAPTURE(name);
  const nn::StateDict before = object.state_dict();
  for (const Tensor& value : impossible) {
    nn::StateDict state = before;
    state.set(name, value);
    CHECK_THROWS_AS(object.load_state_dict(state), ValueError);
    const nn::StateDict after = object.state_dict();
    for (const auto& entry : before) CHECK(testing::same_bits(entry.value, after.at(entry.name)));
  }
}

TEST_CASE("numbers of a loaded state that no training comes to are refused") {
  const std::vector<Tensor> counts{count(-1), count(most), count(std::numeric_limits<std::int64_t>::min()),
                                   count((std::int64_t{1} << 62) + 1)};
  const std::vector<Tensor> rates{number(nan), number(-3), number(inf), number(-inf)};
  const auto check_optimizer = [&](auto&& trained) {
    optim::Optimizer& optimizer = trained.optimizer;
    check_impossible(optimizer, "#0.step", counts);
    check_impossible(optimizer, "groups.0.lr", rates);
  };
  using namespace optim;
  check_optimizer(Trained<SGD, SGDOptions>({.lr = 1}));
  check_optimizer(Trained<Adam, AdamOptions>({}));
  check_optimizer(Trained<AdamW, AdamWOptions>({}));
  check_optimizer(Trained<Adagrad, AdagradOptions>({}));
  check_optimizer(Trained<RMSProp, RMSPropOptions>({}));
  check_optimizer(Trained<Adadelta, AdadeltaOptions>({}));
  check_optimizer(Trained<Adamax, AdamaxOptions>({}));
  check_optimizer(Trained<NAdam, NAdamOptions>({}));
  check_optimizer(Trained<RAdam, RAdamOptions>({}));
  check_optimizer(Trained<Rprop, RpropOptions>({}));
  check_optimizer(Trained<ASGD, ASGDOptions>({}));
  check_optimizer(Trained<Lion, LionOptions>({}));
  Trained<NAdam, NAdamOptions> nadam({});
  check_impossible(nadam.optimizer, "#0.mu_product",
                   {number(nan), number(inf), number(-inf), number(-0.5), number(1), number(2)});
  Trained<ASGD, ASGDOptions> asgd({});
  check_impossible(asgd.optimizer, "#0.eta", rates);

  // Below 0 no mean of squares is, and its root would be NaN.
  const std::vector<Tensor> negative{tensor({1, -0.5}), tensor({-inf, 1})};
  const auto refuse = [&](auto&& trained, const char* name) {
    check_impossible(trained.optimizer, name, negative);
  };
  refuse(Trained<Adam, AdamOptions>({}), "#0.v");
  refuse(Trained<Adam, AdamOptions>({.amsgrad = true}), "#0.v_max");
  refuse(Trained<AdamW, AdamWOptions>({}), "#0.v");
  refuse(Trained<Adagrad, AdagradOptions>({}), "#0.sum");
  refuse(Trained<RMSProp, RMSPropOptions>({}), "#0.v");
  refuse(Trained<Adadelta, AdadeltaOptions>({}), "#0.v");
  refuse(Trained<Adadelta, AdadeltaOptions>({}), "#0.u");
  refuse(Trained<Adamax, AdamaxOptions>({}), "#0.u");
  refuse(Trained<NAdam, NAdamOptions>({}), "#0.v");
  refuse(Trained<RAdam, RAdamOptions>({}), "#0.v");
  refuse(Trained<Rprop, RpropOptions>({}), "#0.step_size");

  // Cut to a finite range in every step.
  Trained<Rprop, RpropOptions> rprop({});
  check_impossible(rprop.optimizer, "#0.step_size", {tensor({1, nan}), tensor({inf, 1}), tensor({-inf, 1})});
  // Centered means of squares would be below 0.
  for (const double momentum : {0.0, 0.9}) {
    Trained<RMSProp, RMSPropOptions> centered({.momentum = momentum, .centered = true});
    refuse(centered, "#0.v");
    check_impossible(centered.optimizer, "#0.mean",
                     {tensor({0, nan}), tensor({-1e3, 0}), tensor({1e30, 0}), tensor({0, -inf})});
    check_impossible(centered.optimizer, "#0.v", {zeros({2})});
  }

  nn::BatchNorm1d norm({.num_features = 2});
  check_impossible(norm, "num_batches_tracked", counts);
  check_impossible(norm, "running_var", {tensor({1, -0.5})});
  ReduceOnPlateau plateau;
  check_impossible(plateau, "best", {number(nan)});
  check_impossible(plateau, "bad", counts);
  check_impossible(plateau, "cooldown", counts);
  nn::Parameter weight(tensor({1, 2}));
  WeightAverage average({weight.cell()});
  check_impossible(average, "updates", counts);
  training::ConfusionMatrix matrix({.classes = 2});
  check_impossible(matrix, "counts", {tensor({{1, -1}, {0, 0}}, {.dtype = int64})});
}

TEST_CASE("what a training may come to is loaded, to the bit") {
  const auto loads = [](auto&& trained, const char* name, const std::vector<Tensor>& possible) {
    for (const Tensor& value : possible) {
      nn::StateDict state = trained.optimizer.state_dict();
      state.set(name, value);
      trained.optimizer.load_state_dict(state);
      CHECK(testing::same_bits(trained.optimizer.state_dict().at(name), value));
    }
  };
  using namespace optim;
  // After a gradient that is none, or whose square is infinite.
  const std::vector<Tensor> spoilt{tensor({nan, 1}), tensor({1, inf}), tensor({-0.0, 0})};
  loads(Trained<RMSProp, RMSPropOptions>({}), "#0.v", spoilt);
  loads(Trained<Adadelta, AdadeltaOptions>({}), "#0.u", spoilt);
  loads(Trained<RAdam, RAdamOptions>({}), "#0.v", spoilt);
  loads(Trained<Adagrad, AdagradOptions>({}), "#0.sum", spoilt);
  loads(Trained<Rprop, RpropOptions>({}), "#0.previous", spoilt);
  loads(Trained<ASGD, ASGDOptions>({}), "#0.average", spoilt);
  // Of a long training.
  loads(Trained<NAdam, NAdamOptions>({}), "#0.mu_product", {number(0), number(0.999)});
  loads(Trained<ASGD, ASGDOptions>({}), "#0.eta", {number(0), number(1e-300)});
  // All of the moments may be without a number, and v infinite alone.
  Trained<RMSProp, RMSPropOptions> centered({.centered = true});
  nn::StateDict state = centered.optimizer.state_dict();
  state.set("#0.v", tensor({nan, inf}));
  state.set("#0.mean", tensor({nan, 1e30}));
  centered.optimizer.load_state_dict(state);
}

TEST_CASE("a centered mean that roundings have made too large by a little is loaded") {
  nn::Parameter weight(tensor({1, 2}));
  optim::RMSProp rmsprop({weight.cell()}, {.lr = 1e-3, .alpha = 0.999, .centered = true});
  // A gradient that never changes: the mean's square comes to v, but for roundings.
  for (int i = 0; i < 20'000; ++i) {
    weight.cell()->set_grad(tensor({0.1, 3e-20}));
    rmsprop.step();
    if (i % 1000 == 0) rmsprop.load_state_dict(rmsprop.state_dict());
  }
}

TEST_CASE("numbers of a loaded state of L-BFGS that no training comes to are refused") {
  nn::Parameter weight(tensor({1, 2}));
  optim::LBFGS trained({weight.cell()}, {.max_iter = 4});
  const auto loss = [&] { return sum(square(square(weight.tensor() - 3.0))); };
  static_cast<void>(trained.step(loss));
  const nn::StateDict state = trained.state_dict();
  REQUIRE(state.at("s").size(0) >= 2);
  const Tensor y = state.at("y");
  const auto check = [&](const char* name, const std::vector<Tensor>& impossible) {
    CAPTURE(name);
    for (const Tensor& value : impossible) {
      nn::StateDict wrong = state;
      wrong.set(name, value);
      optim::LBFGS other({weight.cell()}, {.max_iter = 4});
      CHECK_THROWS_AS(other.load_state_dict(wrong), ValueError);
      CHECK_FALSE(other.state_dict().contains("s"));
      other.load_state_dict(state);  // it has changed nothing
    }
  };
  check("y", {-y, full(y.shape(), nan), full(y.shape(), -inf), zeros_like(y)});
  check("s", {-state.at("s"), full(y.shape(), nan)});
  check("gradient", {tensor({nan, 1}), tensor({1, inf}), tensor({-inf, 0})});
  check("groups.0.lr", {number(nan), number(-1), number(inf)});
  const auto check_option = [&](const char* name, const std::vector<double>& impossible) {
    CAPTURE(name);
    for (const double value : impossible) {
      nn::StateDict wrong = state;
      wrong.set(name, number(value));
      optim::LBFGS other({weight.cell()}, {.max_iter = 4});
      CHECK_THROWS_AS(other.load_state_dict(wrong, {.adopt_settings = true}), ValueError);
      CHECK(other.options().max_iter == 4);
    }
  };
  check_option("groups.0.max_iter", {nan, 0, -3, 2.5, inf, 1e300});
  check_option("groups.0.max_eval", {nan, -1, 1e30});
  check_option("groups.0.history_size", {nan, -1, -inf});
  check_option("groups.0.line_search", {nan, 2, -1, 0.5});
  check_option("groups.0.tolerance_grad", {nan, -1, inf});
}

TEST_CASE("the message of an impossible count") {
  Trained<optim::Adam, optim::AdamOptions> trained(optim::AdamOptions{});
  nn::StateDict state = trained.optimizer.state_dict();
  state.set("#0.step", count(-1));
  CHECK_THROWS_WITH_AS(trained.optimizer.load_state_dict(state),
                       "load_state_dict: the state does not fit this Adam, which was left as it is:\n"
                       "  impossible: #0.step is a count, from 0 to 2^62: got -1",
                       ValueError);
  state = trained.optimizer.state_dict();
  state.set("groups.0.lr", number(-3));
  CHECK_THROWS_WITH_AS(trained.optimizer.load_state_dict(state),
                       "Adam: the loaded groups.0.lr must be finite and at least 0: got -3", ValueError);
  state = trained.optimizer.state_dict();
  state.set("#0.v", tensor({1, -0.5}));
  CHECK_THROWS_WITH_AS(trained.optimizer.load_state_dict(state),
                       "Adam: the loaded #0.v must not be negative: got -0.5", ValueError);
  // A training may have come to NaN, and -0 is 0.
  state.set("#0.v", tensor({nan, -0.0}));
  trained.optimizer.load_state_dict(state);
  CHECK(testing::same_bits(trained.optimizer.state_dict().at("#0.v"), state.at("#0.v")));
}

}}  // namespace xtgrad
