// l1, smooth_l1, huber, poisson_nll, gaussian_nll against plain loops; kinks, infinities, no elements,
// errors. (mse_loss is in losses_test.cpp.)
#include "xtgrad/nn/regression_losses.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "tests/nn/loss_reference.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using nn::Reduction;
using xtgrad::testing::message_of;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

const Numbers predictions{-3, -1.25, -0.5, 0.125, 0.75, 4};
const Numbers targets{1, -0.5, 0.25, 0.5, 0.5, 1.5};

double huber_of(double d, double delta) {
  return std::abs(d) < delta ? d * d / 2 : delta * (std::abs(d) - delta / 2);
}

Numbers items_of(double (*item)(double p, double y)) {
  Numbers items;
  for (std::size_t i = 0; i < predictions.size(); ++i) items.push_back(item(predictions[i], targets[i]));
  return items;
}

Tensor p_of(Dtype dtype) { return shaped(predictions, {2, 3}, dtype); }
Tensor y_of(Dtype dtype) { return shaped(targets, {2, 3}, dtype); }

Tensor sum_of_huber(const Tensor& d, double delta) {
  return nn::huber_loss(d, zeros_like(d), {.delta = delta, .reduction = Reduction::sum});
}
Tensor sum_of_smooth(const Tensor& d, double beta) {
  return nn::smooth_l1_loss(d, zeros_like(d), {.beta = beta, .reduction = Reduction::sum});
}

}  // namespace

TEST_CASE("l1, smooth_l1 and huber are the textbook's, with every reduction") {
  check_items([](Dtype t, Reduction r) { return nn::l1_loss(p_of(t), y_of(t), {.reduction = r}); }, {2, 3},
              items_of([](double p, double y) { return std::abs(p - y); }));
  check_items([](Dtype t, Reduction r) { return nn::huber_loss(p_of(t), y_of(t), {.reduction = r}); }, {2, 3},
              items_of([](double p, double y) { return huber_of(p - y, 1); }));
  check_items(
      [](Dtype t, Reduction r) { return nn::huber_loss(p_of(t), y_of(t), {.delta = 0.5, .reduction = r}); },
      {2, 3}, items_of([](double p, double y) { return huber_of(p - y, 0.5); }));
  check_items([](Dtype t, Reduction r) { return nn::smooth_l1_loss(p_of(t), y_of(t), {.reduction = r}); },
              {2, 3}, items_of([](double p, double y) { return huber_of(p - y, 1); }));
  check_items(
      [](Dtype t, Reduction r) { return nn::smooth_l1_loss(p_of(t), y_of(t), {.beta = 2, .reduction = r}); },
      {2, 3}, items_of([](double p, double y) { return huber_of(p - y, 2) / 2; }));
  check_items(
      [](Dtype t, Reduction r) { return nn::smooth_l1_loss(p_of(t), y_of(t), {.beta = 0, .reduction = r}); },
      {2, 3}, items_of([](double p, double y) { return std::abs(p - y); }));
}

TEST_CASE("derivatives of l1, huber and smooth_l1: at 0, inside, where parts meet, beyond, at infinity") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor at = shaped({-inf, -3, -2, -0.5, 0, 0.5, 2, 3, inf}, {9}, dtype);
    const Slopes l1 = slopes(
        [](const Tensor& d) { return nn::l1_loss(d, zeros_like(d), {.reduction = Reduction::sum}); }, at);
    CHECK(l1.first == Numbers{-1, -1, -1, -1, 0, 1, 1, 1, 1});
    CHECK(l1.second == Numbers(9, 0));
    const Slopes huber = slopes([](const Tensor& d) { return sum_of_huber(d, 2); }, at);
    CHECK(huber.first == Numbers{-2, -2, -2, -0.5, 0, 0.5, 2, 2, 2});
    CHECK(huber.second == Numbers{0, 0, 0, 1, 1, 1, 0, 0, 0});
    const Slopes smooth = slopes([](const Tensor& d) { return sum_of_smooth(d, 2); }, at);
    CHECK(smooth.first == Numbers{-1, -1, -1, -0.25, 0, 0.25, 1, 1, 1});
    CHECK(smooth.second == Numbers{0, 0, 0, 0.5, 0.5, 0.5, 0, 0, 0});
    const Slopes sharp = slopes([](const Tensor& d) { return sum_of_smooth(d, 0); }, at);
    CHECK(sharp.first == l1.first);
    CHECK(elements(nn::huber_loss(at, zeros_like(at), {.reduction = Reduction::none}))[0] == inf);
    // The target's derivative is the prediction's with the other sign.
    const Slopes target = slopes(
        [&](const Tensor& y) {
          return nn::huber_loss(zeros_like(y), y, {.delta = 2, .reduction = Reduction::sum});
        },
        at);
    CHECK(target.first == huber.first);
  }
  CHECK(std::isnan(sum_of_huber(tensor({not_a_number}), 1).item()));
}

