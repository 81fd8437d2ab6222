// The code of docs/operations/distributions.md.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions.h"

namespace xtgrad { namespace {

/// The evidence's lower bound of a batch [n, d], of which an encoder gave mean and log-deviation [n, k].
template <class Decoder>
Tensor negative_elbo(const Tensor& x, const Tensor& mu, const Tensor& log_sigma, const Decoder& decode,
                     Random& random) {
  using distributions::Independent;
  using distributions::Normal;
  const Independent posterior(Normal({.loc = mu, .scale = exp(log_sigma)}), 1);
  const Independent prior(Normal({.loc = zeros_like(mu), .scale = ones_like(mu)}), 1);
  const Tensor z = posterior.rsample({}, random);  // its gradient goes on to mu and log_sigma
  const Independent pixels(distributions::Bernoulli({.logits = decode(z)}), 1);
  return mean(kl_divergence(posterior, prior) - pixels.log_prob(x));
}

TEST_CASE("a page on distributions: a variational autoencoder's loss") {
  Random random(1);
  const Tensor mu = zeros({4, 2}, {.requires_grad = true}),
               log_sigma = zeros({4, 2}, {.requires_grad = true});
  const Tensor weight = randn({2, 3}, random);
  const Tensor x = bernoulli({4, 3}, 0.5, random).to(float32);
  const Tensor loss = negative_elbo(
      x, mu, log_sigma, [&](const Tensor& z) { return matmul(z, weight); }, random);
  for (const Tensor& gradient : grad(loss, {mu, log_sigma}))
    CHECK(any(gradient != 0).to(float32).item() == 1);
}

TEST_CASE("a page on distributions: shapes") {
  const distributions::Normal d({.loc = zeros({4, 1}), .scale = ones({3})});
  CHECK(d.batch_shape() == Shape{4, 3});
  CHECK(d.sample({100}).shape() == Shape{100, 4, 3});
  CHECK(d.log_prob(d.sample({100})).shape() == Shape{100, 4, 3});
  const distributions::Independent rows(d, 1);
  CHECK(rows.event_shape() == Shape{3});
  CHECK(rows.log_prob(d.sample({100})).shape() == Shape{100, 4});
}

/// The gradient of a mean reward by the score of the actions that were drawn (Williams, 1992).
Tensor policy_loss(const Tensor& logits, const Tensor& rewards, Random& random) {
  const distributions::Categorical policy({.logits = logits});
  const Tensor action = policy.sample({}, random);  // int64, no gradient
  const Tensor reward = gather(rewards, 1, unsqueeze(action, 1));
  return -mean(policy.log_prob(action) * squeeze(reward, 1)) - 0.01 * mean(policy.entropy());
}

TEST_CASE("a page on distributions: a policy's gradient") {
  Random random(2);
  const Tensor logits = zeros({1000, 2}, {.requires_grad = true});
  const Tensor rewards = broadcast_to(tensor({0.F, 1.F}), {1000, 2});
  const Tensor slope = sum(grad(policy_loss(logits, rewards, random), logits), {.axes = 0});
  CHECK(slope.at({1}) < -0.2);  // more of the second action
}

TEST_CASE("a page on distributions: a mixture is fitted by its likelihood") {
  Random random(3);
  const Tensor x = concat({randn({200}, random) - 3, 0.5 * randn({100}, random) + 2});
  Tensor weights = zeros({2}), mu = tensor({-1.F, 1.F}), log_sigma = zeros({2});
  for (int step = 0; step < 200; ++step) {
    for (Tensor* each : {&weights, &mu, &log_sigma}) *each = each->detach().set_requires_grad();
    const distributions::MixtureSameFamily model(distributions::Categorical({.logits = weights}),
                                                 distributions::Normal({.loc = mu, .scale = exp(log_sigma)}));
    const auto slopes = grad(-mean(model.log_prob(x)), {weights, mu, log_sigma});
    weights = weights - 0.5 * slopes[0];
    mu = mu - 0.5 * slopes[1];
    log_sigma = log_sigma - 0.5 * slopes[2];
  }
  CHECK(mu.at({0}) == doctest::Approx(-3).epsilon(0.1));
  CHECK(mu.at({1}) == doctest::Approx(2).epsilon(0.1));
  CHECK(softmax(weights, 0).at({0}) == doctest::Approx(2.0 / 3).epsilon(0.1));
}

TEST_CASE("a page on distributions: parameters are checked, values outside of the support are not") {
  const auto message = testing::message_of<ValueError>([] {
    return distributions::Gamma({.concentration = tensor({2, -1}), .rate = tensor(1)}).mean();
  });
  CHECK(message == "Gamma: concentration must be above 0: got -1 at [1]");
  const distributions::Exponential waiting({.rate = tensor(2.F)});
  CHECK(waiting.log_prob(tensor(-1.F)).item() == -INFINITY);
}

}}  // namespace xtgrad
