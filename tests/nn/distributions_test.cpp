// Distributions: densities, entropies and moments are PyTorch's, in float64; shapes, supports and errors.
#include "xtgrad/nn/distributions.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/nn/support.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using namespace xtgrad::distributions;
using testing::message_of;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor row(const std::vector<double>& values) { return from_vector(values, {.dtype = float64}); }

const Tensor mu = row({0.5, -1, 2}), sigma = row({0.5, 1, 2.5}), a = row({0.7, 2, 3.5}),
             b = row({1.5, 0.4, 2.25});
const Tensor unit = row({0.25, 0.875, 0.5}), y = row({-1.25, 0.5, 3}), share = row({0.25, 0.5, 0.875});

void check(const Tensor& got, const std::vector<double>& want, double tolerance = 1e-13) {
  const std::vector<double> found = nn_test::elements(got);
  REQUIRE(found.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    CAPTURE(found[i]);
    CAPTURE(want[i]);
    const bool same = found[i] == want[i];  // infinities, too
    const double error = same ? 0 : std::abs(found[i] - want[i]);
    CHECK(error <= tolerance * (1 + std::abs(want[i])));
  }
}

/// The derivatives of order 1 and 2 of what a function makes of parameters and a value.
template <std::size_t n, class F>
void check_derivatives(F f, const Tensor (&inputs)[n]) {
  const CheckGradsReport report = check_grads(f, inputs, {.probes = 1});
  CHECK_MESSAGE(report.ok(), report.message);
}

}  // namespace

TEST_CASE("Normal") {
  const Normal d({.loc = mu, .scale = sigma});
  check(d.log_prob(y), {-6.3507913526447268, -2.0439385332046727, -1.9152292650788278});
  check(d.entropy(), {0.72579135264472738, 1.4189385332046727, 2.3352292650788278});
  check(d.mean(), {0.5, -1, 2});
  check(d.variance(), {0.25, 1, 6.25});
  check(d.stddev(), {0.5, 1, 2.5});
  check(d.cdf(y), {0.00023262907903554009, 0.93319279873114191, 0.65542174161032418});
  check(d.icdf(share), {0.16275512490195909, -1, 4.8758734509400208});
  check_derivatives(
      [](const Tensor& m, const Tensor& s, const Tensor& x) {
        const Normal p({.loc = m, .scale = s});
        return p.log_prob(x) + p.entropy() + p.cdf(x) + p.icdf(p.cdf(x) * 0.5);
      },
      {mu, sigma, unit});
}

TEST_CASE("LogNormal") {
  const LogNormal d({.loc = mu, .scale = sigma});
  check(d.log_prob(a), {-1.3369003278508558, -3.0454594012836642, -3.1326612880743441});
  check(d.entropy(), {1.2257913526447273, 0.41893853320467267, 4.3352292650788282});
  check(d.mean(), {1.8682459574322223, 0.60653065971263342, 168.17414165184545});
  check(d.variance(), {0.99134611287622354, 0.63212055882855778, 14622436.887033179});
  check(d.stddev(),
        {std::sqrt(0.99134611287622354), std::sqrt(0.63212055882855778), std::sqrt(14622436.887033179)});
  check(d.cdf(a), {0.043324094787209, 0.95478627220977585, 0.38251015261669946});
  check(d.icdf(share), {1.1767484980006058, 0.36787944117144233, 131.0886026837826});
  check(d.log_prob(row({0, -1, inf})), {-inf, -inf, -inf});
  check(d.cdf(row({0, -1, inf})), {0, 0, 1});
  check_derivatives(
      [](const Tensor& m, const Tensor& s, const Tensor& x) {
        const LogNormal p({.loc = m, .scale = s});
        return p.log_prob(x) + p.entropy() + p.mean() + p.cdf(x);
      },
      {mu, 0.3 * sigma, a});
}

