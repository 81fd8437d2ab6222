// Divergences of two distributions: PyTorch's values, derivatives, and means over draws.
#include "xtgrad/nn/distributions/kl_divergence.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "tests/nn/support.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/chi2.h"

using namespace xtgrad;
using namespace xtgrad::distributions;
using testing::message_of;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor row(const std::vector<double>& values) { return from_vector(values, {.dtype = float64}); }

// The parameters of all pairs.
const std::vector<Tensor> parameters = {
    row({0.5, -1, 2}),       row({0.5, 1, 2.5}),   row({0.7, 2, 3.5}),      row({1.5, 0.4, 2.25}),
    row({0.25, 0.875, 0.5}), row({-1.25, 0.5, 3}), row({0.125, 0.5, 0.75}), row({0.25, 0.5, 0.875})};

struct Pair {
  const char* name;
  std::function<Tensor(const std::vector<Tensor>&)> divergence;
  std::vector<double> values;
};

// x = {mu, s, a, b, unit, y, p, q}
const std::vector<Pair> pairs = {
    {"Bernoulli",
     [](const auto& x) { return kl_divergence(Bernoulli({.probs = x[6]}), Bernoulli({.probs = x[7]})); },
     {0.048238447278857871, 0, 0.05767378526954256}},
    {"Bernoulli of logits",
     [](const auto& x) {
       return kl_divergence(Bernoulli({.logits = logit(x[6])}), Bernoulli({.logits = logit(x[7])}));
     },
     {0.048238447278857871, 0, 0.05767378526954256}},
    {"Beta",
     [](const auto& x) {
       return kl_divergence(Beta({.concentration1 = x[2], .concentration0 = x[3]}),
                            Beta({.concentration1 = x[3], .concentration0 = x[1]}));
     },
     {1.3120952927723675, 1.8968567298292309, 0.21793269925507763}},
    {"Exponential",
     [](const auto& x) { return kl_divergence(Exponential({.rate = x[2]}), Exponential({.rate = x[3]})); },
     {0.38071709081024618, 0.80943791243410024, 0.084689895136182081}},
    {"Gamma",
     [](const auto& x) {
       return kl_divergence(Gamma({.concentration = x[2], .rate = x[3]}),
                            Gamma({.concentration = x[3], .rate = x[1]}));
     },
     {1.775621125126934, 4.1066164611096685, 0.45467164201065585}},
    {"Laplace",
     [](const auto& x) {
       return kl_divergence(Laplace({.loc = x[0], .scale = x[1]}), Laplace({.loc = x[5], .scale = x[3]}));
     },
     {1.2753447498088826, 2.3915346684969192, 0.083883979937328323}},
    {"LogNormal",
     [](const auto& x) {
       return kl_divergence(LogNormal({.loc = x[0], .scale = x[1]}), LogNormal({.loc = x[5], .scale = x[3]}));
     },
     {1.3347233997792212, 8.739959268125844, 0.11068886705822309}},
    {"Normal",
     [](const auto& x) {
       return kl_divergence(Normal({.loc = x[0], .scale = x[1]}), Normal({.loc = x[5], .scale = x[3]}));
     },
     {1.3347233997792212, 8.739959268125844, 0.11068886705822309}},
    {"Poisson",
     [](const auto& x) { return kl_divergence(Poisson({.rate = x[2]}), Poisson({.rate = x[3]})); },
     {0.26650196356717226, 1.6188758248682005, 0.2964146329766375}},
    {"Uniform",
     [](const auto& x) {
       return kl_divergence(Uniform({.low = x[4], .high = x[4] + x[1]}),
                            Uniform({.low = x[4] - 1, .high = x[4] + x[1] + x[3]}));
     },
     {1.791759469228055, 0.87546873735389985, 0.83290912293510388}},
    {"Bernoulli, Poisson",
     [](const auto& x) { return kl_divergence(Bernoulli({.probs = x[6]}), Poisson({.rate = x[3]})); },
     {1.0725467002300426, 0.16499818537713218, 1.0794671932189452}},
    {"Beta, Exponential",
     [](const auto& x) {
       return kl_divergence(Beta({.concentration1 = x[2], .concentration0 = x[3]}),
                            Exponential({.rate = x[1]}));
     },
     {1.0844939132955114, 1.9519694320496881, 0.89590491133145811}},
    {"Beta, Gamma",
     [](const auto& x) {
       return kl_divergence(Beta({.concentration1 = x[2], .concentration0 = x[3]}),
                            Gamma({.concentration = x[3], .rate = x[1]}));
     },
     {2.1924437611597787, 2.6105771489901932, 0.57113037440952685}},
    {"Beta, Normal",
     [](const auto& x) {
       return kl_divergence(Beta({.concentration1 = x[2], .concentration0 = x[3]}),
                            Normal({.loc = x[0], .scale = x[1]}));
     },
     {0.65975172174393004, 3.7385550240778906, 2.2833669372699483}},
    {"Beta, Uniform",
     [](const auto& x) {
       return kl_divergence(Beta({.concentration1 = x[2], .concentration0 = x[3]}),
                            Uniform({.low = -x[4], .high = 1 + x[1]}));
     },
     {0.79187161158007968, 2.1746887729656685, 1.6767508738907211}},
    {"Exponential, Gamma",
     [](const auto& x) {
       return kl_divergence(Exponential({.rate = x[2]}), Gamma({.concentration = x[3], .rate = x[1]}));
     },
     {0.38681966403305501, 0.22760729098484234, 1.3177395427027561}},
    {"Exponential, Normal",
     [](const auto& x) {
       return kl_divergence(Exponential({.rate = x[2]}), Normal({.loc = x[0], .scale = x[1]}));
     },
     {4.6752388576855886, 1.8620857137646181, 2.3296248866354201}},
    {"Gamma, Exponential",
     [](const auto& x) {
       return kl_divergence(Gamma({.concentration = x[2], .rate = x[3]}), Exponential({.rate = x[1]}));
     },
     {0.7370854415791569, 2.5064936032243121, 1.8404463724970959}},
    {"Gamma, Normal",
     [](const auto& x) {
       return kl_divergence(Gamma({.concentration = x[2], .rate = x[3]}),
                            Normal({.loc = x[0], .scale = x[1]}));
     },
     {0.66084072477505018, 22.675432136428981, 0.77418859167230103}},
    {"Laplace, Normal",
     [](const auto& x) {
       return kl_divergence(Laplace({.loc = x[0], .scale = x[1]}), Normal({.loc = x[5], .scale = x[3]}));
     },
     {1.1160703079795038, 11.590750620770571, 0.45376417032023442}},
    {"Normal, Laplace",
     [](const auto& x) {
       return kl_divergence(Normal({.loc = x[0], .scale = x[1]}), Laplace({.loc = x[5], .scale = x[3]}));
     },
     {1.5395265899689967, 2.254451884294141, 0.12537888046956414}},
    {"Uniform, Beta",
     [](const auto& x) {
       return kl_divergence(Uniform({.low = 0.5 * x[4], .high = x[4]}),
                            Beta({.concentration1 = x[2], .concentration0 = x[3]}));
     },
     {1.7189485864481211, 1.1595046330072116, 1.4413634620313907}},
    {"Uniform, Exponential",
     [](const auto& x) {
       return kl_divergence(Uniform({.low = x[4], .high = x[4] + x[1]}), Exponential({.rate = x[2]}));
     },
     {1.3998221244986779, 2.0568528194400546, 3.9559462996304768}},
    {"Uniform, Gamma",
     [](const auto& x) {
       return kl_divergence(Uniform({.low = x[4], .high = x[4] + x[1]}),
                            Gamma({.concentration = x[2], .rate = x[3]}));
     },
     {1.198676072980579, 2.0871002587849015, 0.24151665743146689}},
    {"Uniform, Normal",
     [](const auto& x) {
       return kl_divergence(Uniform({.low = x[4], .high = x[4] + x[1]}),
                            Normal({.loc = x[0], .scale = x[3]}));
     },
     {2.022180451502412, 17.890017592997179, 0.87119118627112613}},
};

