#include "xtgrad/nn/losses.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using nn::Reduction;
using nn_test::close;
using nn_test::elements;

namespace {

using Real = long double;

Tensor wide(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = float64}); }
Tensor labels(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

/// What DEFINITIONS of the loss say, as loops in long double. Logits are [n, classes, d].
struct Reference {
  std::int64_t n = 0;
  std::int64_t classes = 0;
  std::int64_t d = 0;
  std::vector<double> logits = {};
  std::vector<double> weight = {};
  double smoothing = 0;
  std::int64_t ignore = -100;

  [[nodiscard]] std::size_t at(std::int64_t i, std::int64_t c, std::int64_t k) const {
    return static_cast<std::size_t>((i * classes + c) * d + k);
  }
  [[nodiscard]] Real w(std::int64_t c) const {
    return weight.empty() ? 1 : weight[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] Real minus_log_p(std::int64_t i, std::int64_t c, std::int64_t k) const {
    Real total = 0;
    for (std::int64_t j = 0; j < classes; ++j) total += std::exp(static_cast<Real>(logits[at(i, j, k)]));
    return std::log(total) - static_cast<Real>(logits[at(i, c, k)]);
  }

  /// Items, in row-major order of [n, d], and what the mean divides by.
  struct Result {
    std::vector<Real> items = {};
    Real divisor = 0;
    [[nodiscard]] Real sum() const {
      Real total = 0;
      for (const Real item : items) total += item;
      return total;
    }
  };

  [[nodiscard]] Result indices(const std::vector<std::int64_t>& target) const {
    Result result;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < d; ++k) {
        const std::int64_t t = target[static_cast<std::size_t>(i * d + k)];
        if (t == ignore) {
          result.items.push_back(0);
          continue;
        }
        Real smooth = 0;
        for (std::int64_t c = 0; c < classes; ++c) smooth += w(c) * minus_log_p(i, c, k);
        result.items.push_back((1 - static_cast<Real>(smoothing)) * w(t) * minus_log_p(i, t, k) +
                               static_cast<Real>(smoothing) / static_cast<Real>(classes) * smooth);
        result.divisor += w(t);
      }
    }
    return result;
  }

  [[nodiscard]] Result probabilities(const std::vector<double>& target) const {
    Result result;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < d; ++k) {
        Real item = 0;
        for (std::int64_t c = 0; c < classes; ++c) {
          const Real q = static_cast<Real>(target[at(i, c, k)]) * (1 - static_cast<Real>(smoothing)) +
                         static_cast<Real>(smoothing) / static_cast<Real>(classes);
          item += w(c) * q * minus_log_p(i, c, k);
        }
        result.items.push_back(item);
        result.divisor += 1;
      }
    }
    return result;
  }
};

void check_close(double got, Real want, Dtype dtype) {
  const double tolerance = dtype == float64 ? 1e-13 : 3e-6;
  CHECK(close(got, static_cast<double>(want), tolerance));
}

/// All three reductions of the loss against the reference.
void check_reductions(const Tensor& logits, const Tensor& target, nn::CrossEntropyOptions options,
                      const Reference::Result& want, const Shape& items) {
  options.reduction = Reduction::sum;
  const Tensor total = nn::cross_entropy(logits, target, options);
  CHECK(total.shape() == Shape{});
  check_close(total.item(), want.sum(), logits.dtype());
  options.reduction = Reduction::mean;
  check_close(nn::cross_entropy(logits, target, options).item(), want.sum() / want.divisor, logits.dtype());
  options.reduction = Reduction::none;
  const Tensor each = nn::cross_entropy(logits, target, options);
  CHECK(each.shape() == items);
  CHECK(each.dtype() == logits.dtype());
  const std::vector<double> got = elements(each);
  REQUIRE(got.size() == want.items.size());
  for (std::size_t i = 0; i < got.size(); ++i) check_close(got[i], want.items[i], logits.dtype());
}

}  // namespace