TEST_CASE("Laplace") {
  const Laplace d({.loc = mu, .scale = sigma});
  check(d.log_prob(y), {-3.5, -2.1931471805599454, -2.0094379124341004});
  check(d.entropy(), {1, 1.6931471805599454, 2.6094379124341005});
  check(d.mean(), {0.5, -1, 2});
  check(d.variance(), {0.5, 2, 12.5});
  check(d.stddev(), {std::sqrt(0.5), std::sqrt(2), std::sqrt(12.5)});
  check(d.cdf(y), {0.01509869171115924, 0.88843491992578505, 0.66483997698218034});
  check(d.icdf(share), {0.15342640972002736, -1, 5.465735902799727});
  // In the middle, where its halves meet, the distribution function has a slope.
  const Tensor middle = tensor(0, {.dtype = float64, .requires_grad = true});
  const Laplace standard({.loc = zeros({}, {.dtype = float64}), .scale = ones({}, {.dtype = float64})});
  CHECK(grad(standard.cdf(middle), middle).item() == 0.5);
  check_derivatives(
      [](const Tensor& m, const Tensor& s, const Tensor& x) {
        const Laplace p({.loc = m, .scale = s});
        return p.log_prob(x) + p.entropy() + p.cdf(x) + p.icdf(p.cdf(x) * 0.9);
      },
      {mu, sigma, y});
}

TEST_CASE("Uniform") {
  const Uniform d({.low = mu, .high = mu + sigma});
  const Tensor x = mu + 0.25 * sigma;
  check(d.log_prob(x), {0.69314718055994529, 0, -0.91629073187415511});
  check(d.entropy(), {-0.69314718055994529, 0, 0.91629073187415511});
  check(d.mean(), {0.75, -0.5, 3.25});
  check(d.variance(), {0.020833333333333332, 0.083333333333333329, 0.52083333333333337});
  check(d.stddev(), {0.5 / std::sqrt(12), 1 / std::sqrt(12), 2.5 / std::sqrt(12)});
  check(d.cdf(x), {0.25, 0.25, 0.25});
  check(d.icdf(share), {0.625, -0.5, 4.1875});
  check(d.log_prob(row({0.25, -1, 5})), {-inf, 0, -inf});
  check(d.cdf(row({0.25, -1, 5})), {0, 0, 1});
  CHECK(std::isnan(d.log_prob(tensor(std::nan(""), {.dtype = float64})).at({0})));
  check_derivatives(
      [](const Tensor& low, const Tensor& width, const Tensor& at) {
        const Uniform p({.low = low, .high = low + exp(width)});
        return p.log_prob(low + exp(width) * sigmoid(at)) + p.entropy() + p.mean() +
               p.cdf(low + exp(0.5 * width) * sigmoid(at));
      },
      {mu, 0 * mu, unit});
}

TEST_CASE("Exponential") {
  const Exponential d({.rate = a});
  check(d.log_prob(b), {-1.4066749439387323, -0.10685281944005476, -6.6222370315046319});
  check(d.entropy(), {1.3566749439387324, 0.30685281944005471, -0.25276296849536806});
  check(d.mean(), {1.4285714285714286, 0.5, 0.2857142857142857});
  check(d.variance(), {2.0408163265306127, 0.25, 0.081632653061224483});
  check(d.stddev(), {1.4285714285714286, 0.5, 0.2857142857142857});
  check(d.cdf(b), {0.65006225088884451, 0.55067103588277844, 0.99961987104213057});
  check(d.icdf(share), {0.41097438921682988, 0.34657359027997264, 0.59412615476566732});
  check(d.log_prob(row({0, -1, -inf})), {std::log(0.7), -inf, -inf});
  check_derivatives(
      [](const Tensor& rate, const Tensor& x) {
        const Exponential p({.rate = rate});
        return p.log_prob(x) + p.entropy() + p.cdf(x) + p.icdf(0.5 * p.cdf(x));
      },
      {a, b});
}

