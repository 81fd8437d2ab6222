// Draws of distributions: moments, supports, shapes and gradients; what parameters are refused for; in
// captured functions.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/distributions.h"

using namespace xtgrad;
using namespace xtgrad::distributions;
using testing::message_of;
using testing::same_bits;

namespace {

constexpr std::int64_t draws = 20000;

Tensor row(const std::vector<double>& values) { return from_vector(values, {.dtype = float64}); }
Tensor number(double value) { return tensor(value, {.dtype = float64}); }

/// The mean over the first axis is within five standard errors of what it should be.
void check_mean(const Tensor& x, const Tensor& want) {
  const Tensor error = stddev(x, {.axes = {0}}) / std::sqrt(static_cast<double>(draws));
  const Tensor distance = abs(mean(x, {.axes = {0}}) - want);
  CAPTURE(to_string(distance));
  CAPTURE(to_string(error));
  CHECK(all(distance <= 5 * error).to(float64).item() == 1);
}

/// Draws have the distribution's mean and variance, and a density.
template <class D>
void check_moments(const D& d, Random& random) {
  const NoGrad no_grad;
  const Tensor x = d.sample({draws}, random);
  CHECK(x.dtype() == d.dtype());
  check_mean(x, d.mean());
  check_mean(square(x - d.mean()), d.variance());
  CHECK(all(isfinite(d.log_prob(x))).to(float64).item() == 1);
}

/// -log_prob is on average the entropy.
template <class D>
void check_entropy(const D& d, Random& random) {
  const NoGrad no_grad;
  check_mean(-d.log_prob(d.sample({draws}, random)), d.entropy());
}

}  // namespace

TEST_CASE("draws have the moments of their distributions, and lie in their supports") {
  Random random(1);
  const Tensor loc = row({-1, 2}), scale = row({0.5, 3}), alpha = row({0.7, 4}), other = row({2, 0.3});
  check_moments(Normal({.loc = loc, .scale = scale}), random);
  check_moments(LogNormal({.loc = loc, .scale = row({0.5, 0.25})}), random);
  check_moments(Laplace({.loc = loc, .scale = scale}), random);
  check_moments(distributions::Uniform({.low = loc, .high = loc + scale}), random);
  check_moments(Exponential({.rate = scale}), random);
  check_moments(Gamma({.concentration = alpha, .rate = other}), random);
  check_moments(Chi2({.df = alpha}), random);
  check_moments(Beta({.concentration1 = alpha, .concentration0 = other}), random);
  check_moments(StudentT({.df = row({9, 30}), .loc = loc, .scale = scale}), random);
  check_moments(Poisson({.rate = row({0.5, 30})}), random);
  check_moments(Bernoulli({.probs = row({0.125, 0.75})}), random);
  check_moments(Dirichlet({.concentration = row({0.3, 2, 4})}), random);
  check_moments(OneHotCategorical({.probs = row({1, 2, 5})}), random);
  const Tensor root = tensor({{1, 0}, {-2, 0.5}}, {.dtype = float64});
  check_moments(MultivariateNormal({.loc = loc, .scale_tril = root}), random);
  check_moments(MixtureSameFamily(Categorical({.probs = row({1, 3})}), Normal({.loc = loc, .scale = scale})),
                random);
  check_entropy(Gamma({.concentration = alpha, .rate = other}), random);
  check_entropy(Beta({.concentration1 = alpha, .concentration0 = other}), random);
  check_entropy(Dirichlet({.concentration = row({0.3, 2, 4})}), random);
  check_entropy(StudentT({.df = alpha, .loc = loc, .scale = scale}), random);
  check_entropy(MultivariateNormal({.loc = loc, .scale_tril = root}), random);
}

TEST_CASE("what two coordinates of a draw have in common is the covariance") {
  Random random(2);
  const MultivariateNormal d(
      {.loc = row({3, -1}), .covariance = tensor({{2, -1.5}, {-1.5, 3}}, {.dtype = float64})});
  const Tensor away = d.sample({draws}, random) - d.mean();
  check_mean(select(away, 1, 0) * select(away, 1, 1), number(-1.5));
}

