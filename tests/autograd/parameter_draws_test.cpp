// Draws with a parameter each: bits, moments, gradients and errors.
#include "xtgrad/autograd/parameter_draws.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad::inline v1::testing { namespace {

/// |mean of x - want| is within five of its standard errors.
void check_mean(const Tensor& x, double want) {
  const double error = stddev(x).item() / std::sqrt(static_cast<double>(x.numel()));
  CAPTURE(mean(x).item());
  CAPTURE(want);
  CHECK(std::abs(mean(x).item() - want) < 5 * error);
}

Tensor repeated(double value, std::int64_t n, bool requires_grad = false) {
  return full({n}, value, {.dtype = float64, .requires_grad = requires_grad});
}

TEST_CASE("gamma draws have the mean and the variance of their distribution") {
  Random random(1);
  constexpr std::int64_t n = 20000;
  for (const double alpha : {0.05, 0.7, 1.0, 3.5, 200.0}) {
    CAPTURE(alpha);
    const Tensor x = standard_gamma(repeated(alpha, n), {}, random);
    check_mean(x, alpha);
    check_mean(square(x - alpha), alpha);
    const Tensor log_x = standard_gamma(repeated(alpha, n), {.log_space = true}, random);
    check_mean(log_x, digamma(tensor(alpha, {.dtype = float64})).item());
  }
  // Of so small a parameter draws underflow, and their logarithms do not.
  const Tensor log_small = standard_gamma(repeated(1e-3, n), {.log_space = true}, random);
  check_mean(log_small, digamma(tensor(1e-3, {.dtype = float64})).item());
  CHECK(amin(log_small).item() > -50000);
  CHECK(amin(standard_gamma(repeated(1e-3, 1000), {}, random)).item() == std::numeric_limits<double>::min());
}

TEST_CASE("the gradient of a gamma draw is on average that of a mean") {
  Random random(2);
  constexpr std::int64_t n = 20000;
  for (const double alpha : {0.05, 0.7, 2.0, 30.0, 200.0}) {
    CAPTURE(alpha);
    const Tensor a = repeated(alpha, n, true);
    const Tensor x = standard_gamma(a, {}, random);
    check_mean(grad(sum(x), a), 1);
    const Tensor y = standard_gamma(a, {}, random);
    check_mean(grad(sum(square(y)), a), 2 * alpha + 1);  // of alpha + alpha^2
    const Tensor log_x = standard_gamma(a, {.log_space = true}, random);
    check_mean(grad(sum(log_x), a), polygamma(1, tensor(alpha, {.dtype = float64})).item());
  }
}

TEST_CASE("the bits of a draw depend on its place and its parameter alone") {
  const Tensor alpha = exp(randn({9000}, default_random(), {.dtype = float64}));
  const auto drawn = [&](const Tensor& a, bool log_space, int threads) {
    const ThreadCount scope(threads);
    Random random(3);
    return standard_gamma(a, {.log_space = log_space}, random);
  };
  for (const bool log_space : {false, true}) {
    const Tensor x = drawn(alpha, log_space, 1);
    CHECK(same_bits(drawn(alpha, log_space, 2), x));
    CHECK(same_bits(drawn(slice(alpha, {.stop = 1001}), log_space, 1), slice(x, {.stop = 1001})));
    // Of a parameter that float32 has, too, the draw is rounded, but to no subnormal number.
    const Tensor narrow = alpha.to(float32);
    const Tensor wide = drawn(narrow.to(float64), log_space, 1).to(float32);
    CHECK(same_bits(drawn(narrow, log_space, 1),
                    log_space ? wide : maximum(wide, std::numeric_limits<float>::min())));
  }
  Random random(3), again(3);
  static_cast<void>(standard_gamma(ones({2}), {}, random));
  CHECK(random.position() == 1);
  const Tensor rates = 20 * alpha;
  CHECK(same_bits(slice(poisson(rates, again), {.stop = 100}), [&] {
    Random third(3);
    return poisson(slice(rates, {.stop = 100}), third);
  }()));
  CHECK(again.position() == 1);
}