TEST_CASE("mse: the mean, and the three scalings of the books") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor p = tensor({{1, 2}, {3, 5}}, {.dtype = dtype});
    const Tensor y = tensor({{1, 4}, {0, 4}}, {.dtype = dtype});
    CHECK(nn::mse_loss(p, y).item() == 3.5);
    CHECK(nn::mse_loss(p, y, {.half = true}).item() == 1.75);
    CHECK(nn::mse_loss(p, y, {.reduction = Reduction::sum}).item() == 14);
    CHECK(nn::mse_loss(p, y, {.reduction = Reduction::sum, .half = true}).item() == 7);
    CHECK(elements(nn::mse_loss(p, y, {.reduction = Reduction::none})) == std::vector<double>{0, 4, 9, 1});
    CHECK(elements(nn::mse_loss(p, y, {.reduction = Reduction::none, .half = true})) ==
          std::vector<double>{0, 2, 4.5, 0.5});
    CHECK(nn::mse_loss(p, y).dtype() == dtype);
  }
}

TEST_CASE("mse: gradients of both arguments, and no elements") {
  const Tensor p = tensor({1, 5}, {.requires_grad = true});
  const Tensor y = tensor({2, 2}, {.requires_grad = true});
  nn::mse_loss(p, y, {.reduction = Reduction::sum, .half = true}).backward();
  CHECK(elements(p.grad()) == std::vector<double>{-1, 3});
  CHECK(elements(y.grad()) == std::vector<double>{1, -3});
  CHECK(std::isnan(nn::mse_loss(zeros({0, 2}), zeros({0, 2})).item()));
  CHECK(nn::mse_loss(zeros({0, 2}), zeros({0, 2}), {.reduction = Reduction::sum}).item() == 0);
  CHECK(nn::mse_loss(tensor(3), tensor(1)).item() == 4);
}

TEST_CASE("mse refuses to broadcast") {
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::mse_loss(ones({3, 1}), ones({3}))),
                       "mse_loss: shapes differ: prediction is [3, 1], target is [3]; reshape one of them",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::mse_loss(ones({3}), ones({3}, {.dtype = float64}))),
                       "mse_loss: dtypes differ: prediction is float32, target is float64; convert with to()",
                       DtypeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(nn::mse_loss(ones({3}), ones({3}), {.reduction = static_cast<Reduction>(9)})),
      "Reduction: no such kind: 9", ValueError);
}

TEST_CASE("cross entropy by hand") {
  // Equal logits over 4 classes: -log(1/4), whatever the class.
  CHECK(close(nn::cross_entropy(wide({{0, 0, 0, 0}}), labels({2})).item(), std::log(4), 1e-15));
  // p = (1/2, 1/4, 1/4): log 2 and log 4, mean 1.5 log 2.
  const Tensor logits = wide({{std::log(2), 0, 0}, {std::log(2), 0, 0}});
  CHECK(close(nn::cross_entropy(logits, labels({0, 1})).item(), 1.5 * std::log(2), 1e-15));
}

TEST_CASE("cross entropy's gradient is (softmax - onehot) / n") {
  const Tensor logits =
      tensor({{std::log(2), 0, 0}, {0, std::log(2), 0}}, {.dtype = float64, .requires_grad = true});
  nn::cross_entropy(logits, labels({0, 0})).backward();
  const std::vector<double> expected{-0.25, 0.125, 0.125, -0.375, 0.25, 0.125};
  const std::vector<double> got = elements(logits.grad());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(close(got[i], expected[i], 1e-14));
}

TEST_CASE("class indices against the definition: weights, smoothing, ignored items, reductions, shapes") {
  for (const Dtype dtype : {float32, float64}) {
    for (const bool weighted : {false, true}) {
      for (const double smoothing : {0.0, 0.3, 1.0}) {
        for (const std::int64_t ignore : {-100, 1}) {
          for (const std::int64_t d : {1, 2}) {
            CAPTURE(weighted);
            CAPTURE(smoothing);
            CAPTURE(ignore);
            CAPTURE(d);
            Random random(9);
            const Tensor full = randn({5, 3, d}, random, {.dtype = dtype});
            std::vector<std::int64_t> target{0, 1, 2, 2, 1};
            if (d == 2) target = {0, 1, 2, 2, 1, 0, 1, 1, 2, 0};
            if (ignore == -100) target[3] = -100;
            Reference reference{.n = 5,
                                .classes = 3,
                                .d = d,
                                .logits = elements(full),
                                .smoothing = smoothing,
                                .ignore = ignore};
            nn::CrossEntropyOptions options{.ignore_index = ignore, .label_smoothing = smoothing};
            if (weighted) {
              reference.weight = {0.5, 2, 3};
              options.weight = tensor({0.5, 2, 3}, {.dtype = dtype});
            }
            const Shape items = d == 1 ? Shape{5} : Shape{5, 2};
            const Tensor logits = d == 1 ? reshape(full, Shape{5, 3}) : full;
            check_reductions(logits, from_span(target, items), options, reference.indices(target), items);
          }
        }
      }
    }
  }
}

