// Saving and loading the state of L-BFGS.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/files.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/lbfgs.h"

namespace xtgrad { namespace {

using optim::LBFGS;
using optim::LBFGSOptions;
using optim::LineSearch;
using testing::message_of;
using testing::values;

struct Problem {
  Tensor x, y;
  nn::MLP model{{.sizes = {3, 4, 2}, .activation = nn::ActivationKind::tanh}};

  Problem() {
    Random random(7);
    x = randn({12, 3}, random);
    y = randn({12, 2}, random);
  }
  Tensor loss() { return nn::mse_loss(model(x), y); }
  void train(LBFGS& lbfgs, int steps) {
    for (int i = 0; i < steps; ++i) lbfgs.step([this] { return loss(); });
  }
};

std::vector<std::string> names(const nn::StateDict& state) {
  std::vector<std::string> all;
  for (const auto& entry : state) all.push_back(entry.name);
  return all;
}

bool same(const nn::StateDict& a, const nn::StateDict& b) {
  if (names(a) != names(b)) return false;
  for (const auto& entry : a) {
    const Tensor& other = b.at(entry.name);
    if (entry.value.shape() != other.shape() || entry.value.dtype() != other.dtype()) return false;
    if (values(entry.value) != values(other)) return false;
  }
  return true;
}

void check_continuation(Dtype dtype, const LBFGSOptions& options) {
  const DefaultDtype scope(dtype);
  manual_seed(3);
  Problem problem;
  LBFGS lbfgs(problem.model.parameters(), options);
  problem.train(lbfgs, 4);
  lbfgs.set_lr(0.75);
  const testing::TemporaryFolder folder;
  const std::string model_file = folder.path() / "model.safetensors";
  const std::string state_file = folder.path() / "lbfgs.safetensors";
  nn::save(model_file, problem.model.state_dict());
  nn::save(state_file, lbfgs.state_dict());
  const nn::StateDict saved = lbfgs.state_dict();
  problem.train(lbfgs, 4);

  Problem other;
  LBFGS resumed(other.model.parameters(), options);
  other.model.load_state_dict(nn::load(model_file));
  resumed.load_state_dict(nn::load(state_file));
  CHECK(resumed.lr() == 0.75);
  CHECK(same(resumed.state_dict(), saved));
  other.train(resumed, 4);
  CHECK(same(other.model.state_dict(), problem.model.state_dict()));
  CHECK(same(resumed.state_dict(), lbfgs.state_dict()));
  CHECK_FALSE(same(resumed.state_dict(), saved));
}

TEST_CASE("L-BFGS continued from a saved state has the bits of one without interruption") {
  for (const Dtype dtype : {float32, float64}) {
    for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
      // Pairs are dropped after the sixth, before and after the saving.
      for (const std::int64_t history : {0, 6, 100}) {
        check_continuation(dtype, {.lr = 0.5,
                                   .max_iter = 3,
                                   .max_eval = 100,
                                   .tolerance_change = 0,
                                   .history_size = history,
                                   .line_search = line_search});
      }
    }
  }
}

TEST_CASE("looking at the state of L-BFGS changes nothing") {
  manual_seed(3);
  Problem one, two;
  two.model.load_state_dict(one.model.state_dict());
  LBFGS plain(one.model.parameters(), {.max_iter = 3, .line_search = LineSearch::strong_wolfe});
  LBFGS watched(two.model.parameters(), plain.options());
  for (int i = 0; i < 4; ++i) {
    one.train(plain, 1);
    two.train(watched, 1);
    static_cast<void>(watched.state_dict());
    const LBFGS copy = watched;
    CHECK(same(copy.state_dict(), watched.state_dict()));
  }
  CHECK(same(one.model.state_dict(), two.model.state_dict()));
}

TEST_CASE("the names in a state of L-BFGS, and what it is loaded into") {
  manual_seed(3);
  Problem problem;
  const std::vector<nn::ParameterRef> parameters = problem.model.parameters();
  parameters[3]->set_requires_grad(false);
  LBFGS lbfgs(parameters,
              {.lr = 0.5, .max_iter = 3, .max_eval = 100, .line_search = LineSearch::strong_wolfe});
  CHECK(names(lbfgs.state_dict()) ==
        std::vector<std::string>{"groups.0.lr", "groups.0.max_iter", "groups.0.max_eval",
                                 "groups.0.tolerance_grad", "groups.0.tolerance_change",
                                 "groups.0.history_size", "groups.0.line_search"});
  problem.train(lbfgs, 1);
  const nn::StateDict state = lbfgs.state_dict();
  CHECK(names(state) == std::vector<std::string>{"groups.0.lr", "groups.0.max_iter", "groups.0.max_eval",
                                                 "groups.0.tolerance_grad", "groups.0.tolerance_change",
                                                 "groups.0.history_size", "groups.0.line_search", "learns",
                                                 "gradient", "move", "s", "y"});
  CHECK(values(state.at("learns").to(int64)) == std::vector<double>{1, 1, 1, 0});
  CHECK(state.at("gradient").shape() == Shape{24});  // of 26
  CHECK(state.at("s").shape() == Shape{2, 24});
  CHECK(state.at("groups.0.lr").item() == 0.5);

  problem.train(lbfgs, 1);
  CHECK_THROWS_WITH_AS(
      lbfgs.load_state_dict(state),
      "load_state_dict: the state does not fit this LBFGS, which was left as it is:\n"
      "  different: s is float32 [5, 24], the state has float32 [2, 24]; "
      "y is float32 [5, 24], the state has float32 [2, 24]\n"
      "  to keep what differs as it is, leave it out: state.erase(\"s\"), and pass {.strict = false}",
      ValueError);
  CHECK(lbfgs.state_dict().at("s").size(0) == 5);
  lbfgs.drop_history();
  lbfgs.load_state_dict(state);
  CHECK(same(lbfgs.state_dict(), state));
}

TEST_CASE("L-BFGS names what is wrong with a loaded state, and goes on without it") {
  manual_seed(3);
  Problem problem;
  LBFGS lbfgs(problem.model.parameters(), {.max_iter = 3, .max_eval = 100});
  problem.train(lbfgs, 1);
  const nn::StateDict state = lbfgs.state_dict();
  const auto refused = [&](const std::string& name, const Tensor& value, const std::string& message) {
    nn::StateDict wrong = state;
    wrong.set(name, value);
    LBFGS other(problem.model.parameters(), {.max_iter = 3, .max_eval = 100});
    other.load_state_dict(wrong);
    const nn::StateDict before = problem.model.state_dict();
    CHECK(message_of([&] { return other.step([&] { return problem.loss(); }).iterations(); }) ==
          "LBFGS: the state's \"" + message);
    CHECK(same(problem.model.state_dict(), before));
    other.drop_history();
    problem.train(other, 1);
    problem.model.load_state_dict(before);
  };
  refused("gradient", ones({3}), "gradient\" must be [26] for these parameters: got [3]");
  refused("move", ones({26, 1}), "move\" must be [26] for these parameters: got [26, 1]");
  refused("s", ones({2, 7}), "s\" must be [2, 26] for these parameters: got [2, 7]");
  refused("s", tensor(1), "s\" must be [0, 26] for these parameters: got []");
  refused("y", ones({5, 26}), "y\" must be [2, 26] for these parameters: got [5, 26]");
  refused("learns", ones({3}, {.dtype = boolean}), "learns\" must be [4] for these parameters: got [3]");
  refused("learns", ones({4}), "learns\" must be bool for these parameters: got float32");
  refused("s", ones({2, 26}, {.dtype = int64}), "s\" must be float32 for these parameters: got int64");
  nn::StateDict spoilt = state;
  // Finite, but their products are not.
  spoilt.set("gradient", full({26}, -3e38));
  spoilt.set("move", full({26}, 3e38));
  LBFGS with_spoilt(problem.model.parameters(), {.max_iter = 3, .max_eval = 100});
  with_spoilt.load_state_dict(spoilt);
  CHECK_THROWS_WITH_AS(problem.train(with_spoilt, 1),
                       "LBFGS: step: the slope along the direction must not be NaN, which the history has "
                       "led to; drop_history "
                       "makes the next step begin anew",
                       ValueError);
  nn::StateDict lacking = state;
  lacking.erase("gradient");
  LBFGS other(problem.model.parameters(), {.max_iter = 3, .max_eval = 100});
  other.load_state_dict(lacking);
  CHECK_THROWS_WITH_AS(problem.train(other, 1),
                       "LBFGS: the state's \"gradient\" must be [26] for these parameters: got none",
                       ShapeError);
}

TEST_CASE("a search along a direction that overflows finds nothing, and gives the parameters back") {
  // Finite, but s <y, d> / <s, y> is not, in float32.
  nn::Parameter w(tensor({1, 1}));
  LBFGS lbfgs({w.cell()}, {.max_iter = 1, .line_search = LineSearch::strong_wolfe});
  nn::StateDict state = lbfgs.state_dict();
  state.set("learns", ones({1}, {.dtype = boolean}));
  state.set("gradient", tensor({1, 0}));
  state.set("move", tensor({0, 0}));
  state.set("s", tensor({{1e25, 0}}));
  state.set("y", tensor({{1e-18, 1}}));
  lbfgs.load_state_dict(state);
  const auto loss = [&] { return sum(w.tensor() * tensor({1, 0})); };
  const optim::LBFGSStep step = lbfgs.step(loss);
  CHECK(step.end == optim::LBFGSEnd::no_decrease);
  CHECK(values(w.tensor()) == std::vector<double>{1, 1});
  // The history is dropped, so the next step goes down the gradient.
  CHECK(lbfgs.step(loss).iterations() == 1);
  CHECK(values(w.tensor())[0] < 1);
}

}}  // namespace xtgrad