TEST_CASE("poisson draws have the mean and the variance of their distribution") {
  Random random(5);
  for (const double rate : {0.3, 4.0, 9.99, 10.0, 50.0, 1e6}) {
    CAPTURE(rate);
    const Tensor x = poisson(repeated(rate, 20000), random);
    check_mean(x, rate);
    check_mean(square(x - rate), rate);
    // Each number as often as it should be: of the middle, and of the lower tail.
    const auto density = [&](double k) { return std::exp(k * std::log(rate) - rate - std::lgamma(k + 1)); };
    const double middle = std::floor(rate);
    check_mean((x == middle).to(float64), density(middle));
    double tail = 0;
    const double end = std::floor(rate - std::sqrt(rate));
    for (double k = std::max(0.0, end - 10000); k <= end; ++k) tail += density(k);
    if (end >= 0) check_mean((x <= end).to(float64), tail);
  }
  const Tensor none = poisson(zeros({5}), random);
  CHECK(amax(none).item() == 0);
  CHECK(none.dtype() == float32);
  CHECK(poisson(zeros({0, 3}), random).shape() == Shape{0, 3});
  CHECK(poisson(tensor(3.0), random).shape() == Shape{});
}

TEST_CASE("a captured draw is made anew in each replay, and its gradient with it") {
  Random random(7);
  const auto f = [&](const Tensor& alpha) {
    const Tensor a = alpha.detach().set_requires_grad();
    const Tensor x = standard_gamma(a, {}, random);
    return std::vector{x.detach(), grad(sum(x), a), poisson(alpha, random)};
  };
  const Tensor alpha = tensor({0.5, 2, 3});
  Random plain = random;
  auto replay = capture(f, alpha, {&random});
  random = plain;
  std::vector<std::vector<Tensor>> expected;
  for (int i = 0; i < 3; ++i) expected.push_back(f(alpha));
  random = plain;
  for (int i = 0; i < 3; ++i) {
    const std::vector<Tensor> found = replay(alpha);
    for (std::size_t k = 0; k < found.size(); ++k)
      CHECK(same_bits(found[k], expected[static_cast<std::size_t>(i)][k]));
  }
  CHECK(message_of<ValueError>([&] {
          return replay(tensor({0.5, -2, 3}));
        }).find("standard_gamma: alpha must be above 0 and finite: got -2 at element 1") !=
        std::string::npos);
}

TEST_CASE("draws refuse parameters by name") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of<ValueError>([] {
          return standard_gamma(tensor({1, 0}));
        }) == "standard_gamma: alpha must be above 0 and finite: got 0 at element 1");
  CHECK(message_of<ValueError>([&] { return standard_gamma(tensor({nan})); }) ==
        "standard_gamma: alpha must be above 0 and finite: got nan at element 0");
  CHECK(message_of<ValueError>([] {
          return poisson(tensor({1, -1}));
        }) == "poisson: rate must be at least 0 and finite: got -1 at element 1");
  CHECK(message_of<DtypeError>([] {
          return poisson(tensor({1, 2}, {.dtype = int64}));
        }) == "poisson: rate must be float32 or float64, got int64");
  CHECK(message_of<ValueError>([] { return standard_gamma(Tensor()); }) ==
        "standard_gamma: alpha: the handle is empty");
  // A refused call takes no position.
  Random random(1);
  CHECK_THROWS_AS(static_cast<void>(standard_gamma(tensor(-1), {}, random)), ValueError);
  CHECK(random.position() == 0);
}

TEST_CASE("the gradient of a gamma draw has no derivative, and says so") {
  const Tensor alpha = tensor({0.5, 2}, {.requires_grad = true});
  const Tensor weight = tensor({1, 2}, {.requires_grad = true});
  const Tensor x = standard_gamma(alpha);
  const Tensor slope = grad(sum(weight * x), alpha, {.create_graph = true});
  // In what it is linear in, it has one.
  CHECK(grad(sum(slope), weight, {.keep_graph = true}).shape() == Shape{2});
  CHECK(message_of<GraphError>([&] {
          return grad(sum(slope), alpha);
        }).find("standard_gamma: the gradient of a draw has no derivative") != std::string::npos);
}

TEST_CASE("a gamma draw has a tangent and a Jacobian") {
  const Tensor alpha = tensor({0.5, 2, 30}, {.dtype = float64}), v = tensor({1, -2, 3}, {.dtype = float64});
  const auto draw = [](const Tensor& a) {
    Random random(9);
    return standard_gamma(a, {}, random);
  };
  const Tensor learning = tensor({0.5, 2, 30}, {.dtype = float64, .requires_grad = true});
  const Tensor slopes = grad(sum(draw(learning)), learning);
  CHECK(same_bits(jvp(draw, alpha, v), v * slopes));
  CHECK(same_bits(jacobian(draw, alpha), diag(slopes)));
}

}}  // namespace xtgrad::testing