TEST_CASE("Gamma") {
  const Gamma d({.concentration = a, .rate = b});
  check(d.log_prob(unit), {0.063846637480015789, -2.3161128563728326, -1.2205857969897871});
  check(d.entropy(), {0.18939507231412173, 2.4935063967756879, 1.1321517845176379});
  check(d.mean(), {0.46666666666666662, 5, 1.5555555555555556});
  check(d.variance(), {0.31111111111111112, 12.499999999999998, 0.69135802469135799});
  check(d.stddev(), {std::sqrt(0.31111111111111112), std::sqrt(12.5), std::sqrt(0.69135802469135799)});
  check(d.log_prob(row({0, 0, -1})), {inf, -inf, -inf});
  check(d.log_prob(row({inf, inf, inf})), {-inf, -inf, -inf});
  check_derivatives(
      [](const Tensor& c, const Tensor& r, const Tensor& x) {
        const Gamma p({.concentration = c, .rate = r});
        return p.log_prob(x) + p.entropy() + p.stddev();
      },
      {a, b, unit});
}

TEST_CASE("Chi2") {
  const Chi2 d({.df = a});
  check(d.log_prob(b), {-2.1907350606125204, -0.89314718055994535, -1.645408782797172});
  check(d.entropy(), {0.046532342319312914, 1.6931471805599454, 2.1731417193793146});
  check(d.mean(), {0.7, 2, 3.5});
  check(d.variance(), {1.4, 4, 7});
}

TEST_CASE("Beta") {
  const Beta d({.concentration1 = a, .concentration0 = b});
  check(d.log_prob(unit), {0.22890973000429432, 0.53431503713043682, 0.44156879228302026});
  check(d.entropy(), {-0.23225582364465708, -1.1186360987163548, -0.29045651277083051});
  check(d.mean(), {0.31818181818181812, 0.83333333333333337, 0.60869565217391308});
  check(d.variance(), {0.067794421487603285, 0.04084967320261438, 0.035286704473850031});
  check(d.log_prob(row({0, 1, -0.5})), {inf, inf, -inf});
  // A value that is impossible has no share in a gradient.
  const Tensor learning = tensor({0.7, 2, 3.5}, {.dtype = float64, .requires_grad = true});
  const Beta learned({.concentration1 = learning, .concentration0 = b});
  const Tensor slope = grad(sum(learned.log_prob(row({0.5, -1, 2}))), learning);
  CHECK(slope.at({0}) != 0);
  CHECK(slope.at({1}) == 0);
  CHECK(slope.at({2}) == 0);
  check_derivatives(
      [](const Tensor& one, const Tensor& zero, const Tensor& x) {
        const Beta p({.concentration1 = one, .concentration0 = zero});
        return p.log_prob(x) + p.entropy() + p.stddev();
      },
      {a, b, unit});
}

TEST_CASE("StudentT") {
  const StudentT d({.df = row({2.5, 4, 1.5}), .loc = mu, .scale = sigma});
  check(d.log_prob(y), {-3.4296590269959339, -2.0965470095827747, -2.1196316345314052});
  check(d.entropy(), {1.1546128900159762, 1.6817600168786666, 3.0659501997188041});
  check(d.mean(), {0.5, -1, 2});
  check(d.variance(), {1.25, 2, inf});
  const StudentT cauchy({.df = ones({}), .loc = zeros({}), .scale = ones({})});
  CHECK(std::isnan(cauchy.mean().item()));
  CHECK(std::isnan(cauchy.variance().item()));
  check_derivatives(
      [](const Tensor& df, const Tensor& m, const Tensor& s, const Tensor& x) {
        const StudentT p({.df = df, .loc = m, .scale = s});
        return p.log_prob(x) + p.entropy();
      },
      {a, mu, sigma, y});
}

TEST_CASE("Poisson") {
  const Poisson d({.rate = b});
  check(d.log_prob(row({0, 1, 4})), {-1.5, -1.316290731874155, -2.1843329654826307});
  check(d.log_prob(tensor({0, 1, 4}, {.dtype = int64})), {-1.5, -1.316290731874155, -2.1843329654826307});
  check(d.log_prob(row({-1, 0.5, inf})), {-inf, -inf, -inf});
  check(d.mean(), {1.5, 0.4, 2.25});
  check(d.stddev(), {std::sqrt(1.5), std::sqrt(0.4), 1.5});
  check(Poisson({.rate = row({0, 0})}).log_prob(row({0, 1})), {0, -inf});
  check_derivatives([](const Tensor& rate) { return Poisson({.rate = rate}).log_prob(row({0, 1, 4})); }, {b});
}