TEST_CASE("poisson_nll and gaussian_nll are minus log likelihoods") {
  const auto rates = [](Dtype t) { return shaped({0.5, 2, 3.25, 1, 0.125, 7}, {2, 3}, t); };
  const auto counts = [](Dtype t) { return shaped({0, 3, 1, 2, 1.5, 6}, {2, 3}, t); };
  const Numbers rate = elements(rates(float64)), count = elements(counts(float64));
  Numbers of_logs, of_rates, full;
  for (std::size_t i = 0; i < 6; ++i) {
    const double y = count[i];
    of_logs.push_back(std::exp(rate[i]) - y * rate[i]);
    of_rates.push_back(rate[i] - y * std::log(rate[i] + 1e-8));
    const double stirling = y * std::log(y) - y + 0.5 * std::log(2 * std::numbers::pi * y);
    full.push_back(of_logs.back() + (y > 1 ? stirling : 0));
  }
  check_items(
      [&](Dtype t, Reduction r) { return nn::poisson_nll_loss(rates(t), counts(t), {.reduction = r}); },
      {2, 3}, of_logs);
  check_items(
      [&](Dtype t, Reduction r) {
        return nn::poisson_nll_loss(rates(t), counts(t), {.log_input = false, .reduction = r});
      },
      {2, 3}, of_rates);
  check_items(
      [&](Dtype t, Reduction r) {
        return nn::poisson_nll_loss(rates(t), counts(t), {.full = true, .reduction = r});
      },
      {2, 3}, full);

  const Numbers variance{0.25, 4, 1e-9};  // the last counts as eps
  Numbers normal, constant;
  for (std::size_t i = 0; i < 6; ++i) {
    const double v = std::max(variance[i % 3], 1e-6), d = predictions[i] - targets[i];
    normal.push_back(0.5 * (std::log(v) + d * d / v));
    constant.push_back(normal.back() + 0.5 * std::log(2 * std::numbers::pi));
  }
  const auto gaussian = [&](bool with_constant) {
    return [&, with_constant](Dtype t, Reduction r) {
      return nn::gaussian_nll_loss(p_of(t), y_of(t), shaped(variance, {3}, t),
                                   {.full = with_constant, .reduction = r});
    };
  };
  check_items(gaussian(false), {2, 3}, normal);
  check_items(gaussian(true), {2, 3}, constant);
}

TEST_CASE("a variance of at most eps has no gradient, a count of 0 or 1 no factorial") {
  const Tensor v = tensor({0, 1e-6, 0.5}, {.dtype = float64, .requires_grad = true});
  nn::gaussian_nll_loss(ones_like(v), zeros_like(v), v, {.reduction = Reduction::sum}).backward();
  // (1/v - d^2/v^2) / 2
  check_numbers(elements(v.grad()), {0, 0, (2 - 4) / 2.0}, 1e-14);
  const Tensor y = tensor({0, 1}, {.dtype = float64, .requires_grad = true});
  nn::poisson_nll_loss(full({2}, 3, {.dtype = float64}), y, {.full = true, .reduction = Reduction::sum})
      .backward();
  CHECK(elements(y.grad()) == Numbers{-3, -3});
}

