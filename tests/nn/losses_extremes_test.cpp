// Losses at infinities, at saturation and at their own thresholds: values, gradients and second derivatives.

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"

using namespace xtgrad;
using nn::Reduction;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

struct Orders {
  double value, first, second;
};

/// A function of one number, its derivative and the derivative of that; 0 where there is none.
Orders orders(const std::function<Tensor(const Tensor&)>& f, double at, Dtype dtype) {
  const Tensor x = full({1}, at, {.dtype = dtype, .requires_grad = true});
  const Tensor y = sum(f(x));
  const Tensor first = grad({y}, {x}, {.create_graph = true, .allow_unused = true})[0];
  if (!first.defined()) return {y.item(), 0, 0};
  if (!first.requires_grad()) return {y.item(), first.item(), 0};
  const Tensor second = grad({sum(first)}, {x}, {.allow_unused = true})[0];
  return {y.item(), first.item(), second.defined() ? second.item() : 0};
}

void check_orders(const Orders& got, const Orders& want) {
  const auto is = [](double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-6 * std::abs(b);
  };
  CHECK_MESSAGE(is(got.value, want.value), "value " << got.value << ", wanted " << want.value);
  CHECK_MESSAGE(is(got.first, want.first), "first " << got.first << ", wanted " << want.first);
  CHECK_MESSAGE(is(got.second, want.second), "second " << got.second << ", wanted " << want.second);
}

Tensor constant(double value, const Tensor& like) { return full({1}, value, {.dtype = like.dtype()}); }

}  // namespace

TEST_CASE("bce_with_logits at an infinite logit is its limit, with its derivatives") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double p : {1.0, 3.0}) {
      const auto loss = [&](double y) {
        return [y, p](const Tensor& x) {
          return nn::bce_with_logits(x, constant(y, x),
                                     {.pos_weight = constant(p, x), .reduction = Reduction::sum});
        };
      };
      CAPTURE(p);
      check_orders(orders(loss(0), -inf, dtype), {0, 0, 0});
      check_orders(orders(loss(1), inf, dtype), {0, 0, 0});
      check_orders(orders(loss(0), inf, dtype), {inf, 1, 0});
      check_orders(orders(loss(1), -inf, dtype), {inf, -p, 0});
      check_orders(orders(loss(0.25), inf, dtype), {inf, 0.75, 0});
      check_orders(orders(loss(0.25), -inf, dtype), {inf, -0.25 * p, 0});
      check_orders(orders(loss(1), 1e3, dtype), {0, 0, 0});
      check_orders(orders(loss(0), 1e3, dtype), {1e3, 1, 0});
      check_orders(orders(loss(1), -1e3, dtype), {1e3 * p, -p, 0});
      check_orders(orders(loss(0), not_a_number, dtype), {not_a_number, not_a_number, not_a_number});
    }
    // Without weights the formula is the same.
    const Tensor ends = tensor({-inf, inf}, {.dtype = dtype});
    CHECK(nn::bce_with_logits(ends, tensor({0, 1}, {.dtype = dtype})).item() == 0);
    CHECK(nn::bce_with_logits(ends, tensor({1, 0}, {.dtype = dtype})).item() == inf);
  }
}

TEST_CASE("bce_with_logits: a weight of 0 gives 0, and gradients in weights and targets are not NaN") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double at : {-inf, inf}) {
      for (const double y : {0.0, 0.25, 1.0}) {
        CAPTURE(at);
        CAPTURE(y);
        const auto unweighted = [y](const Tensor& x) {
          return nn::bce_with_logits(x, constant(y, x),
                                     {.weight = constant(0, x), .reduction = Reduction::sum});
        };
        check_orders(orders(unweighted, at, dtype), {0, 0, 0});
        const auto leaf = [&](double v) { return full({1}, v, {.dtype = dtype, .requires_grad = true}); };
        for (const double weight : {0.0, 2.0}) {
          const Tensor t = leaf(y), w = leaf(weight), p = leaf(weight), x = leaf(at);
          const Tensor l =
              nn::bce_with_logits(x, t, {.pos_weight = p, .weight = w, .reduction = Reduction::sum});
          CHECK_FALSE(std::isnan(l.item()));
          for (const Tensor& d : grad({l}, {x, t, w, p})) CHECK_FALSE(std::isnan(d.item()));
        }
      }
    }
    // A NaN is no infinity: it stays visible.
    const Tensor x = full({1}, not_a_number, {.dtype = dtype});
    CHECK(std::isnan(nn::bce_with_logits(x, constant(0, x), {.weight = constant(0, x)}).item()));
    CHECK(nn::bce_with_logits(zeros({0}, {.dtype = dtype}), zeros({0}, {.dtype = dtype}),
                              {.reduction = Reduction::sum})
              .item() == 0);
    CHECK(nn::bce_with_logits(full({}, inf, {.dtype = dtype}), full({}, 1, {.dtype = dtype})).item() == 0);
  }
}

