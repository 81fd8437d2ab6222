// The pure form of L-BFGS: the bits of the class, and derivatives through ten iterations. Both beside a plain
// loop where the parameters' dtypes differ.

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/optim/lbfgs_reference.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/optim/lbfgs.h"

namespace xtgrad { namespace {

using optim::LBFGS;
using optim::LBFGSOptions;
using optim::LBFGSState;
using optim::LBFGSStep;
using optim::LBFGSStepped;
using optim::LineSearch;
using testing::message_of;
using testing::Real;
using testing::RealVector;
using testing::ReferenceLBFGS;
using testing::ReferenceLoss;
using testing::values;
using Inputs = std::span<const Tensor>;

/// A small net on data that it cannot fit, with parameters of two shapes.
struct Problem {
  Tensor x;  // [6, 3]
  Tensor y;  // [6, 2]
  Tensor w;  // [3, 2]
  Tensor b;  // [2]

  explicit Problem(Dtype dtype = float64) {
    Random random(11);
    x = randn({6, 3}, random, {.dtype = dtype});
    y = randn({6, 2}, random, {.dtype = dtype});
    w = randn({3, 2}, random, {.dtype = dtype});
    b = randn({2}, random, {.dtype = dtype});
  }
  [[nodiscard]] Tensor loss(const Tensor& weight, const Tensor& bias) const {
    return 4 * mean(square(tanh(matmul(x, weight.to(x.dtype())) + bias) - y));
  }

