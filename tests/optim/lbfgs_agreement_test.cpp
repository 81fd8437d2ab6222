// L-BFGS beside a reference in plain loops, and beside PyTorch.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/optim/lbfgs_reference.h"
#include "tests/optim/reference.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/iris.h"
#include "xtgrad/nn/cross_entropy.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/optim/lbfgs.h"

namespace xtgrad { namespace {

using optim::LBFGS;
using optim::LBFGSOptions;
using optim::LBFGSStep;
using optim::LineSearch;
using testing::Real;
using testing::RealVector;
using testing::ReferenceLBFGS;
using testing::ReferenceLoss;
using testing::values;

Tensor rosenbrock(const Tensor& w) {
  const std::int64_t n = w.numel();
  const Tensor x = slice(w, {.stop = n - 1}), y = slice(w, {.start = 1});
  return sum(square(1 - x) + 100 * square(y - square(x)));
}

Real rosenbrock_reference(const RealVector& w, RealVector& g) {
  g.assign(w.size(), 0);
  Real total = 0;
  for (std::size_t i = 0; i + 1 < w.size(); ++i) {
    const Real rise = w[i + 1] - w[i] * w[i];
    total += (1 - w[i]) * (1 - w[i]) + 100 * rise * rise;
    g[i] += -2 * (1 - w[i]) - 400 * rise * w[i];
    g[i + 1] += 200 * rise;
  }
  return total;
}

/// Where Rosenbrock's function is usually begun.
std::vector<double> usual_start(std::size_t n, double scale = 1) {
  std::vector<double> start(n);
  for (std::size_t i = 0; i < n; ++i) start[i] = scale * (i % 2 == 0 ? -1.2 : 1);
  return start;
}

RealVector reals(const std::vector<double>& x) { return RealVector(x.begin(), x.end()); }

/// The elements of all parameters.
std::vector<double> elements(const std::vector<nn::ParameterRef>& parameters) {
  std::vector<double> all;
  for (const nn::ParameterRef& parameter : parameters) {
    for (const double x : values(parameter->tensor())) all.push_back(x);
  }
  return all;
}

struct Comparison {
  LBFGSOptions options;
  int iterations = 0;
  /// A last digit of an element changes the pairs, which are differences, and so the next directions and
  /// lengths: in Rosenbrock's valley it grows by up to ten in every third iteration. What is seen is
  /// 2e-14 (quadratic) to 5e-12.
  double accuracy = 1e-10;
  bool changes_lr = false;
};

/// The learning rate of an iteration, from the one that the optimizer was made with.
double lr_at(const Comparison& comparison, int iteration) {
  const double lr = comparison.options.lr.value();
  return comparison.changes_lr ? lr * 10 * testing::changing_lr(iteration) : lr;
}

/// The elements after each iteration; with `reloads`, an optimizer that was made anew and given a saved state
/// goes on in the middle.
template <class F>
std::vector<std::vector<double>> course(const std::vector<nn::ParameterRef>& parameters, const F& loss,
                                        const Comparison& comparison, bool reloads) {
  std::vector<std::vector<double>> all;
  LBFGS lbfgs(parameters, comparison.options);
  for (int i = 0; i < comparison.iterations; ++i) {
    if (reloads && i == comparison.iterations / 2) {
      const nn::StateDict saved = lbfgs.state_dict();
      lbfgs = LBFGS(parameters, comparison.options);
      lbfgs.load_state_dict(saved);
    }
    lbfgs.set_lr(lr_at(comparison, i));
    lbfgs.step(loss);
    all.push_back(elements(parameters));
  }
  return all;
}

/// Iteration by iteration: elements, lengths and, with a search, how often the loss was evaluated. Before
/// that, the bits of a course that is saved and loaded in the middle. The parameters end as they began.
template <class F>
void compare(const std::string& name, const std::vector<nn::ParameterRef>& parameters, const F& loss,
             const ReferenceLoss& reference_loss, Comparison comparison) {
  CAPTURE(name);
  LBFGSOptions& options = comparison.options;
  options.max_iter = 1;
  options.tolerance_grad = options.tolerance_change = 0;
  const bool searches = options.line_search == LineSearch::strong_wolfe;
  std::vector<Tensor> start;
  for (const nn::ParameterRef& parameter : parameters) start.push_back(parameter->tensor().detach());
  const auto begin_anew = [&] {
    for (std::size_t k = 0; k < start.size(); ++k) parameters[k]->set_value(start[k]);
  };
  const std::vector<std::vector<double>> reloaded = course(parameters, loss, comparison, true);
  begin_anew();
  CHECK(reloaded == course(parameters, loss, comparison, false));
  begin_anew();
  LBFGS lbfgs(parameters, options);
  ReferenceLBFGS reference{.loss = reference_loss,
                           .lr = options.lr.value(),
                           .searches = searches,
                           .history = static_cast<std::size_t>(options.history_size),
                           .tolerance_change = 0,
                           .x = reals(elements(parameters))};
  double worst = 0;
  std::int64_t evaluations = 0;
  for (int i = 0; i < comparison.iterations; ++i) {
    CAPTURE(i);
    lbfgs.set_lr(lr_at(comparison, i));
    reference.lr = lr_at(comparison, i);
    const LBFGSStep step = lbfgs.step(loss);
    const auto length = static_cast<double>(reference.iterate());
    REQUIRE(step.iterations() == 1);
    CHECK(step.lengths[0] == doctest::Approx(length).epsilon(1e-6));
    evaluations += step.evaluations;
    CHECK(evaluations == reference.evaluations);
    const std::vector<double> got = elements(parameters);
    CHECK(got == reloaded[static_cast<std::size_t>(i)]);
    for (std::size_t k = 0; k < got.size(); ++k) {
      worst = std::max(worst, std::abs(got[k] - static_cast<double>(reference.x[k])));
    }
  }
  MESSAGE(name << ": largest difference " << worst << " after " << comparison.iterations
               << " iterations, loss " << loss().item());
  CHECK(worst < comparison.accuracy);
  CHECK(worst > 0);  // something was compared
  begin_anew();
}

const LBFGSOptions searching{.line_search = LineSearch::strong_wolfe};

TEST_CASE("L-BFGS agrees with plain loops: Rosenbrock in 2 and in 10 dimensions") {
  const auto run = [](const std::string& name, std::size_t n, const Comparison& comparison,
                      double scale = 1) {
    nn::Parameter w(from_vector(usual_start(n, scale)));
    compare(
        name, {w.cell()}, [&] { return rosenbrock(w); }, rosenbrock_reference, comparison);
  };
  run("2, search", 2, {searching, 32});
  run("2, lr 0.5", 2, {{.lr = 0.5}, 50});
  // A last digit grows by up to ten in every third iteration, from the usual start; less so from this one.
  run("10, search", 10, {searching, 32}, -1);
  run("10, search, history of 3", 10, {{.history_size = 3, .line_search = LineSearch::strong_wolfe}, 40});
  run("10, lr 0.5", 10, {{.lr = 0.5}, 40});
}

TEST_CASE("L-BFGS agrees with plain loops: a quadratic, in several parameters of several shapes") {
  constexpr std::size_t n = 20;
  Random random(5);
  // x' A x / 2 - b' x with eigenvalues about 1 to 100.
  const Tensor q = randn({n, n}, random, {.dtype = float64});
  const Tensor a = matmul(q, q, {.transpose_b = true}) + eye(n, n, {.dtype = float64});
  const Tensor b = randn({n}, random, {.dtype = float64});
  const std::vector<double> matrix = values(a), target = values(b);
  const ReferenceLoss reference = [&](const RealVector& x, RealVector& g) {
    g.assign(n, 0);
    Real total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) g[i] += matrix[i * n + j] * x[j];
      total += x[i] * (g[i] / 2 - target[i]);
      g[i] -= target[i];
    }
    return total;
  };
  for (const bool searches : {false, true}) {
    nn::Parameter u(randn({2, 3, 2}, random, {.dtype = float64}));
    nn::Parameter nothing(zeros({0, 3}, {.dtype = float64}));
    nn::Parameter v(randn({}, random, {.dtype = float64}));
    nn::Parameter w(randn({7}, random, {.dtype = float64}));
    const auto loss = [&] {
      const Tensor x = concat({reshape(u, {12}), reshape(v, {1}), w.tensor()});
      return sum(x * (0.5 * reshape(matmul(a, reshape(x, {n, 1})), {n}) - b)) + sum(nothing.tensor());
    };
    compare(searches ? "quadratic, search" : "quadratic, lr 1",
            {u.cell(), nothing.cell(), v.cell(), w.cell()}, loss, reference,
            {searches ? searching : LBFGSOptions{}, 32});
    // With a search the minimum is reached after forty iterations, and only rounding left to search in.
    compare(searches ? "quadratic, search, changing lr" : "quadratic, changing lr",
            {u.cell(), nothing.cell(), v.cell(), w.cell()}, loss, reference,
            {searches ? searching : LBFGSOptions{}, searches ? 40 : 60, 1e-12, true});
  }
}