TEST_CASE("extreme parameters keep draws inside of the support") {
  Random random(3);
  for (const Dtype dtype : {float32, float64}) {
    const Tensor small = full({1000}, 1e-3, {.dtype = dtype});
    const Beta beta({.concentration1 = small, .concentration0 = small});
    CHECK(all(isfinite(beta.log_prob(beta.sample({}, random)))).to(float64).item() == 1);
    const Dirichlet rows({.concentration = full({100, 5}, 1e-3, {.dtype = dtype})});
    CHECK(all(isfinite(rows.log_prob(rows.sample({}, random)))).to(float64).item() == 1);
    const Gamma gamma({.concentration = small, .rate = ones({}, {.dtype = dtype})});
    CHECK(all(isfinite(gamma.log_prob(gamma.sample({}, random)))).to(float64).item() == 1);
    const Bernoulli certain({.probs = tensor({0, 1}, {.dtype = dtype})});
    CHECK(same_bits(certain.sample({100}, random), broadcast_to(certain.probs(), {100, 2})));
  }
}

TEST_CASE("shapes: numbers, batches that broadcast, empty ones, and samples of any shape") {
  const Normal numbers({.loc = number(0), .scale = number(1)});
  CHECK(numbers.sample().shape() == Shape{});
  CHECK(numbers.sample({2, 3}).shape() == Shape{2, 3});
  const Normal batch({.loc = zeros({4, 1}), .scale = ones({3})});
  CHECK(batch.batch_shape() == Shape{4, 3});
  CHECK(batch.dtype() == float32);
  CHECK(batch.rsample({2}).shape() == Shape{2, 4, 3});
  for (const Tensor& each : {batch.entropy(), batch.mean(), batch.variance(), batch.stddev()})
    CHECK(each.shape() == Shape{4, 3});
  CHECK(batch.log_prob(zeros({})).shape() == Shape{4, 3});
  const Gamma gamma({.concentration = ones({3}), .rate = ones({4, 1})});
  CHECK(gamma.rsample({2}).shape() == Shape{2, 4, 3});
  CHECK(gamma.entropy().shape() == Shape{4, 3});
  const StudentT t({.df = ones({2, 1, 1}), .loc = zeros({4, 1}), .scale = ones({3})});
  CHECK(t.rsample({5}).shape() == Shape{5, 2, 4, 3});
  CHECK(t.mean().shape() == Shape{2, 4, 3});
  CHECK(t.entropy().shape() == Shape{2, 4, 3});
  const Dirichlet none({.concentration = ones({0, 3})});
  CHECK(none.rsample({2}).shape() == Shape{2, 0, 3});
  CHECK(none.log_prob(none.sample()).shape() == Shape{0});
  CHECK(Exponential({.rate = ones({0})}).rsample({2}).shape() == Shape{2, 0});
  const Categorical category({.probs = ones({2, 1, 5})});
  CHECK(category.batch_shape() == Shape{2, 1});
  CHECK(category.sample({3}).shape() == Shape{3, 2, 1});
  CHECK(category.sample().dtype() == int64);
  CHECK(category.sample({0}).shape() == Shape{0, 2, 1});
  CHECK(category.log_prob(category.sample({3})).shape() == Shape{3, 2, 1});
  CHECK(Categorical({.probs = ones({0, 5})}).sample({3}).shape() == Shape{3, 0});
}