  /// w is of float32, the rest of float64.
  static Problem mixed() {
    Problem problem;
    problem.w = problem.w.to(float32);
    return problem;
  }
};

/// The same value as a leaf, if the caller does not differentiate in it already.
Tensor variable(const Tensor& x) { return x.requires_grad() ? x : x.detach().set_requires_grad(); }

/// By `lengths`, if there are any, in turn.
std::vector<Tensor> train(const Problem& problem, std::vector<Tensor> parameters, const LBFGSOptions& options,
                          int iterations, const std::vector<double>& lengths = {}) {
  const EnableGrad record;
  LBFGSState state;
  for (int t = 0; t < iterations; ++t) {
    for (Tensor& parameter : parameters) parameter = variable(parameter);
    const std::vector<Tensor> gradients = grad(
        std::vector<Tensor>{problem.loss(parameters[0], parameters[1])}, parameters, {.create_graph = true});
    const optim::Hyper length = lengths.empty() ? optim::Hyper() : lengths.at(static_cast<std::size_t>(t));
    LBFGSStepped stepped = optim::step(parameters, gradients, state, options, length);
    parameters = std::move(stepped.parameters);
    state = std::move(stepped.state);
  }
  return parameters;
}

struct Trained {
  std::vector<Tensor> parameters;
  LBFGSStep step;
};
Trained train_by_class(const Problem& problem, LBFGSOptions options, int iterations) {
  nn::Parameter w(problem.w), b(problem.b);
  options.max_iter = iterations;
  options.max_eval = 1000;
  LBFGS lbfgs({w.cell(), b.cell()}, options);
  LBFGSStep step = lbfgs.step([&] { return problem.loss(w, b); });
  REQUIRE(step.iterations() == iterations);
  return {{w.tensor(), b.tensor()}, step};
}

const LBFGSOptions searching{.line_search = LineSearch::strong_wolfe};

TEST_CASE("L-BFGS's pure form and the class compute the same bits, also by the lengths of a search") {
  for (const Problem& problem : {Problem(float32), Problem(float64), Problem::mixed()}) {
    for (const std::int64_t history : {0, 2, 100}) {
      const LBFGSOptions options{.lr = 0.3, .history_size = history};
      const Trained by_class = train_by_class(problem, options, 10);
      const std::vector<Tensor> pure = train(problem, {problem.w, problem.b}, options, 10);
      for (std::size_t i = 0; i < 2; ++i) CHECK(values(pure[i]) == values(by_class.parameters[i]));
      CHECK(by_class.step.lengths[1] == 0.3);
    }
    const Trained searched = train_by_class(problem, searching, 10);
    const std::vector<Tensor> replayed =
        train(problem, {problem.w, problem.b}, searching, 10, searched.step.lengths);
    for (std::size_t i = 0; i < 2; ++i) CHECK(values(replayed[i]) == values(searched.parameters[i]));
    // Recorded or not is the same.
    const NoGrad no_grad;
    const std::vector<Tensor> g = [&] {
      const EnableGrad record;
      const std::vector<Tensor> leaves{variable(problem.w), variable(problem.b)};
      return grad(std::vector<Tensor>{problem.loss(leaves[0], leaves[1])}, leaves);
    }();
    const LBFGSStepped plain = optim::step({problem.w, problem.b}, g, {}, LBFGSOptions{});
    CHECK_FALSE(plain.parameters[0].requires_grad());
    CHECK_FALSE(plain.state.move.requires_grad());
  }
}

/// The loss of a mixed problem in plain loops. A gradient has its parameter's dtype.
ReferenceLoss plain_loss(const Problem& problem) {
  return [x = values(problem.x), y = values(problem.y)](const RealVector& p, RealVector& g) {
    g.assign(8, 0);
    Real total = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      for (std::size_t j = 0; j < 2; ++j) {
        Real sum = p[6 + j];
        for (std::size_t k = 0; k < 3; ++k) sum += x[3 * i + k] * p[2 * k + j];
        const Real output = std::tanh(sum), error = output - y[2 * i + j];
        total += error * error / 3;
        const Real slope = 2 * error * (1 - output * output) / 3;
        for (std::size_t k = 0; k < 3; ++k) g[2 * k + j] += slope * x[3 * i + k];
        g[6 + j] += slope;
      }
    }
    for (std::size_t k = 0; k < 6; ++k) g[k] = static_cast<float>(g[k]);
    return total;
  };
}

TEST_CASE("L-BFGS with parameters of both dtypes goes a plain loop's way, between what the parameters hold") {
  const Problem problem = Problem::mixed();
  for (const bool searches : {false, true}) {
    CAPTURE(searches);
    const LBFGSOptions options{.lr = 0.3,
                               .max_iter = 10,
                               .max_eval = 1000,
                               .line_search = searches ? LineSearch::strong_wolfe : LineSearch::none};
    nn::Parameter w(problem.w), b(problem.b);
    LBFGS lbfgs({w.cell(), b.cell()}, options);
    const LBFGSStep step = lbfgs.step([&] { return problem.loss(w, b); });
    REQUIRE(step.iterations() == 10);

    const std::vector<double> first_w = values(problem.w), first_b = values(problem.b);
    RealVector start(first_w.begin(), first_w.end());
    start.insert(start.end(), first_b.begin(), first_b.end());
    ReferenceLBFGS plain{
        .loss = plain_loss(problem),
        .lr = 0.3L,
        .searches = searches,
        .held = [](std::size_t i, Real value) { return i < 6 ? static_cast<float>(value) : value; },
        .x = start};
    RealVector last;
    for (const double length : step.lengths) {
      last = plain.x;
      CHECK(length == doctest::Approx(static_cast<double>(plain.iterate())).epsilon(1e-10));
    }
    const std::vector<double> found_w = values(w.tensor()), found_b = values(b.tensor());
    for (std::size_t i = 0; i < 6; ++i) CHECK(found_w[i] == static_cast<double>(plain.x[i]));
    for (std::size_t j = 0; j < 2; ++j)
      CHECK(std::abs(found_b[j] - static_cast<double>(plain.x[6 + j])) < 1e-10);
    const std::vector<double> move = values(lbfgs.state_dict().at("move"));
    for (std::size_t i = 0; i < 6; ++i) CHECK(move[i] == static_cast<double>(plain.x[i] - last[i]));
  }
}

TEST_CASE("L-BFGS remembers moves between what parameters hold, where these round off most of a move") {
  // Of float32 numbers about 1000 the digits end at 6e-5. The class is told of each point by its loss.
  for (const bool is_mixed : {false, true}) {
    const Dtype other = is_mixed ? float64 : float32;
    nn::Parameter far(tensor({1000.5, 1000.25})), near(tensor({0.5}, {.dtype = other}));
    LBFGS lbfgs({far.cell(), near.cell()}, {.lr = 1e-3, .max_iter = 4, .max_eval = 100});
    std::vector<Tensor> visited;
    lbfgs.step([&] {
      visited.push_back(concat({far.tensor().to(other), near.tensor()}).detach());
      return sum(square(far.tensor() - 1000)).to(other) + sum(square(near.tensor()));
    });
    visited.push_back(concat({far.tensor().to(other), near.tensor()}).detach());
    REQUIRE(visited.size() == 5);
    const Tensor moves = lbfgs.state_dict().at("s");
    REQUIRE(moves.size(0) == 3);
    for (std::int64_t i = 0; i < 3; ++i) {
      const auto at = static_cast<std::size_t>(i);
      CHECK(values(slice(moves, {.start = i, .stop = i + 1})) == values(visited[at + 1] - visited[at]));
    }
    CHECK(values(lbfgs.state_dict().at("move")) == values(visited[4] - visited[3]));
  }
}

void check_derivatives(const char* name, const Problem& problem, const LBFGSOptions& options,
                       const std::vector<double>& lengths, bool in_lr) {
  const auto f = [&](Inputs in) {
    LBFGSOptions with_lr = options;
    if (in_lr) with_lr.lr = sigmoid(in[2]);  // above 0 wherever the check goes
    const std::vector<Tensor> end = train(problem, {in[0], in[1]}, with_lr, 10, lengths);
    return std::vector<Tensor>{problem.loss(end[0], end[1])};
  };
  std::vector<Tensor> inputs{problem.w, problem.b};
  if (in_lr) inputs.push_back(tensor(-0.8, {.dtype = float64}));
  const CheckGradsReport report = check_grads(f, inputs, {.order = 1, .full_jacobian = true, .name = name});
  CHECK_MESSAGE(report.ok(), report.message);
  // Each of them matters, or the check has seen nothing.
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.detach().set_requires_grad());
  for (const Tensor& slope : grad(f(leaves), leaves)) {
    REQUIRE(slope.defined());
    CHECK(sum(abs(slope)).item() > 0);
  }
}