TEST_CASE("Bernoulli") {
  const Tensor hits = row({0, 1, 1});
  const Bernoulli of_probs({.probs = row({0.125, 0.5, 0.75})});
  check(of_probs.log_prob(hits), {-0.13353139262452274, -0.69314718055994529, -0.28768207245178096});
  check(of_probs.entropy(), {0.37677016125643692, 0.69314718055994529, 0.56233514461880829});
  check(of_probs.mean(), {0.125, 0.5, 0.75});
  check(of_probs.variance(), {0.109375, 0.25, 0.1875});
  check(of_probs.logits(), {std::log(1.0 / 7), 0, std::log(3)});
  const Bernoulli of_logits({.logits = y});
  check(of_logits.log_prob(hits), {-0.25192908134537295, -0.47407698418010669, -0.048587351573742062});
  check(of_logits.entropy(), {0.53030425487700894, 0.66284731857917945, 0.19086497110644196});
  check(of_logits.mean(), {0.22270013882530884, 0.62245933120185459, 0.95257412682243336});
  check(of_logits.variance(), {0.17310478699249701, 0.23500371220159449, 0.045176659730911999});
  check(of_probs.log_prob(row({0.5, 2, -1})), {-inf, -inf, -inf});
  check(of_probs.log_prob(tensor({false, true, true}, {.dtype = boolean})),
        nn_test::elements(of_probs.log_prob(hits)));
  // What is certain costs nothing, in value and slope, and what is impossible everything.
  const Bernoulli certain({.probs = row({0, 1, 1})}), saturated({.logits = row({-inf, inf, inf})});
  for (const Bernoulli& d : {certain, saturated}) {
    check(d.log_prob(hits), {0, 0, 0});
    check(d.log_prob(1 - hits), {-inf, -inf, -inf});
    check(d.entropy(), {0, 0, 0});
  }
  check_derivatives(
      [&](const Tensor& p, const Tensor& l) {
        const Bernoulli first({.probs = p}), second({.logits = l});
        return first.log_prob(hits) + first.entropy() + second.log_prob(hits) + second.entropy();
      },
      {unit, y});
}

TEST_CASE("Dirichlet") {
  const Tensor alpha = tensor({{0.7, 2, 3.5}, {1, 1, 1}}, {.dtype = float64});
  const Tensor x = tensor({{0.25, 0.25, 0.5}, {0.125, 0.5, 0.375}}, {.dtype = float64});
  const Dirichlet d({.concentration = alpha});
  CHECK(d.batch_shape() == Shape{2});
  CHECK(d.event_shape() == Shape{3});
  check(d.log_prob(x), {0.96718393477476705, 0.69314718055994529});
  check(d.entropy(), {-1.6435671123730131, -0.69314718055994529});
  check(d.mean(), {0.1129032258064516, 0.32258064516129031, 0.56451612903225801, 1.0 / 3, 1.0 / 3, 1.0 / 3});
  check(d.variance(),
        {0.013910567695687361, 0.030350329517863334, 0.034144120707596252, 1.0 / 18, 1.0 / 18, 1.0 / 18});
  check(d.log_prob(tensor({{0.5, 1, -0.5}, {0.5, 0.5, 0.5}}, {.dtype = float64})), {-inf, -inf});
  check_derivatives(
      [](const Tensor& c, const Tensor& logits) {
        const Dirichlet p({.concentration = c});
        return p.log_prob(softmax(logits, -1)) + p.entropy();
      },
      {alpha, x});
}