TEST_CASE("a draw of each distribution of a batch goes to its place") {
  Random random(4);
  const Categorical sure({.probs = tensor({{0, 1, 0}, {0, 0, 1}})});
  const Tensor x = sure.sample({50}, random);
  CHECK(same_bits(x, broadcast_to(tensor({1, 2}, {.dtype = int64}), {50, 2})));
  const MixtureSameFamily mixture(
      sure, Normal({.loc = tensor({{0, 10, 20}, {30, 40, 50}}), .scale = full({3}, 1e-3)}));
  const Tensor y = round(mixture.sample({50}, random));
  CHECK(same_bits(y, broadcast_to(tensor({10.F, 50.F}), {50, 2})));
}

TEST_CASE("rsample has the derivatives of a draw that stays in its place, and sample has none") {
  const Tensor loc = row({-1, 2}), scale = row({0.5, 3});
  const auto f = [](const Tensor& m, const Tensor& s) {
    Random random(5);
    const Shape shape{3};
    const Tensor root = stack({stack({s[0], 0 * s[0]}), s});
    return Normal({.loc = m, .scale = s}).rsample(shape, random) +
           LogNormal({.loc = m, .scale = s}).rsample(shape, random) +
           Laplace({.loc = m, .scale = s}).rsample(shape, random) +
           distributions::Uniform({.low = m, .high = m + s}).rsample(shape, random) +
           Exponential({.rate = s}).rsample(shape, random) +
           Gamma({.concentration = full({2}, 2.5, {.dtype = float64}), .rate = s}).rsample(shape, random) +
           StudentT({.df = full({2}, 2.5, {.dtype = float64}), .loc = m, .scale = s}).rsample(shape, random) +
           MultivariateNormal({.loc = m, .scale_tril = root}).rsample(shape, random);
  };
  const CheckGradsReport report = check_grads(f, {loc, scale}, {.probes = 1});
  CHECK_MESSAGE(report.ok(), report.message);
  const Tensor learning = tensor({1, 2}, {.requires_grad = true});
  CHECK(Exponential({.rate = learning}).rsample().requires_grad());
  CHECK_FALSE(Exponential({.rate = learning}).sample().requires_grad());
  CHECK_FALSE(Categorical({.logits = learning}).sample().requires_grad());
}

TEST_CASE("gradients of draws of gamma, beta and Student's distributions are on average those of means") {
  Random random(6);
  const auto wanting = [](double value) {
    return full({draws}, value, {.dtype = float64, .requires_grad = true});
  };
  const Tensor a = wanting(0.7), b = wanting(2);
  const Tensor gamma = Gamma({.concentration = a, .rate = b}).rsample({}, random);
  check_mean(grad(sum(gamma), a, {.keep_graph = true}), number(1 / 2.0));
  check_mean(grad(sum(gamma), b), number(-0.7 / 4));
  const Tensor beta = Beta({.concentration1 = a, .concentration0 = b}).rsample({}, random);
  check_mean(grad(sum(beta), a, {.keep_graph = true}), number(2 / 7.29));
  check_mean(grad(sum(beta), b), number(-0.7 / 7.29));
  // d/d nu of E|t|^(1/2) by a difference of closed forms.
  const auto half_moment = [](double nu) {
    return std::pow(nu, 0.25) * std::tgamma(0.75) * std::tgamma(nu / 2 - 0.25) /
           (std::sqrt(std::numbers::pi) * std::tgamma(nu / 2));
  };
  const Tensor nu = wanting(3);
  const Tensor t = StudentT({.df = nu, .loc = number(0), .scale = number(1)}).rsample({}, random);
  check_mean(grad(sum(sqrt(abs(t))), nu), number((half_moment(3 + 1e-5) - half_moment(3 - 1e-5)) / 2e-5));
  const Tensor alpha = full({draws, 3}, 1.5, {.dtype = float64, .requires_grad = true});
  const Tensor x = Dirichlet({.concentration = alpha}).rsample({}, random);
  check_mean(grad(sum(square(select(x, 1, 0))), alpha), [] {
    // of a0 (a0 + 1) / (S (S + 1)), S the sum
    const double s = 4.5, value = 1.5 * 2.5 / (s * (s + 1)), others = -value * (1 / s + 1 / (s + 1));
    return row({others + 4.0 / (s * (s + 1)), others, others});
  }());
}