TEST_CASE("hypergradients: L-BFGS, ten iterations by lr, in lr and initial weights") {
  const Problem problem;
  check_derivatives("L-BFGS", problem, {}, {}, true);
  check_derivatives("L-BFGS, history of 2", problem, {.history_size = 2}, {}, true);
  check_derivatives("gradient descent", problem, {.history_size = 0}, {}, true);
}

TEST_CASE(
    "hypergradients: L-BFGS, ten iterations by a search's lengths, in initial weights at constant lengths") {
  const Problem problem;
  const std::vector<double> lengths = train_by_class(problem, searching, 10).step.lengths;
  check_derivatives("L-BFGS by lengths", problem, searching, lengths, false);

  // It is not the derivative of search and step together, in which lengths follow the weights.
  const auto searched_loss = [&](double shift) {
    Problem moved = problem;
    moved.b = problem.b + shift;
    const std::vector<Tensor> end = train_by_class(moved, searching, 2).parameters;
    return problem.loss(end[0], end[1]).item();
  };
  const std::vector<double> first(lengths.begin(), lengths.begin() + 2);
  const Tensor w = variable(problem.w), b = variable(problem.b);
  const std::vector<Tensor> end = train(problem, {w, b}, searching, 2, first);
  const double constant = sum(grad({problem.loss(end[0], end[1])}, {b})[0]).item();
  const double together = (searched_loss(1e-5) - searched_loss(-1e-5)) / 2e-5;
  CHECK(std::abs(constant - together) > 1e-3 * std::abs(together));
}