TEST_CASE("cross_entropy: what has no probability or no weight costs nothing, also at a logit of -infinity") {
  for (const Dtype dtype : {float32, float64}) {
    const TensorOptions like{.dtype = dtype};
    const Tensor x = tensor({{-inf, 0, 1}}, {.dtype = dtype, .requires_grad = true});
    const Tensor q = tensor({{0, 0.4, 0.6}}, {.dtype = dtype, .requires_grad = true});
    const Tensor loss = nn::cross_entropy(x, q);
    const double e = std::exp(1.0), total = std::log1p(e);
    CHECK(loss.item() == doctest::Approx(0.4 * total + 0.6 * (total - 1)).epsilon(1e-6));
    const std::vector<Tensor> g = grad({loss}, {x, q}, {.create_graph = true});
    CHECK(g[0].at({0, 0}) == 0);
    CHECK(g[0].at({0, 2}) == doctest::Approx(e / (1 + e) - 0.6).epsilon(1e-5));
    CHECK(g[1].at({0, 0}) == 0);
    const Tensor second = grad({sum(square(g[0]))}, {x})[0];
    for (std::int64_t k = 0; k < 3; ++k) CHECK(std::isfinite(second.at({0, k})));

    // The class that the logits exclude has no weight.
    const Tensor w = tensor({0, 1, 1}, like);
    CHECK(nn::cross_entropy(x, q, {.weight = w}).item() == doctest::Approx(loss.item()));
    const Tensor labels = tensor({0, 2}, {.dtype = int64});
    const Tensor both = tensor({{-inf, 0, 1}, {-inf, 0, 1}}, {.dtype = dtype, .requires_grad = true});
    const Tensor weighted = nn::cross_entropy(both, labels, {.weight = w});
    CHECK(weighted.item() == doctest::Approx(total - 1).epsilon(1e-6));
    const Tensor d = grad({weighted}, {both})[0];
    for (std::int64_t k = 0; k < 3; ++k) CHECK(d.at({0, k}) == 0);
    CHECK(nn::nll_loss(log_softmax(both, 1), labels, {.weight = w}).item() ==
          doctest::Approx(total - 1).epsilon(1e-6));
    const Tensor smoothed = nn::cross_entropy(both, labels, {.weight = w, .label_smoothing = 0.3});
    CHECK(std::isfinite(smoothed.item()));
    CHECK(nn::cross_entropy(both, labels).item() == inf);
    CHECK(nn::cross_entropy(both, labels, {.label_smoothing = 1}).item() == inf);
  }
}

TEST_CASE("log_softmax, logsumexp and cross_entropy at |x| = 1e3, at orders 1 and 2") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double big : {1e3, -1e3}) {
      const Tensor x = tensor({{big, 0}}, {.dtype = dtype, .requires_grad = true});
      const double p = big > 0 ? 1 : 0;
      const auto check = [&](const Tensor& y, double value, double first) {
        CHECK(y.item() == value);
        const Tensor d = grad({y}, {x}, {.create_graph = true})[0];
        CHECK(d.at({0, 0}) == first);
        const Tensor bend = grad({sum(d * tensor({{1, 2}}, {.dtype = dtype}))}, {x})[0];
        CHECK(bend.at({0, 0}) == 0);
        CHECK(bend.at({0, 1}) == 0);
      };
      check(sum(logsumexp(x, {.axes = {1}})), big > 0 ? big : 0, p);
      check(sum(slice(log_softmax(x, 1), {.axis = 1, .stop = 1})), big > 0 ? 0 : big, 1 - p);
      check(nn::cross_entropy(x, tensor({1}, {.dtype = int64})), big > 0 ? big : 0, p);
    }
    const Tensor none = full({1, 3}, -inf, {.dtype = dtype, .requires_grad = true});
    const Tensor y = logsumexp(none, {.axes = {1}});
    CHECK(y.at({0}) == -inf);
    for (std::int64_t k = 0; k < 3; ++k)
      CHECK(grad({sum(y)}, {none}, {.keep_graph = true})[0].at({0, k}) == 0);
  }
}