TEST_CASE("L-BFGS agrees with plain loops: logistic regression of irises") {
  const datasets::Dataset iris = datasets::iris({.dtype = float64});
  const Tensor x = iris.inputs(), labels = iris.labels();
  const std::vector<double> inputs = values(x);
  const std::vector<double> classes = values(labels.to(float64));
  // w [3, 4], then b [3]; a penalty on w, since a class is separable.
  const ReferenceLoss reference = [&](const RealVector& w, RealVector& g) {
    g.assign(15, 0);
    Real total = 0;
    for (std::size_t i = 0; i < 150; ++i) {
      Real scores[3], sum = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        scores[c] = w[12 + c];
        for (std::size_t k = 0; k < 4; ++k) scores[c] += w[4 * c + k] * inputs[4 * i + k];
        sum += std::exp(scores[c]);
      }
      const auto label = static_cast<std::size_t>(classes[i]);
      total += (std::log(sum) - scores[label]) / 150;
      for (std::size_t c = 0; c < 3; ++c) {
        const Real pull = (std::exp(scores[c]) / sum - (c == label ? 1 : 0)) / 150;
        for (std::size_t k = 0; k < 4; ++k) g[4 * c + k] += pull * inputs[4 * i + k];
        g[12 + c] += pull;
      }
    }
    for (std::size_t k = 0; k < 12; ++k) {
      total += w[k] * w[k] / 64;
      g[k] += w[k] / 32;
    }
    return total;
  };
  for (const bool searches : {false, true}) {
    manual_seed(8);
    nn::Linear layer{4, 3};
    layer.to(float64);
    const auto loss = [&] {
      return nn::cross_entropy(layer(x), labels) + sum(square(layer.weight.tensor())) / 64;
    };
    compare(searches ? "irises, search" : "irises, lr 1", layer.parameters(), loss, reference,
            {searches ? searching : LBFGSOptions{}, 32});
  }
}