/// |got - want| is within rounding of values as large as those of the formula's terms, some tens.
bool is_near(const Tensor& got, const std::vector<double>& want, double tolerance = 2e-14) {
  const std::vector<double> found = nn_test::elements(got);
  REQUIRE(found.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(found[i]);
    CAPTURE(want[i]);
    if (found[i] != want[i] && !(std::abs(found[i] - want[i]) <= tolerance * (1 + std::abs(want[i]))))
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("divergences are PyTorch's, with derivatives, and no less in float32") {
  for (const Pair& pair : pairs) {
    CAPTURE(pair.name);
    CHECK(is_near(pair.divergence(parameters), pair.values));
    std::vector<Tensor> narrow;
    for (const Tensor& each : parameters) narrow.push_back(each.to(float32));
    const Tensor result = pair.divergence(narrow);
    CHECK(result.dtype() == float32);
    CHECK(is_near(result, pair.values, 1e-5));
    // In the parameters that it reads; the others are inputs that it does not depend on.
    const auto f = [&](std::span<const Tensor> in) {
      Tensor y = pair.divergence({in.begin(), in.end()});
      for (const Tensor& each : in) y = y + 0 * each;
      return std::vector{y};
    };
    const CheckGradsReport report = check_grads(f, parameters, {.probes = 1});
    CHECK_MESSAGE(report.ok(), report.message);
  }
}

TEST_CASE("divergences of rows: Dirichlet, Categorical, MultivariateNormal, Independent") {
  const Tensor alpha = tensor({{0.7, 2, 3.5}, {1, 1, 1}}, {.dtype = float64});
  const Tensor x = tensor({{0.25, 0.25, 0.5}, {0.125, 0.5, 0.375}}, {.dtype = float64});
  CHECK(is_near(kl_divergence(Dirichlet({.concentration = alpha}), Dirichlet({.concentration = alpha + x})),
                {0.050683144445412998, 0.10282701882952661}));
  const Tensor logits = tensor({{0.3, -1, 2}, {0, 0, 1}}, {.dtype = float64});
  const std::vector<double> of_categories = {0.40403282765861975, 0.11998756307356484};
  CHECK(is_near(kl_divergence(Categorical({.logits = logits}), Categorical({.logits = x})), of_categories));
  CHECK(is_near(kl_divergence(OneHotCategorical({.logits = logits}), OneHotCategorical({.logits = x})),
                of_categories));
  const Tensor loc = row({1, -1, 0.5});
  const MultivariateNormal p(
      {.loc = loc, .scale_tril = tensor({{1, 0, 0}, {0.5, 2, 0}, {-1, 0.25, 0.5}}, {.dtype = float64})});
  const MultivariateNormal q(
      {.loc = zeros({3}, {.dtype = float64}), .covariance = 2 * eye(3, 3, {.dtype = float64}) + 0.5});
  CHECK(is_near(kl_divergence(p, q), {1.8150643790933434}, 1e-13));
  CHECK(is_near(kl_divergence(q, p), {17.567190085192372}, 1e-13));
  const MultivariateNormal batch({.loc = stack({loc, loc}), .scale_tril = p.scale_tril()});
  CHECK(is_near(kl_divergence(batch, q), {1.8150643790933434, 1.8150643790933434}, 1e-13));
  const Normal first({.loc = logits, .scale = exp(x)}), second({.loc = x, .scale = exp(logits)});
  CHECK(is_near(kl_divergence(Independent(first, 1), Independent(second, 1)),
                nn_test::elements(sum(kl_divergence(first, second), {.axes = {-1}}))));
}

TEST_CASE("a divergence is infinite where q has not the draws of p, and 0 times nothing is nothing") {
  const auto [low, high, one] = std::tuple(row({-1, 0.25}), row({0.5, 2}), row({1, 1}));
  const Uniform wide({.low = low, .high = high});
  const Beta beta({.concentration1 = one, .concentration0 = one});
  const Gamma gamma({.concentration = one, .rate = one});
  CHECK(is_near(kl_divergence(wide, beta), {inf, inf}));
  CHECK(is_near(kl_divergence(wide, gamma), {inf, nn_test::elements(kl_divergence(wide, gamma))[1]}));
  CHECK(is_near(kl_divergence(wide, Exponential({.rate = one})), {inf, 1.125 - std::log(1.75)}));
  CHECK(is_near(kl_divergence(beta, wide), {inf, inf}));
  CHECK(is_near(kl_divergence(Normal({.loc = one, .scale = one}), gamma), {inf, inf}));
  CHECK(is_near(kl_divergence(Poisson({.rate = one}), Bernoulli({.probs = one})), {inf, inf}));
  const Categorical some({.probs = row({1, 1, 0})}), other({.probs = row({1, 0, 0})});
  CHECK(kl_divergence(other, some).item() == doctest::Approx(std::log(2)));
  CHECK(kl_divergence(some, other).item() == inf);
  const Bernoulli never({.probs = row({0})}), half({.probs = row({0.5})});
  CHECK(kl_divergence(never, never).item() == 0);
  CHECK(kl_divergence(never, half).item() == doctest::Approx(std::log(2)));
  CHECK(kl_divergence(half, never).item() == inf);
  CHECK(kl_divergence(Poisson({.rate = row({0})}), Poisson({.rate = row({3})})).item() == 3);
}

TEST_CASE("divergences are the mean of log p - log q over draws") {
  Random random(4);
  const auto mean_is = [&](const auto& p, const auto& q) {
    const NoGrad no_grad;
    const Tensor x = p.sample({20000}, random);
    const Tensor difference = p.log_prob(x) - q.log_prob(x);
    const double error = stddev(difference).item() / std::sqrt(20000.0);
    CHECK(std::abs(mean(difference).item() - kl_divergence(p, q).item()) < 5 * error);
  };
  const auto number = [](double value) { return tensor(value, {.dtype = float64}); };
  mean_is(Chi2({.df = number(3)}), Gamma({.concentration = number(2), .rate = number(0.75)}));
  mean_is(Beta({.concentration1 = number(0.5), .concentration0 = number(2)}),
          Gamma({.concentration = number(0.7), .rate = number(3)}));
  mean_is(Normal({.loc = number(1), .scale = number(2)}), Laplace({.loc = number(0), .scale = number(1)}));
}

TEST_CASE("divergences refuse what does not fit") {
  const Categorical two({.probs = row({1, 1})}), three({.probs = row({1, 1, 1})});
  CHECK(message_of<ShapeError>([&] { return kl_divergence(two, three); }) ==
        "kl_divergence: Categorical of 2 categories, and of 3");
  const Normal normal({.loc = row({1, 1}), .scale = row({1, 1})});
  CHECK(message_of<ShapeError>([&] {
          return kl_divergence(Independent(normal, 1), Independent(normal, 0));
        }) == "kl_divergence: events of Independent differ: 1 dimensions and 0 dimensions");
  CHECK(message_of<DtypeError>([&] { return kl_divergence(normal, Exponential({.rate = ones({2})})); }) ==
        "kl_divergence: dtypes differ: float64 and float32");
}