TEST_CASE("kl_div: a target of 0 costs nothing, whatever the prediction") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double at : {-inf, inf, 1e3, -1e3}) {
      CAPTURE(at);
      const auto loss = [](const Tensor& x) {
        return nn::kl_div(x, constant(0, x), {.reduction = nn::KlDivReduction::sum});
      };
      check_orders(orders(loss, at, dtype), {0, 0, 0});
    }
    const auto loss = [](const Tensor& x) {
      return nn::kl_div(x, constant(0.5, x), {.reduction = nn::KlDivReduction::sum});
    };
    check_orders(orders(loss, -inf, dtype), {inf, -0.5, 0});
  }
}

TEST_CASE("poisson_nll_loss at an infinite or vanishing rate is its limit") {
  for (const Dtype dtype : {float32, float64}) {
    const auto of_log = [](double y) {
      return [y](const Tensor& x) {
        return nn::poisson_nll_loss(x, constant(y, x), {.reduction = Reduction::sum});
      };
    };
    check_orders(orders(of_log(0), -inf, dtype), {0, 0, 0});
    check_orders(orders(of_log(2), -inf, dtype), {inf, -2, 0});
    check_orders(orders(of_log(0), inf, dtype), {inf, inf, inf});
    check_orders(orders(of_log(2), inf, dtype), {inf, inf, inf});
    check_orders(orders(of_log(2), 1e3, dtype), {inf, inf, inf});
    check_orders(orders(of_log(2), -1e3, dtype), {2000, -2, 0});
    const auto of_rate = [](double y) {
      return [y](const Tensor& x) {
        return nn::poisson_nll_loss(x, constant(y, x), {.log_input = false, .reduction = Reduction::sum});
      };
    };
    check_orders(orders(of_rate(0), 0, dtype), {0, 1, 0});
    check_orders(orders(of_rate(0), inf, dtype), {inf, 1, 0});
    check_orders(orders(of_rate(3), inf, dtype), {inf, 1, 0});
    CHECK(std::isnan(orders(of_rate(3), not_a_number, dtype).value));
    CHECK(std::isnan(orders(of_log(0), not_a_number, dtype).value));
  }
}

TEST_CASE("losses of differences at an infinite difference") {
  struct Case {
    std::string name;
    std::function<Tensor(const Tensor&, const Tensor&)> f;
    double slope;  // at +infinity; its negative at -infinity
  };
  const std::vector<Case> cases{
      {"l1_loss", [](const Tensor& x, const Tensor& y) { return nn::l1_loss(x, y); }, 1},
      {"mse_loss", [](const Tensor& x, const Tensor& y) { return nn::mse_loss(x, y); }, inf},
      {"huber_loss", [](const Tensor& x, const Tensor& y) { return nn::huber_loss(x, y, {.delta = 2}); }, 2},
      {"smooth_l1_loss",
       [](const Tensor& x, const Tensor& y) { return nn::smooth_l1_loss(x, y, {.beta = 2}); }, 1}};
  for (const Case& one : cases) {
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(one.name);
      const auto f = [&](const Tensor& x) { return one.f(x, constant(1, x)); };
      const double second = one.name == "mse_loss" ? 2 : 0;
      check_orders(orders(f, inf, dtype), {inf, one.slope, second});
      check_orders(orders(f, -inf, dtype), {inf, -one.slope, second});
      CHECK(std::isnan(orders(f, not_a_number, dtype).value));
    }
  }
  // At the ends of the parabola, where the tangents begin: the kinks of the clamp inside cancel.
  for (const Dtype dtype : {float32, float64}) {
    const auto f = [](const Tensor& x) { return nn::huber_loss(x, constant(0, x), {.delta = 2}); };
    const Orders end = orders(f, 2, dtype), start = orders(f, -2, dtype);
    CHECK(end.value == 2);
    CHECK(end.first == 2);
    CHECK(start.value == 2);
    CHECK(start.first == -2);
  }
}