TEST_CASE("L-BFGS's pure form is differentiable in gradients, state and length, to the second order") {
  Random random(2);
  const auto draw = [&] { return randn({4}, random, {.dtype = float64}); };
  const Tensor p = draw(), g = draw(), before = draw(), s = draw(), y = s + 0.1 * draw();
  // <move, g - before> is positive, so that the pair is kept.
  const Tensor move = g - before + 0.1 * draw(), length = tensor(0.7, {.dtype = float64});
  const auto f = [](Inputs in) {
    LBFGSState state{in[2], in[3], {{in[4], in[5], sum(in[4] * in[5])}}};
    LBFGSStepped next = optim::step({in[0]}, {in[1]}, state, {}, in[6]);
    return std::vector<Tensor>{next.parameters[0], next.state.move, next.state.pairs.back().curvature};
  };
  const CheckGradsReport report =
      check_grads(f, std::vector<Tensor>{p, g, before, move, s, y, length}, {.name = "lbfgs"});
  CHECK_MESSAGE(report.ok(), report.message);
  // The first iteration on either side of where its length is cut.
  for (const double size : {0.1, 10.0}) {
    const CheckGradsReport first = check_grads(
        [](Inputs in) { return optim::step({in[0]}, {in[1]}, {}, LBFGSOptions{.lr = in[2]}).parameters; },
        std::vector<Tensor>{p, size * g / sum(abs(g)), length}, {.name = "first iteration"});
    CHECK_MESSAGE(first.ok(), first.message);
  }
}

TEST_CASE("L-BFGS's pure form leaves arguments, and parameters without a gradient, as they are") {
  const Tensor p = tensor({1, 2}), g = tensor({0.25, -0.5}), other = tensor({{7}});
  const LBFGSOptions options{.lr = 0.5};
  const LBFGSStepped first = optim::step({p, other}, {g, {}}, {}, options);
  CHECK(values(first.parameters[0]) == std::vector<double>{0.875, 2.25});
  CHECK(values(first.parameters[1]) == std::vector<double>{7});
  CHECK(first.state.gradient.shape() == Shape{2});
  CHECK(first.state.pairs.empty());
  const LBFGSState& state = first.state;
  const LBFGSStepped once = optim::step(first.parameters, {0.5 * g, {}}, state, options);
  const LBFGSStepped again = optim::step(first.parameters, {0.5 * g, {}}, state, options);
  CHECK(values(once.parameters[0]) == values(again.parameters[0]));
  CHECK(state.pairs.empty());
  // s = -g / 2 and y = -g / 2: H is 1 along g.
  REQUIRE(once.state.pairs.size() == 1);
  CHECK(values(once.parameters[0]) == std::vector<double>{0.875 - 0.0625, 2.25 + 0.125});
  // Nothing has a gradient; something empty has one.
  CHECK(values(optim::step({p}, {Tensor()}, {}, options).parameters[0]) == std::vector<double>{1, 2});
  CHECK(optim::step({zeros({0, 3})}, {zeros({0, 3})}, {}, options).parameters[0].shape() == Shape{0, 3});
  const Tensor point = tensor(3.0);
  CHECK(optim::step({point}, {tensor(0.5)}, {}, options).parameters[0].item() == 2.75);
}

TEST_CASE("what L-BFGS's pure form refuses") {
  const Tensor p = tensor({1, 2});
  const auto refused = [](auto call) { return message_of([&] { return call().parameters.size(); }); };
  CHECK(refused([&] { return optim::step({p}, {}, {}, LBFGSOptions{}); }) ==
        "LBFGS: got 0 gradients for 1 parameters; an empty handle stands for no gradient");
  CHECK(refused([&] { return optim::step({p}, {p}, {}, searching); }) ==
        "LBFGS: a line search is no formula: give the length that it found, or use LineSearch::none");
  CHECK(refused([&] { return optim::step({p}, {p}, {}, LBFGSOptions{}, -1); }) ==
        "LBFGS: length must be finite and at least 0: got -1");
  CHECK(refused([&] { return optim::step({p}, {p}, {}, LBFGSOptions{.max_iter = 0}); }) ==
        "LBFGS: max_iter must be at least 1: got 0");
  const LBFGSState state = optim::step({p}, {p}, {}, LBFGSOptions{}).state;
  CHECK(refused([&] {
          return optim::step({p, p}, {p, p}, state, LBFGSOptions{});
        }) == "LBFGS: the state's \"gradient\" must be [4] for these parameters: got [2]");
  CHECK(refused([&] {
          const Tensor wide = p.to(float64);
          return optim::step({wide}, {wide}, state, LBFGSOptions{});
        }) == "LBFGS: the state's \"gradient\" must be float64 for these parameters: got float32");
}