TEST_CASE("Categorical and its one-hot rows") {
  const Tensor logits = tensor({{0.3, -1, 2}, {0, 0, 1}}, {.dtype = float64});
  const Categorical d({.logits = logits});
  const Tensor value = tensor({2, 0}, {.dtype = int64});
  check(d.log_prob(value), {-0.20902076654506008, -1.5514447139320511});
  check(d.entropy(), {0.58219250696763836, 0.97532782916622207});
  const Categorical of_probs({.probs = tensor({{1, 2, 5}, {3, 1, 0}}, {.dtype = float64})});
  check(of_probs.log_prob(value), {-0.47000362924573558, -0.2876820724517809});
  check(of_probs.entropy(), {0.90025605126853692, 0.56233514461880829});
  check(of_probs.probs(), {0.125, 0.25, 0.625, 0.75, 0.25, 0});
  check(of_probs.log_prob(tensor({3, -1}, {.dtype = int64})), {-inf, -inf});
  // Values broadcast with the batch, and one distribution takes values of any shape.
  const Tensor values = tensor({{2}, {0}, {1}}, {.dtype = int32});
  CHECK(d.log_prob(values).shape() == Shape{3, 2});
  CHECK(d.log_prob(values).at({0, 0}) == d.log_prob(value).at({0}));
  CHECK(d.log_prob(values).at({1, 1}) == d.log_prob(value).at({1}));
  const Categorical one({.logits = logits[0]});
  CHECK(one.log_prob(values).shape() == Shape{3, 1});
  CHECK(one.log_prob(tensor(2, {.dtype = int64})).item() == d.log_prob(value).at({0}));
  const OneHotCategorical rows({.logits = logits});
  CHECK(rows.event_shape() == Shape{3});
  check(rows.log_prob(one_hot(value, 3, {.dtype = float64})), {-0.20902076654506008, -1.5514447139320511});
  check(rows.log_prob(tensor({{0, 0, 0}, {1, 0, 1}}, {.dtype = float64})), {-inf, -inf});
  check(rows.entropy(), nn_test::elements(d.entropy()));
  const std::vector<double> p = nn_test::elements(rows.mean());
  check(rows.variance(), {p[0] * (1 - p[0]), p[1] * (1 - p[1]), p[2] * (1 - p[2]), p[3] * (1 - p[3]),
                          p[4] * (1 - p[4]), p[5] * (1 - p[5])});
  check_derivatives(
      [&](const Tensor& l, const Tensor& weights) {
        const Categorical first({.logits = l}), second({.probs = exp(weights)});
        return first.log_prob(value) + first.entropy() + second.log_prob(value) + second.entropy() +
               OneHotCategorical({.logits = l}).log_prob(one_hot(value, 3, {.dtype = float64}));
      },
      {logits, -logits});
}

TEST_CASE("a category that is masked by a logit of -infinity leaves all gradients finite") {
  const Tensor logits = tensor({1, -inf, 2}, {.dtype = float64, .requires_grad = true});
  const Categorical d({.logits = logits});
  const Tensor value = tensor({0, 2}, {.dtype = int64});
  const Tensor loss =
      sum(d.log_prob(value)) + d.entropy() + kl_divergence(d, Categorical({.logits = 2 * logits}));
  CHECK(std::isfinite(loss.item()));
  CHECK(all(isfinite(grad(loss, logits))).to(float64).item() == 1);
  check(d.log_prob(tensor({1}, {.dtype = int64})), {-inf});
  CHECK(d.log_prob(zeros({0}, {.dtype = int64})).shape() == Shape{0});
}

