// Options so small, or so large, that float32 holds them as 0 or not their square: what is computed is the
// function with the double, and no 0 / 0.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/nn/loss_reference.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/layer_norm.h"
#include "xtgrad/nn/regression_losses.h"

using namespace xtgrad;
using namespace nn_test;
using nn::Reduction;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("rows that are all alike are normalised to 0, whatever eps is") {
  for (const double eps : {1e-40, 1e-50, 1e-70}) {
    CAPTURE(eps);
    const Tensor x = tensor({{3, 3, 3, 3}, {1, 2, 3, 4}}).set_requires_grad();
    const std::vector<Tensor> all{nn::layer_norm(x, {4}, {.eps = eps}), nn::group_norm(x, 1, {.eps = eps}),
                                  transpose(batch_norm(transpose(x), ones({2}), zeros({2}), {.eps = eps}))};
    for (const Tensor& y : all) {
      const double d = 0.5 / std::sqrt(1.25);
      check_numbers(elements(y), {0, 0, 0, 0, -3 * d, -d, d, 3 * d}, 1e-6);
      // In the first row z = deviation / sqrt(eps); sums of it vanish, and weights show the rest.
      const Tensor weighted = sum(y * tensor({{1e-3, 0, 0, 0}, {0, 0, 0, 0}}));
      const Tensor plain = grad(weighted, x, {.keep_graph = true});
      const Tensor recorded = grad(weighted, x, {.create_graph = true});
      const double unit = 1e-3 / std::sqrt(eps) / 4;
      for (const Tensor& slope : {plain, recorded})
        check_numbers(elements(slope), {3 * unit, -unit, -unit, -unit, 0, 0, 0, 0}, 1e-5, 0);
      const Tensor second = grad(sum(recorded * tensor({{1e-30, 0, 0, 0}, {1, 0, 0, 0}})), x);
      for (const double v : elements(second)) CHECK(v == 0);
    }
  }
}

TEST_CASE("rows of far numbers are normalised, and differentiated twice") {
  const Tensor near = shaped({0.5, -1, 2, 0.25, 1, -0.75}, {2, 3}).set_requires_grad();
  const Tensor weights = shaped({1, -2, 0.5, 3, 0.25, 1}, {2, 3});
  const auto orders = [](const Tensor& x, const Tensor& w) {
    const Tensor y = nn::layer_norm(x, {3}, {.eps = 0});
    const Tensor first = grad(sum(y * w), x, {.create_graph = true});
    return std::vector{elements(y), elements(first), elements(grad(sum(first * square(w)), x))};
  };
  const auto want = orders(near, weights);
  for (const double scale : {0x1p+60, 0x1p-60}) {
    CAPTURE(scale);
    const auto got = orders((near.detach() * scale).to(float32).set_requires_grad(), weights.to(float32));
    for (std::size_t order = 0; order < 3; ++order) {
      CAPTURE(order);
      Numbers wanted = want[order];
      double largest = 0;
      for (double& v : wanted)
        largest = std::max(largest, std::abs(v *= std::pow(scale, -static_cast<double>(order))));
      for (std::size_t i = 0; i < wanted.size(); ++i)
        CHECK(std::abs(got[order][i] - wanted[i]) <= 1e-5 * largest);
    }
  }
}

TEST_CASE("a channel whose running variance is 0 is normalised by eps in evaluation") {
  nn::BatchNorm1d layer(nn::BatchNormOptions{.num_features = 2, .eps = 1e-50});
  layer.running_var = tensor({0, 4});
  layer.eval();
  check_numbers(elements(layer(tensor({{0, 2}, {1e-20, -2}}))), {0, 1, 1e5, -1}, 1e-6, 0);
}