/// What torch.optim.LBFGS of PyTorch 2.15.0 came to, in float64, with max_iter=1 and as many steps, and its
/// defaults otherwise: the first two elements, and how often the loss was evaluated.
struct Recorded {
  int steps;
  double x, y;
  std::int64_t evaluations;
};

void compare(std::size_t n, LBFGSOptions options, const std::vector<Recorded>& recorded) {
  options.max_iter = 1;
  nn::Parameter w(from_vector(usual_start(n)));
  LBFGS lbfgs({w.cell()}, options);
  int iterations = 0;
  std::int64_t evaluations = 0;
  for (const Recorded& want : recorded) {
    CAPTURE(want.steps);
    for (; iterations < want.steps; ++iterations) {
      evaluations += lbfgs.step([&] { return rosenbrock(w); }).evaluations;
    }
    CHECK(evaluations == want.evaluations);
    CHECK(std::abs(w.tensor().at({0}) - want.x) < 1e-10);
    CHECK(std::abs(w.tensor().at({1}) - want.y) < 1e-10);
  }
}

TEST_CASE("L-BFGS goes PyTorch's way through Rosenbrock's valley") {
  compare(2, {.lr = 0.5},
          {{1, -0.844927536231884, 1.144927536231884, 1},
           {2, -0.9150600556261775, 1.108328200214387, 2},
           {5, -1.0183380191776854, 1.0645190708832233, 5},
           {20, -0.6274488003693928, 0.36544394101030844, 20},
           {40, 0.6362944338168833, 0.39941900046418627, 40},
           {60, 0.9999458371527927, 0.9998885689467901, 60}});
  compare(2, searching,
          {{1, -1.0245319303460325, 1.0716196202669255, 3},
           {2, -1.0284565745562346, 1.068187455748677, 5},
           {5, -1.0203084803940978, 1.0352769866467468, 11},
           {15, -0.04619019171258308, -0.01801156636469505, 33},
           {25, 0.8342517656821654, 0.6981152654335759, 56},
           {35, 0.9999814210791366, 0.9999619651810989, 77},
           // less than tolerance_change is left of the loss
           {40, 0.9999814210791366, 0.9999619651810989, 82}});
  compare(10, {.history_size = 5, .line_search = LineSearch::strong_wolfe},
          {{1, -1.1646209386281587, 0.8700361010830325, 2},
           {10, -0.44912638106074876, 0.21587146824832182, 20},
           {20, 0.2695174535095303, 0.03952070879621346, 44},
           {30, 0.8430834254479808, 0.7176385994809814, 67}});
}