TEST_CASE("probabilities against the definition: weights, smoothing, reductions, shapes") {
  for (const Dtype dtype : {float32, float64}) {
    for (const bool weighted : {false, true}) {
      for (const double smoothing : {0.0, 0.3, 1.0}) {
        for (const std::int64_t d : {1, 2}) {
          CAPTURE(weighted);
          CAPTURE(smoothing);
          CAPTURE(d);
          Random random(10);
          const Tensor full = randn({4, 3, d}, random, {.dtype = dtype});
          const Tensor q = softmax(randn({4, 3, d}, random, {.dtype = dtype}), 1);
          Reference reference{.n = 4, .classes = 3, .d = d, .logits = elements(full), .smoothing = smoothing};
          nn::CrossEntropyOptions options{.label_smoothing = smoothing};
          if (weighted) {
            reference.weight = {0.5, 2, 3};
            options.weight = tensor({0.5, 2, 3}, {.dtype = dtype});
          }
          const Shape shape = d == 1 ? Shape{4, 3} : Shape{4, 3, 2};
          check_reductions(reshape(full, shape), reshape(q, shape), options,
                           reference.probabilities(elements(q)), d == 1 ? Shape{4} : Shape{4, 2});
        }
      }
    }
  }
}

TEST_CASE("one-hot probabilities are class indices") {
  Random random(12);
  const Tensor logits = randn({6, 4}, random, {.dtype = float64});
  const Tensor target = labels({3, 0, 1, 2, 2, 0});
  const Tensor by_index = nn::cross_entropy(logits, target, {.label_smoothing = 0.2});
  const Tensor by_probability =
      nn::cross_entropy(logits, one_hot(target, 4, {.dtype = float64}), {.label_smoothing = 0.2});
  CHECK(close(by_index.item(), by_probability.item(), 1e-14));
}

TEST_CASE("logits of one sample need no batch dimension") {
  const Tensor logits = wide({1, 2, 4});
  const double expected = nn::cross_entropy(wide({{1, 2, 4}}), labels({1})).item();
  CHECK(nn::cross_entropy(logits, labels(1)).item() == expected);
  CHECK(nn::cross_entropy(logits, labels(1), {.reduction = Reduction::none}).shape() == Shape{});
  CHECK(close(nn::cross_entropy(logits, wide({0, 1, 0})).item(), expected, 1e-15));
}

TEST_CASE("a batch of one, and of none: the mean of nothing is NaN, its sum 0") {
  CHECK(close(nn::cross_entropy(wide({{3, 3}}), labels({0})).item(), std::log(2), 1e-15));
  const Tensor none = zeros({0, 3});
  const Tensor no_labels = zeros({0}, {.dtype = int64});
  CHECK(std::isnan(nn::cross_entropy(none, no_labels).item()));
  CHECK(std::isnan(nn::cross_entropy(none, no_labels, {.weight = ones({3}), .label_smoothing = 0.1}).item()));
  CHECK(nn::cross_entropy(none, no_labels, {.reduction = Reduction::sum}).item() == 0);
  CHECK(nn::cross_entropy(none, no_labels, {.reduction = Reduction::none}).shape() == Shape{0});
  CHECK(std::isnan(nn::cross_entropy(none, none).item()));
  CHECK(nn::cross_entropy(none, none, {.reduction = Reduction::sum}).item() == 0);
}

TEST_CASE("all items ignored: NaN for the mean, 0 for the sum, and gradients of zero") {
  const Tensor logits = tensor({{1, 2}, {3, 4}}, {.requires_grad = true});
  const Tensor target = labels({-100, -100});
  CHECK(std::isnan(nn::cross_entropy(logits, target).item()));
  CHECK(std::isnan(nn::cross_entropy(logits, target, {.weight = ones({2})}).item()));
  const Tensor total = nn::cross_entropy(logits, target, {.reduction = Reduction::sum});
  CHECK(total.item() == 0);
  total.backward();
  CHECK(elements(logits.grad()) == std::vector<double>(4, 0));
}