TEST_CASE("regression losses have right derivatives of orders 1 and 2 in all their tensors") {
  const std::vector<Tensor> at{p_of(float64), y_of(float64)};
  check_smooth([](auto x) { return nn::l1_loss(x[0], x[1]); }, at);
  check_smooth([](auto x) { return nn::huber_loss(x[0], x[1], {.delta = 0.7}); }, at);
  check_smooth([](auto x) { return nn::smooth_l1_loss(x[0], x[1], {.beta = 0.6}); }, at);
  check_smooth([](auto x) { return nn::poisson_nll_loss(x[0], x[1], {.full = true}); },
               {shaped({-0.5, 0.25, 1}, {3}), shaped({0.5, 2, 3.5}, {3})});
  check_smooth([](auto x) { return nn::poisson_nll_loss(x[0], x[1], {.log_input = false}); },
               {shaped({0.5, 1.25, 3}, {3}), shaped({0.5, 2, 3.5}, {3})});
  check_smooth([](auto x) { return nn::gaussian_nll_loss(x[0], x[1], x[2]); },
               {p_of(float64), y_of(float64), shaped({0.5, 1.5, 3}, {3})});
}

TEST_CASE("regression losses of 0-d and of empty tensors") {
  const Tensor none = zeros({0, 3});
  const auto check = [&](auto loss) {
    CHECK(loss(tensor(2), tensor(0.5), Reduction::mean).shape() == Shape{});
    CHECK(std::isnan(loss(none, none, Reduction::mean).item()));
    CHECK(loss(none, none, Reduction::sum).item() == 0);
    CHECK(loss(none, none, Reduction::none).shape() == Shape{0, 3});
  };
  check([](const Tensor& p, const Tensor& y, Reduction r) { return nn::l1_loss(p, y, {.reduction = r}); });
  check([](const Tensor& p, const Tensor& y, Reduction r) { return nn::huber_loss(p, y, {.reduction = r}); });
  check([](const Tensor& p, const Tensor& y, Reduction r) {
    return nn::smooth_l1_loss(p, y, {.reduction = r});
  });
  check([](const Tensor& p, const Tensor& y, Reduction r) {
    return nn::poisson_nll_loss(p, y, {.full = true, .reduction = r});
  });
  check([](const Tensor& p, const Tensor& y, Reduction r) {
    return nn::gaussian_nll_loss(p, y, ones_like(p), {.reduction = r});
  });
  CHECK(nn::l1_loss(tensor(2), tensor(0.5)).item() == 1.5);
}

TEST_CASE("regression losses say what their options and variances may be") {
  const Tensor x = ones({3});
  CHECK(message_of<ValueError>([&] { return nn::smooth_l1_loss(x, x, {.beta = -1}); }) ==
        "smooth_l1_loss: beta must be finite and at least 0: got -1");
  CHECK(message_of<ValueError>([&] { return nn::smooth_l1_loss(x, x, {.beta = not_a_number}); }) ==
        "smooth_l1_loss: beta must be finite and at least 0: got nan");
  CHECK(message_of<ValueError>([&] { return nn::huber_loss(x, x, {.delta = 0}); }) ==
        "huber_loss: delta must be positive and finite: got 0");
  CHECK(message_of<ValueError>([&] { return nn::huber_loss(x, x, {.delta = inf}); }) ==
        "huber_loss: delta must be positive and finite: got inf");
  CHECK(message_of<ValueError>([&] { return nn::poisson_nll_loss(x, x, {.eps = 0}); }) ==
        "poisson_nll_loss: eps must be positive and finite: got 0");
  CHECK(message_of<ValueError>([&] { return nn::gaussian_nll_loss(x, x, x, {.eps = -1}); }) ==
        "gaussian_nll_loss: eps must be positive and finite: got -1");
  CHECK(message_of<ValueError>([&] {
          return nn::gaussian_nll_loss(x, x, tensor({1, -0.5, 1}));
        }) == "gaussian_nll_loss: variance must be in [0, inf]: got -0.5 at [1]");
  CHECK(message_of<ShapeError>([&] { return nn::gaussian_nll_loss(x, x, ones({2})); }) ==
        "gaussian_nll_loss: variance must broadcast to the prediction [3]: got [2]");
  CHECK(message_of<DtypeError>([&] { return nn::gaussian_nll_loss(x, x, ones({3}, {.dtype = float64})); }) ==
        "gaussian_nll_loss: variance is float64, the prediction is float32");
  CHECK(message_of<ValueError>([&] { return nn::gaussian_nll_loss(x, x, Tensor()); }) ==
        "gaussian_nll_loss: variance: the handle is empty");
  CHECK(message_of<ValueError>([&] { return nn::l1_loss(x, x, {.reduction = static_cast<Reduction>(9)}); }) ==
        "Reduction: no such kind: 9");
}