TEST_CASE("MultivariateNormal, by each of its matrices") {
  const Tensor scale = tensor({{1, 0, 0}, {0.5, 2, 0}, {-1, 0.25, 0.5}}, {.dtype = float64});
  const Tensor loc = row({1, -1, 0.5});
  const Tensor value = tensor({{0, 0, 0}, {2, 1, -1}}, {.dtype = float64});
  const MultivariateNormal d({.loc = loc, .scale_tril = scale});
  const std::vector<double> log_prob = {-9.2333780996140185, -4.4833780996140185};
  check(d.log_prob(value), log_prob);
  check(d.entropy(), {4.2568155996140185});
  check(d.mean(), {1, -1, 0.5});
  check(d.variance(), {1, 4.25, 1.3125});
  check(d.precision(), {5.578125, -0.65625, 4.25, -0.65625, 0.3125, -0.5, 4.25, -0.5, 4});
  check(MultivariateNormal({.loc = loc, .covariance = d.covariance()}).log_prob(value), log_prob, 1e-12);
  const MultivariateNormal of_precision({.loc = loc, .precision = d.precision()});
  check(of_precision.log_prob(value), log_prob, 1e-12);
  check(of_precision.scale_tril(), nn_test::elements(scale), 1e-12);
  // A batch of matrices.
  const MultivariateNormal batch({.loc = loc, .scale_tril = stack({scale, scale})});
  CHECK(batch.batch_shape() == Shape{2});
  CHECK(batch.mean().shape() == Shape{2, 3});
  CHECK(batch.covariance().shape() == Shape{2, 3, 3});
  check(batch.log_prob(value), log_prob);
  CHECK(batch.rsample({4}).shape() == Shape{4, 2, 3});
  CHECK(MultivariateNormal({.loc = value, .scale_tril = scale}).entropy().shape() == Shape{2});
  check_derivatives(
      [](const Tensor& m, const Tensor& l, const Tensor& x) {
        const Tensor root = tril(l);
        const MultivariateNormal p({.loc = m, .scale_tril = root});
        const Tensor product = matmul(root, root, {.transpose_b = true});
        const MultivariateNormal q({.loc = m, .covariance = product}), r({.loc = m, .precision = product});
        return p.log_prob(x) + p.entropy() + q.log_prob(x) + r.log_prob(x);
      },
      {loc, scale, value});
}

TEST_CASE("Independent sums over a part of the batch") {
  const Independent d(Normal({.loc = stack({mu, y}), .scale = sigma}), 1);
  CHECK(d.batch_shape() == Shape{2});
  CHECK(d.event_shape() == Shape{3});
  check(d.log_prob(y), nn_test::elements(sum(d.base().log_prob(y), {.axes = {-1}})));
  check(d.entropy(), nn_test::elements(sum(d.base().entropy(), {.axes = {-1}})));
  CHECK(d.rsample({5}).shape() == Shape{5, 2, 3});
  CHECK(d.sample().shape() == Shape{2, 3});
  static_assert(Reparameterized<Independent<Normal>>);
  static_assert(Distribution<Independent<Poisson>> && !Reparameterized<Independent<Poisson>>);
  CHECK(message_of<ShapeError>([] { return Independent(Poisson({.rate = b}), 2).mean(); }) ==
        "Independent: 2 dimensions cannot be taken from a batch shape of [3]");
}

TEST_CASE("MixtureSameFamily") {
  const Categorical weights({.logits = row({0.3, -1, 2})});
  const MixtureSameFamily d(weights, Normal({.loc = mu, .scale = sigma}));
  CHECK(d.batch_shape() == Shape{});
  const Tensor x = row({-1, 0.25});
  check(d.log_prob(x), {-2.5200832921004435, -1.546036682615632});
  check(d.mean(), {1.6564733521542665});
  check(d.variance(), {5.7276295233032917});
  check(d.cdf(x), {0.11376320814259364, 0.27818550403704223});
  // Of vectors, in a batch, with weights for all.
  const Tensor loc = reshape(arange(24, {}, {.dtype = float64}), {4, 3, 2});
  const Independent parts(Normal({.loc = loc, .scale = ones({1}, {.dtype = float64})}), 1);
  const MixtureSameFamily batch(weights, parts);
  CHECK(batch.batch_shape() == Shape{4});
  CHECK(batch.event_shape() == Shape{2});
  CHECK(batch.sample({5}).shape() == Shape{5, 4, 2});
  CHECK(batch.mean().shape() == Shape{4, 2});
  CHECK(batch.variance().shape() == Shape{4, 2});
  CHECK(batch.log_prob(zeros({5, 4, 2}, {.dtype = float64})).shape() == Shape{5, 4});
  check_derivatives(
      [](const Tensor& w, const Tensor& m, const Tensor& s, const Tensor& at) {
        const MixtureSameFamily p(Categorical({.logits = w}), Normal({.loc = m, .scale = s}));
        return p.log_prob(at) + p.mean() + p.variance() + p.cdf(at);
      },
      {y, mu, sigma, x});
}