TEST_CASE("an ignored item has no influence, whatever its logits") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor logits = tensor({{1, 2}, {-inf, 4}}, {.requires_grad = true});
  const Tensor loss = nn::cross_entropy(logits, labels({1, 7}), {.ignore_index = 7});
  CHECK(close(loss.item(), std::log1p(std::exp(-1)), 1e-6));
  loss.backward();
  const std::vector<double> gradient = elements(logits.grad());
  CHECK(gradient[2] == 0);
  CHECK(gradient[3] == 0);
}

TEST_CASE("cross entropy is finite and right far from zero") {
  const Tensor logits = tensor({{1000, -1000}, {-1000, 1000}}, {.dtype = float64, .requires_grad = true});
  const Tensor loss = nn::cross_entropy(logits, labels({0, 0}), {.reduction = Reduction::none});
  CHECK(elements(loss) == std::vector<double>{0, 2000});
  sum(loss).backward();
  CHECK(elements(logits.grad()) == std::vector<double>{0, 0, -1, 1});
}

TEST_CASE("gradients also reach probabilities and class weights") {
  const Tensor logits = wide({{0, 0}, {0, 0}});
  const Tensor q = tensor({{0.5, 0.5}, {1, 0}}, {.dtype = float64, .requires_grad = true});
  nn::cross_entropy(logits, q, {.reduction = Reduction::sum}).backward();
  for (const double g : elements(q.grad())) CHECK(close(g, std::log(2), 1e-15));
  const Tensor weight = tensor({1, 1}, {.dtype = float64, .requires_grad = true});
  nn::cross_entropy(logits, labels({0, 0}), {.weight = weight, .reduction = Reduction::sum}).backward();
  CHECK(close(elements(weight.grad())[0], 2 * std::log(2), 1e-15));
  CHECK(elements(weight.grad())[1] == 0);
}

TEST_CASE("cross entropy's errors name the rule, the value and the place") {
  const Tensor logits = zeros({2, 3});
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, labels({0, 3}))),
                       "cross_entropy: class index out of range: target is 3 at [1], there are 3 classes",
                       ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(
          nn::cross_entropy(zeros({2, 3, 2, 2}), labels({{{0, 1}, {0, 2}}, {{1, 1}, {-1, 0}}}))),
      "cross_entropy: class index out of range: target is -1 at [1, 1, 0], there are 3 classes", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(zeros({3}), labels(5))),
                       "cross_entropy: class index out of range: target is 5 at [], there are 3 classes",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, labels({0, 1, 2}))),
                       "cross_entropy: logits [2, 3] need class indices [2]: got [3]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, labels({{0}, {1}}))),
                       "cross_entropy: logits [2, 3] need class indices [2]: got [2, 1]", ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(nn::cross_entropy(logits, ones({2}))),
      "cross_entropy: logits [2, 3] need probabilities of that shape, or int64 class indices: got "
      "float32 [2]",
      ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, ones({2, 3}, {.dtype = float64}))),
                       "cross_entropy: the target's probabilities are float64, the logits are float32",
                       DtypeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(nn::cross_entropy(logits, ones({2, 3}, {.dtype = boolean}))),
      "cross_entropy: the target must be int64 class indices or floating probabilities: got bool",
      DtypeError);
  CHECK_THROWS_AS(static_cast<void>(nn::cross_entropy(logits, labels({0, 1}).to(uint8))), DtypeError);
  CHECK(nn::cross_entropy(logits, labels({0, 1}).to(int32)).item() ==
        nn::cross_entropy(logits, labels({0, 1})).item());
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(labels({{0, 1}}), labels({0}))),
                       "cross_entropy: logits must be float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(tensor(1), labels(0))),
                       "cross_entropy: logits need a class dimension: got []", ShapeError);
}

TEST_CASE("cross entropy's options are checked") {
  const Tensor logits = zeros({2, 3});
  const Tensor target = labels({0, 1});
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, target, {.weight = ones({2})})),
                       "cross_entropy: weight must be [3], one for each class: got [2]", ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(nn::cross_entropy(logits, target, {.weight = ones({3}, {.dtype = float64})})),
      "cross_entropy: weight is float64, the logits are float32", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, target, {.label_smoothing = 1.5})),
                       "cross_entropy: label_smoothing must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::cross_entropy(logits, ones({2, 3}), {.ignore_index = 0})),
                       "cross_entropy: ignore_index 0 needs class indices, the target holds probabilities",
                       ValueError);
}