TEST_CASE("distributions refuse parameters by distribution, name, rule and value") {
  const Tensor one = ones({2}), bad = tensor({1.F, -1.F});
  const auto says = [](auto make, const std::string& text) {
    CHECK(message_of([&] { return make().batch_shape(); }) == text);
  };
  says([&] { return Normal({.loc = one, .scale = bad}); }, "Normal: scale must be above 0: got -1 at [1]");
  says([&] { return Normal({.loc = one, .scale = 0 * bad}); }, "Normal: scale must be above 0: got 0 at [0]");
  says([&] { return Normal({.loc = one * std::numeric_limits<double>::quiet_NaN(), .scale = one}); },
       "Normal: loc must be a number: got nan at [0]");
  says([&] { return Normal({.loc = one}); }, "Normal: scale: the handle is empty");
  says([&] { return Normal({.loc = one, .scale = one.to(float64)}); },
       "Normal: dtypes differ: loc is float32, scale is float64; convert with to()");
  says([&] { return Normal({.loc = one.to(int64), .scale = one}); },
       "Normal: loc must be float32 or float64: got int64");
  says([&] { return Normal({.loc = one, .scale = ones({3})}); },
       "Normal: shapes do not broadcast: a is [2], b is [3]");
  says([&] { return LogNormal({.loc = one, .scale = bad}); },
       "LogNormal: scale must be above 0: got -1 at [1]");
  says([&] { return Laplace({.loc = one, .scale = bad}); }, "Laplace: scale must be above 0: got -1 at [1]");
  says([&] { return distributions::Uniform({.low = one, .high = one + bad}); },
       "Uniform: high - low must be above 0: got -1 at [1]");
  says([&] { return Exponential({.rate = bad}); }, "Exponential: rate must be above 0: got -1 at [1]");
  says([&] { return Gamma({.concentration = bad, .rate = one}); },
       "Gamma: concentration must be above 0: got -1 at [1]");
  says([&] { return Chi2({.df = bad}); }, "Chi2: df must be above 0: got -1 at [1]");
  says([&] { return Beta({.concentration1 = one, .concentration0 = bad}); },
       "Beta: concentration0 must be above 0: got -1 at [1]");
  says([&] { return StudentT({.df = bad, .loc = one, .scale = one}); },
       "StudentT: df must be above 0: got -1 at [1]");
  says([&] { return Poisson({.rate = bad}); }, "Poisson: rate must be at least 0: got -1 at [1]");
  says([&] { return Bernoulli({.probs = 2 * one}); }, "Bernoulli: probs must be in [0, 1]: got 2 at [0]");
  says([&] { return Bernoulli({.probs = one, .logits = one}); },
       "Bernoulli: needs one of probs and logits, got both");
  says([&] { return Dirichlet({.concentration = bad}); },
       "Dirichlet: concentration must be above 0: got -1 at [1]");
  says([&] { return Dirichlet({.concentration = tensor(1.F)}); },
       "Dirichlet: concentration must be [..., k], it is []");
  says([&] { return Categorical({}); }, "Categorical: needs one of probs and logits, got none");
  says([&] { return Categorical({.probs = bad}); }, "Categorical: probs must be at least 0: got -1 at [1]");
  says([&] { return Categorical({.probs = 0 * one}); },
       "Categorical: the sum of probs must be above 0: got 0 at [0]");
  says(
      [&] {
        return Categorical({.logits = ones({2, 0})});
      },
      "Categorical: logits must be [..., k] for k > 0, got [2, 0]");
  CHECK(message_of<DtypeError>([&] { return Categorical({.probs = one}).log_prob(one); }) ==
        "Categorical: value must be int64 or int32, got float32");
  CHECK(message_of<DtypeError>([&] {
          return Exponential({.rate = one}).log_prob(row({1, 2}));
        }) == "Exponential: the parameters are float32, value is float64; convert with to()");
  CHECK(message_of<ValueError>([&] { return Exponential({.rate = one}).log_prob(Tensor()); }) ==
        "Exponential: value: the handle is empty");
}