TEST_CASE("L-BFGS's steps of the default limits are PyTorch's") {
  // As above, by steps of up to 20 iterations or 25 evaluations, the later ones of which a tolerance ends.
  const auto check = [](const LBFGSOptions& options, const std::vector<Recorded>& recorded) {
    nn::Parameter w(from_vector(usual_start(2)));
    LBFGS lbfgs({w.cell()}, options);
    std::int64_t evaluations = 0;
    for (const Recorded& want : recorded) {
      CAPTURE(want.steps);
      evaluations += lbfgs.step([&] { return rosenbrock(w); }).evaluations;
      CHECK(evaluations == want.evaluations);
      CHECK(std::abs(w.tensor().at({0}) - want.x) < 1e-10);
      CHECK(std::abs(w.tensor().at({1}) - want.y) < 1e-10);
    }
  };
  check(searching, {{1, 0.38062264334648777, 0.12491013187293636, 25},
                    {2, 0.9999814210791366, 0.9999619651810989, 44},
                    {3, 0.9999814210791366, 0.9999619651810989, 45}});
  check({.lr = 0.5}, {{1, -0.6274488003693928, 0.36544394101030844, 20},
                      {2, 0.6362944338168833, 0.39941900046418627, 40},
                      {3, 0.9999458371527927, 0.9998885689467901, 60},
                      {4, 0.9999864140720967, 0.9999720534599806, 63}});
}

TEST_CASE("one step of many iterations has the bits of as many steps of one") {
  for (const bool is_mixed : {false, true}) {
    for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
      CAPTURE(is_mixed);
      // Rosenbrock's variables, half of them of float32 if it is mixed.
      struct Start {
        nn::Parameter a, b;
        explicit Start(bool with_float32)
            : a(from_vector(usual_start(6)).to(with_float32 ? float32 : float64)),
              b(from_vector(usual_start(4))) {}
        [[nodiscard]] Tensor all() const { return concat({a.tensor().to(float64), b.tensor()}); }
      };
      Start one(is_mixed), many(is_mixed);
      const LBFGSOptions options{
          .lr = 0.5, .max_iter = 30, .max_eval = 1000, .tolerance_change = 0, .line_search = line_search};
      LBFGS at_once({one.a.cell(), one.b.cell()}, options);
      const LBFGSStep step = at_once.step([&] { return rosenbrock(one.all()); });
      REQUIRE(step.iterations() == 30);
      CHECK(step.end == optim::LBFGSEnd::max_iter);
      LBFGSOptions single = options;
      single.max_iter = 1;
      LBFGS by_one({many.a.cell(), many.b.cell()}, single);
      for (std::size_t i = 0; i < 30; ++i) {
        CHECK(by_one.step([&] { return rosenbrock(many.all()); }).lengths.at(0) == step.lengths[i]);
      }
      CHECK(values(one.all()) == values(many.all()));
    }
  }
}

}}  // namespace xtgrad