TEST_CASE("smooth_l1 and huber losses of deltas whose squares are out of range") {
  for (const double delta : {1e-50, 1e-40, 1e-25, 1e-15, 0.5, 100.0, 1e15, 1e25, 1e38}) {
    for (const double d : {0.0, 1e-30, -1e-12, 0.25, -3.0, 1e10, 1e18, -2e30, 3e38}) {
      CAPTURE(delta);
      CAPTURE(d);
      const double x = static_cast<float>(d);
      const double linear = std::abs(x) - 0.5 * delta;
      const bool is_curved = std::abs(x) < delta;
      const auto narrow = [](long double v) { return static_cast<double>(static_cast<float>(v)); };
      const Tensor at = tensor({d}).set_requires_grad();
      const Tensor smooth = nn::smooth_l1_loss(at, zeros_like(at), {.beta = delta});
      const Tensor huber = nn::huber_loss(at, zeros_like(at), {.delta = delta});
      const long double over = is_curved ? 0.5L * x / delta * x : linear;
      const double floor = 1e-37;
      CHECK(agrees(smooth.item(), narrow(over), 1e-6, floor));
      CHECK(agrees(huber.item(), narrow(over * delta), 1e-6, floor));
      const long double slope = is_curved ? x / static_cast<long double>(delta) : std::copysign(x != 0, x);
      for (const bool create_graph : {false, true}) {
        const GradOptions how{.keep_graph = true, .create_graph = create_graph};
        CHECK(agrees(grad(smooth, at, how).item(), narrow(slope), 1e-6, floor));
        CHECK(agrees(grad(huber, at, how).item(), narrow(slope * delta), 1e-6, floor));
      }
    }
  }
}

TEST_CASE("likelihoods with an eps that float32 takes for 0") {
  const Tensor variance = tensor({0, 2, 1e-45}).set_requires_grad();
  const Tensor d = tensor({0, 3, 0}).set_requires_grad();
  const Tensor items =
      nn::gaussian_nll_loss(d, zeros({3}), variance, {.eps = 1e-50, .reduction = Reduction::none});
  const double least = static_cast<double>(1.401298464324817e-45);
  check_numbers(elements(items), {0.5 * std::log(1e-50), 0.5 * (std::log(2.0) + 4.5), 0.5 * std::log(least)},
                1e-6);
  const std::vector<Tensor> slopes = grad(sum(items), {d, variance});
  check_numbers(elements(slopes[0]), {0, 1.5, 0}, 1e-6);
  check_numbers(elements(slopes[1]), {0, 0.5 * (0.5 - 9.0 / 4), inf}, 1e-6);
  // A square that is out of range, of a quotient that is not.
  CHECK(agrees(nn::gaussian_nll_loss(tensor({1e25}), tensor({0.0}), tensor({1e30})).item(),
               0.5 * (std::log(1e30) + 1e20), 1e-6));

  // Neither does the derivative in the variance leave the range on its way.
  for (const auto& [far, v] :
       std::vector<std::pair<double, double>>{{3e17, 1e34}, {3e15, 1e30}, {1e-18, 1e-30}, {3e-20, 9e-35}}) {
    CAPTURE(far);
    const Tensor one = tensor({v}).set_requires_grad();
    const Tensor loss = nn::gaussian_nll_loss(tensor({far}), tensor({0.0}), one, {.eps = 1e-37});
    const double expected = 0.5 / v - 0.5 * (far / v) * (far / v);
    CHECK(agrees(grad(loss, one, {.keep_graph = true}).item(), expected, 2e-6));
    CHECK(agrees(grad(loss, one, {.create_graph = true}).item(), expected, 2e-6));
  }

  const Tensor rate = tensor({0, 2}).set_requires_grad();
  const Tensor poisson = nn::poisson_nll_loss(
      rate, tensor({1, 1}), {.log_input = false, .eps = 1e-50, .reduction = Reduction::none});
  check_numbers(elements(poisson), {-std::log(1e-50), 2 - std::log(2.0)}, 1e-6);
  check_numbers(elements(grad(sum(poisson), rate)), {-inf, 0.5}, 1e-6);
}

TEST_CASE("softplus with a beta that float32 takes for 0") {
  const Tensor x = tensor({inf, -inf, 1, 3e38}).set_requires_grad();
  const Tensor y = softplus(x, {.beta = 1e-50});
  CHECK(elements(y) == Numbers{inf, 0, inf, inf});  // log(2) / beta in the middle
  check_numbers(elements(grad(sum(y), x)), {1, 0, 0.5, 0.5}, 1e-6);
}

TEST_CASE("the second derivative of huber_loss at 0 is 1, however small delta is") {
  for (const double delta : {1.0, 1e-20, 1e-40, 1e-50}) {
    CAPTURE(delta);
    const Tensor x = tensor({0.0}).set_requires_grad();
    const Tensor slope = grad(nn::huber_loss(x, zeros({1}), {.delta = delta}), x, {.create_graph = true});
    CHECK(slope.item() == 0);
    CHECK(grad(sum(slope), x).item() == 1);
  }
}