TEST_CASE("MultivariateNormal and MixtureSameFamily refuse what does not fit") {
  const Tensor loc = ones({2}), unit = eye(2);
  const auto says = [](auto make, const std::string& text) {
    CHECK(message_of([&] { return make().batch_shape(); }) == text);
  };
  says([&] { return MultivariateNormal({.loc = loc}); },
       "MultivariateNormal: needs one of covariance, precision and scale_tril, got 0");
  says([&] { return MultivariateNormal({.loc = loc, .covariance = unit, .scale_tril = unit}); },
       "MultivariateNormal: needs one of covariance, precision and scale_tril, got 2");
  says([&] { return MultivariateNormal({.loc = loc, .scale_tril = eye(3)}); },
       "MultivariateNormal: needs loc [..., d] and scale_tril [..., d, d]: loc is [2], scale_tril is [3, 3]");
  says([&] { return MultivariateNormal({.loc = loc, .scale_tril = -unit}); },
       "MultivariateNormal: the diagonal of scale_tril must be above 0: got -1 at [0]");
  says(
      [&] {
        return MultivariateNormal({.loc = loc, .scale_tril = ones({2, 2})});
      },
      "MultivariateNormal: scale_tril above its diagonal must be 0: got 1 at [0, 1]");
  says(
      [&] {
        return MultivariateNormal({.loc = loc, .covariance = ones({2, 2})});
      },
      "MultivariateNormal: covariance must be positive definite: cholesky: the matrix is not positive "
      "definite: "
      "leading minor of order 2");
  const Categorical three({.probs = ones({3})});
  says(
      [&] {
        return MixtureSameFamily(three, Exponential({.rate = ones({5, 2})}));
      },
      "MixtureSameFamily: components of batch shape [5, 2] do not fit a mixture of 3 categories and batch "
      "shape "
      "[]");
  says([&] { return MixtureSameFamily(three, Exponential({.rate = ones({3}, {.dtype = float64})})); },
       "MixtureSameFamily: dtypes differ: the mixture is float32, the components float64");
}

TEST_CASE("a captured function draws anew in each replay, and checks parameters that it has not seen") {
  Random random(8);
  const auto f = [&](const Tensor& loc, const Tensor& scale) {
    const Tensor m = loc.detach().set_requires_grad(), s = scale.detach().set_requires_grad();
    const Normal q({.loc = m, .scale = s});
    const Tensor z = q.rsample({2}, random);
    const Tensor b = Beta({.concentration1 = s, .concentration0 = s}).rsample({}, random);
    const Tensor root = diag(s);
    const MultivariateNormal joint({.loc = m, .scale_tril = root});
    const Tensor loss = sum(q.log_prob(z)) + sum(kl_divergence(q, Normal({.loc = 0 * m, .scale = 2 * s}))) +
                        sum(b) + joint.log_prob(joint.rsample({}, random));
    std::vector<Tensor> all = grad({loss}, {m, s});
    all.push_back(loss.detach());
    return all;
  };
  const Tensor loc = tensor({0.5, -1}), scale = tensor({0.5, 2}), other = tensor({3, 0.25});
  const Random start = random;
  auto replay = capture(f, {loc, scale}, {&random});
  random = start;
  std::vector<std::vector<Tensor>> expected;
  for (const Tensor& s : {scale, other}) expected.push_back(f(loc, s));
  random = start;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::vector<Tensor> found = replay(loc, i == 0 ? scale : other);
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(same_bits(found[k], expected[i][k]));
  }
  CHECK(message_of<ValueError>([&] {
          return replay(loc, -scale);
        }).find("Normal: scale must be above 0: got -0.5 at [0]") != std::string::npos);
}