TEST_CASE("margin losses at infinite scores") {
  for (const Dtype dtype : {float32, float64}) {
    const auto embedding = [](double sign) {
      return [sign](const Tensor& x) { return nn::hinge_embedding_loss(x, constant(sign, x)); };
    };
    check_orders(orders(embedding(-1), inf, dtype), {0, 0, 0});
    check_orders(orders(embedding(-1), -inf, dtype), {inf, -1, 0});
    check_orders(orders(embedding(-1), 1, dtype), {0, 0, 0});  // the kink
    check_orders(orders(embedding(1), inf, dtype), {inf, 1, 0});
    const auto ranking = [](const Tensor& x) {
      return nn::margin_ranking_loss(x, constant(0, x), constant(1, x));
    };
    check_orders(orders(ranking, inf, dtype), {0, 0, 0});
    check_orders(orders(ranking, -inf, dtype), {inf, -1, 0});
    const auto gaussian = [](const Tensor& x) {
      return nn::gaussian_nll_loss(x, constant(0, x), constant(2, x));
    };
    check_orders(orders(gaussian, inf, dtype), {inf, inf, 0.5});
    const auto hinge = [](const Tensor& x) {
      return nn::hinge_loss(concat({x, constant(0, x)}, 0), full({}, 0, {.dtype = int64}));
    };
    check_orders(orders(hinge, inf, dtype), {0, 0, 0});
    check_orders(orders(hinge, -inf, dtype), {inf, -0.5, 0});
  }
}

TEST_CASE("mixed second derivatives in a probability of 0 and an infinite logarithm agree") {
  const auto check_mixed = [](const auto& f, double a, double b) {
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(a);
      CAPTURE(b);
      const Tensor x = tensor(a, {.dtype = dtype}).set_requires_grad();
      const Tensor y = tensor(b, {.dtype = dtype}).set_requires_grad();
      const Tensor loss = f(x, y);
      const Tensor by_x = grad(loss, x, {.create_graph = true}), by_y = grad(loss, y, {.create_graph = true});
      const GradOptions how{.keep_graph = true, .materialize_grads = true};
      CHECK(grad(by_x, y, how).item() == grad(by_y, x, how).item());
    }
  };
  for (const double far : {inf, -inf})
    check_mixed([](const Tensor& x, const Tensor& y) { return nn::kl_div(x, y); }, far, 0);
  check_mixed([](const Tensor& x, const Tensor& y) { return nn::bce_with_logits(x, y); }, inf, 1);
  check_mixed([](const Tensor& x, const Tensor& y) { return nn::bce_with_logits(x, y); }, -inf, 0);
  check_mixed([](const Tensor& x, const Tensor& y) { return nn::poisson_nll_loss(x, y); }, -inf, 0);
}

TEST_CASE("cross_entropy of a row with inf is inf if another class is the target, and else NaN") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({{1, inf, 2}, {1, inf, 2}, {0, 0, 0}}, {.dtype = dtype, .requires_grad = true});
    const Tensor items =
        nn::cross_entropy(x, tensor({0, 1, 2}, {.dtype = int64}), {.reduction = Reduction::none});
    CHECK(items.at({0}) == inf);
    CHECK(std::isnan(items.at({1})));
    CHECK(items.at({2}) == doctest::Approx(std::log(3.0)));
    const Tensor slope = grad(items, x, {.cotangents = {ones_like(items)}});
    CHECK(slope.at({0, 0}) == -1);
    CHECK(slope.at({0, 2}) == 0);
    CHECK(std::isnan(slope.at({0, 1})));
    CHECK(slope.at({2, 0}) == doctest::Approx(1 / 3.0));
    const Tensor row = tensor({1, inf, 2}, {.dtype = dtype});
    CHECK(std::isnan(nn::cross_entropy(row, tensor({0.5, 0, 0.5}, {.dtype = dtype})).item()));
    CHECK(std::isnan(nn::cross_entropy(row, tensor(0, {.dtype = int64}), {.label_smoothing = 0.1}).item()));
  }
}