TEST_CASE("L-BFGS's pure form names the field of a state that does not fit") {
  for (const Dtype dtype : {float32, float64}) {
    const Dtype other = dtype == float32 ? float64 : float32;
    const Tensor p = tensor({1, 2}, {.dtype = dtype});
    LBFGSState whole = optim::step({p}, {p}, {}, LBFGSOptions{}).state;
    whole = optim::step({p}, {0.5 * p}, whole, LBFGSOptions{}).state;
    whole = optim::step({p}, {0.25 * p}, whole, LBFGSOptions{}).state;
    REQUIRE(whole.pairs.size() == 2);
    const auto step_from = [&](const LBFGSState& state) {
      return optim::step({p}, {p}, state, LBFGSOptions{}).parameters.size();
    };
    CHECK(step_from(whole) == 1);

    struct Field {
      std::string name;
      Callable<Tensor&(LBFGSState&)> of;
      Shape shape;
    };
    const std::vector<Field> fields{
        {"gradient", [](LBFGSState& s) -> Tensor& { return s.gradient; }, {2}},
        {"move", [](LBFGSState& s) -> Tensor& { return s.move; }, {2}},
        {"pairs[0].move", [](LBFGSState& s) -> Tensor& { return s.pairs[0].move; }, {2}},
        {"pairs[1].move", [](LBFGSState& s) -> Tensor& { return s.pairs[1].move; }, {2}},
        {"pairs[1].change", [](LBFGSState& s) -> Tensor& { return s.pairs[1].change; }, {2}},
        {"pairs[0].curvature", [](LBFGSState& s) -> Tensor& { return s.pairs[0].curvature; }, {}}};
    for (const Field& field : fields) {
      const std::string start = "LBFGS: the state's \"" + field.name + "\" must be ";
      const auto with = [&](const Tensor& value) {
        LBFGSState state = whole;
        field.of(state) = value;
        return state;
      };
      const std::string shape = to_string(field.shape) + " for these parameters: got ";
      CHECK(message_of<ShapeError>([&] { return step_from(with({})); }) == start + shape + "none");
      // A shape that would broadcast is wrong, too.
      CHECK(message_of<ShapeError>([&] { return step_from(with(ones({1}, {.dtype = dtype}))); }) ==
            start + shape + "[1]");
      CHECK(message_of<ShapeError>([&] {
              return step_from(with(ones({3, 2}, {.dtype = dtype})));
            }) == start + shape + "[3, 2]");
      for (const Dtype wrong : {other, int64}) {
        CHECK(message_of<DtypeError>([&] { return step_from(with(ones(field.shape, {.dtype = wrong}))); }) ==
              start + std::string(to_string(dtype)) + " for these parameters: got " +
                  std::string(to_string(wrong)));
      }
    }
    // A state is empty or whole.
    const std::string no_gradient =
        "LBFGS: the state's \"gradient\" must be [2] for these parameters: got none";
    CHECK(message_of<ShapeError>([&] { return step_from({.gradient = {}, .move = p, .pairs = {}}); }) ==
          no_gradient);
    CHECK(message_of<ShapeError>(
              [&] { return step_from({.gradient = {}, .move = {}, .pairs = whole.pairs}); }) == no_gradient);
  }
}

}}  // namespace xtgrad
