// nll_loss, kl_div and bce against plain loops in double; zeros, infinities, empty batches, errors.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/loss_reference.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/binary_cross_entropy.h"
#include "xtgrad/nn/cross_entropy.h"

using namespace xtgrad;
using namespace nn_test;
using nn::KlDivReduction;
using nn::Reduction;
using xtgrad::testing::message_of;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor labels(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

/// A list of numbers with a function of each pair.
Numbers each_of(const Numbers& a, const Numbers& b, double (*item)(double, double)) {
  Numbers items;
  for (std::size_t i = 0; i < a.size(); ++i) items.push_back(item(a[i], b[i]));
  return items;
}

double cut_log(double p) { return std::max(std::log(p), -100.0); }
double bce_item(double p, double y) { return -(y * cut_log(p) + (1 - y) * cut_log(1 - p)); }
double kl_item(double x, double t) { return t == 0 ? 0 : t * (std::log(t) - x); }

}  // namespace

TEST_CASE("nll_loss picks, weighs and averages by the weights; [n, classes, d]") {
  const Numbers x{-0.1, -2, -3, -1.5, -0.25, -4, -1, -1.25, -0.5, -6, -0.75, -2.5};
  const Numbers w{0.5, 2, 3};
  const std::vector<std::int64_t> t{0, 2, -100, 1};  // [2, 2]
  Numbers items, weights;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t d = 0; d < 2; ++d) {
      const std::int64_t c = t[n * 2 + d];
      const bool kept = c >= 0;
      const auto at = static_cast<std::size_t>(kept ? c : 0);
      items.push_back(kept ? -w[at] * x[(n * 3 + at) * 2 + d] : 0);
      weights.push_back(kept ? w[at] : 0);
    }
  }
  const double total = items[0] + items[1] + items[2] + items[3];
  const double divisor = weights[0] + weights[1] + weights[2] + weights[3];
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-15 : 1e-6;
    const Tensor logs = shaped(x, {2, 3, 2}, dtype);
    const Tensor target = labels({{0, 2}, {-100, 1}});
    const auto loss = [&](Reduction r) {
      return nn::nll_loss(logs, target, {.weight = shaped(w, {3}, dtype), .reduction = r});
    };
    check_numbers(elements(loss(Reduction::none)), items, tolerance);
    CHECK(loss(Reduction::none).shape() == Shape{2, 2});
    CHECK(agrees(loss(Reduction::sum).item(), total, tolerance));
    CHECK(agrees(loss(Reduction::mean).item(), total / divisor, tolerance));
    // int32 indices, without weights, another ignored class
    CHECK(agrees(nn::nll_loss(logs, labels({{0, 2}, {1, 1}}).to(int32), {.ignore_index = 1}).item(),
                 (-x[0] - x[5]) / 2, tolerance));
  }
}

TEST_CASE("nll_loss of log_softmax is cross_entropy, and its gradient is -w at the class") {
  const Tensor x = shaped({0.5, -1, 2, 0.25, 1, -0.75}, {2, 3});
  const Tensor target = labels({2, 0});
  CHECK(nn::nll_loss(log_softmax(x, 1), target).item() == nn::cross_entropy(x, target).item());
  const Tensor logs = x.detach().set_requires_grad();
  nn::nll_loss(logs, target, {.weight = shaped({1, 2, 3}, {3}), .reduction = Reduction::sum}).backward();
  CHECK(elements(logs.grad()) == Numbers{0, 0, -3, -1, 0, 0});
  check_smooth([&](auto in) { return nn::nll_loss(log_softmax(in[0], 1), target, {.weight = exp(in[1])}); },
               {x, shaped({0.5, -0.5, 1}, {3})});
  CHECK(nn::nll_loss(tensor({-1, -2}), labels(1)).item() == 2);
  CHECK(std::isnan(nn::nll_loss(zeros({0, 3}), zeros({0}, {.dtype = int64})).item()));
  CHECK(std::isnan(nn::nll_loss(x, labels({-100, -100})).item()));
  CHECK(nn::nll_loss(tensor({{-inf, -1}}), labels({0})).item() == inf);
}

TEST_CASE("nll_loss says what does not fit") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<ShapeError>([&] {
          return nn::nll_loss(x, labels({1, 2, 0}));
        }) == "nll_loss: log_probabilities [2, 3] need class indices [2]: got [3]");
  CHECK(message_of<ValueError>([&] {
          return nn::nll_loss(x, labels({1, 3}));
        }) == "nll_loss: class index out of range: target is 3 at [1], there are 3 classes");
  CHECK(message_of<DtypeError>([&] { return nn::nll_loss(x, zeros({2})); }) ==
        "nll_loss: the target must be int64 class indices: got float32");
  CHECK(message_of<ShapeError>([&] {
          return nn::nll_loss(x, labels({1, 2}), {.weight = ones({2})});
        }) == "nll_loss: weight must be [3], one for each class: got [2]");
  CHECK(message_of<DtypeError>([&] {
          return nn::nll_loss(x, labels({1, 2}), {.weight = ones({3}, {.dtype = float64})});
        }) == "nll_loss: weight is float64, the log_probabilities are float32");
  CHECK(message_of<ShapeError>([&] { return nn::nll_loss(tensor(1), labels(0)); }) ==
        "nll_loss: log_probabilities need a class dimension: got []");
}

TEST_CASE("kl_div is t (log t - x), from probabilities and from their logarithms") {
  const Numbers x{-0.5, -1.5, -3, -0.25, -2, -4};
  const Numbers t{0.5, 0.25, 0.25, 0, 0.75, 0.25};
  const Numbers items = each_of(x, t, kl_item);
  const auto loss = [&](bool logs) {
    return [&, logs](Dtype dtype, Reduction r) {
      const auto how = r == Reduction::mean  ? KlDivReduction::mean
                       : r == Reduction::sum ? KlDivReduction::sum
                                             : KlDivReduction::none;
      const Tensor target = shaped(t, {2, 3}, dtype);
      return nn::kl_div(shaped(x, {2, 3}, dtype), logs ? log(target) : target,
                        {.log_target = logs, .reduction = how});
    };
  };
  check_items(loss(false), {2, 3}, items);
  check_items(loss(true), {2, 3}, items);
  double total = 0;
  for (const double item : items) total += item;
  const Tensor wide_x = shaped(x, {2, 3}), wide_t = shaped(t, {2, 3});
  CHECK(
      agrees(nn::kl_div(wide_x, wide_t, {.reduction = KlDivReduction::batchmean}).item(), total / 2, 1e-14));
  CHECK(agrees(nn::kl_div(tensor(-1), tensor(0.5), {.reduction = KlDivReduction::batchmean}).item(),
               0.5 * (std::log(0.5) + 1), 1e-6));
}

TEST_CASE("kl_div where the target is 0, and where x is -inf") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = shaped({-inf, -2, -inf, not_a_number, -1}, {5}, dtype);
    const Tensor t = shaped({0, 0, 0.5, 0.5, not_a_number}, {5}, dtype);
    check_numbers(elements(nn::kl_div(x, t, {.reduction = KlDivReduction::none})),
                  {0, 0, inf, not_a_number, not_a_number}, 0);
    check_numbers(elements(nn::kl_div(x, log(t), {.log_target = true, .reduction = KlDivReduction::none})),
                  {0, 0, inf, not_a_number, not_a_number}, 0);
    // Both derivatives are finite, the mixed one is -1 beside a target of 0, too.
    const Tensor a = shaped({-inf, -2, -1}, {3}, dtype).set_requires_grad();
    const Tensor b = shaped({0, 0, 0.5}, {3}, dtype).set_requires_grad();
    const Tensor loss = nn::kl_div(a, b, {.reduction = KlDivReduction::sum});
    const std::vector<Tensor> first = grad({loss}, {a, b}, {.create_graph = true});
    CHECK(elements(first[0]) == Numbers{0, 0, -0.5});
    check_numbers(elements(first[1]), {0, 2, std::log(0.5) + 1 + 1}, 1e-6);
    CHECK(elements(grad({sum(first[0])}, {b})[0]) == Numbers{0, -1, -1});
  }
  const Tensor a = shaped({-inf, -2}, {2}).set_requires_grad();
  const Tensor logs = shaped({-inf, -inf}, {2}).set_requires_grad();
  nn::kl_div(a, logs, {.log_target = true, .reduction = KlDivReduction::sum}).backward();
  CHECK(elements(a.grad()) == Numbers{0, 0});
  CHECK(elements(logs.grad()) == Numbers{0, 0});
}

TEST_CASE("kl_div: derivatives of orders 1 and 2, no elements, errors") {
  const std::vector<Tensor> at{shaped({-0.5, -1.5, -3}, {3}), shaped({0.5, 0.25, 0.75}, {3})};
  check_smooth([](auto x) { return nn::kl_div(x[0], x[1]); }, at);
  check_smooth([](auto x) { return nn::kl_div(x[0], x[1], {.log_target = true}); }, at);
  const Tensor none = zeros({0, 3});
  CHECK(std::isnan(nn::kl_div(none, none).item()));
  CHECK(std::isnan(nn::kl_div(none, none, {.reduction = KlDivReduction::batchmean}).item()));
  CHECK(nn::kl_div(none, none, {.reduction = KlDivReduction::sum}).item() == 0);
  CHECK(message_of<ShapeError>([] {
          return nn::kl_div(zeros({2, 3}), zeros({2}));
        }) == "kl_div: shapes differ: log_probabilities are [2, 3], target is [2]; reshape one of them");
  CHECK(message_of<ValueError>([&] {
          return nn::kl_div(none, none, {.reduction = static_cast<KlDivReduction>(7)});
        }) == "KlDivReduction: no such kind: 7");
}

TEST_CASE("bce is the textbook's, each logarithm cut off at -100") {
  const Numbers p{0, 0, 0.25, 0.5, 0.875, 1, 1, 0.125};
  const Numbers y{0, 1, 0, 0.5, 1, 0, 1, 0.75};
  check_items(
      [&](Dtype t, Reduction r) {
        return nn::bce(shaped(p, {2, 4}, t), shaped(y, {2, 4}, t), {.reduction = r});
      },
      {2, 4}, each_of(p, y, bce_item));
  CHECK(nn::bce(tensor({0}), tensor({1})).item() == 100);
  CHECK(nn::bce(tensor({0}), tensor({0})).item() == 0);
  // Below e^-100 = 3.72e-44 there are subnormals in float32, and much in float64.
  CHECK(nn::bce(tensor({1e-45}), tensor({1})).item() == 100);
  CHECK(nn::bce(tensor({3.7e-44}, {.dtype = float64}), ones({1}, {.dtype = float64})).item() == 100);
  CHECK(agrees(nn::bce(tensor({4e-44}, {.dtype = float64}), ones({1}, {.dtype = float64})).item(),
               -std::log(4e-44), 1e-14));
  CHECK(std::isnan(nn::bce(tensor({not_a_number}), tensor({1})).item()));
  const Numbers w{2, 0.5};
  Numbers weighted = each_of(p, y, bce_item);
  for (std::size_t i = 0; i < 8; ++i) weighted[i] *= w[i / 4];
  check_items(
      [&](Dtype t, Reduction r) {
        return nn::bce(shaped(p, {2, 4}, t), shaped(y, {2, 4}, t),
                       {.weight = shaped(w, {2, 1}, t), .reduction = r});
      },
      {2, 4}, weighted);
}

TEST_CASE("bce's derivatives: (1-y)/(1-p) - y/p and its slope, finite everywhere, 0 where a log is cut off") {
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-14 : 1e-6;
    const Numbers p{0, 0, 0.0625, 0.5, 0.75, 1, 1, 1e-44};
    const Numbers y{0, 1, 0.25, 1, 0, 0, 1, 1};
    const Slopes got = slopes(
        [&](const Tensor& x) { return nn::bce(x, shaped(y, {8}, dtype), {.reduction = Reduction::sum}); },
        shaped(p, {8}, dtype));
    Numbers first, second;
    for (std::size_t i = 0; i < 8; ++i) {
      const bool has_log = std::log(p[i]) > -100, has_other = std::log(1 - p[i]) > -100;
      first.push_back((has_other ? (1 - y[i]) / (1 - p[i]) : 0) - (has_log ? y[i] / p[i] : 0));
      second.push_back((has_other ? (1 - y[i]) / (1 - p[i]) / (1 - p[i]) : 0) +
                       (has_log ? y[i] / p[i] / p[i] : 0));
    }
    check_numbers(got.first, first, tolerance);
    check_numbers(got.second, second, tolerance);
  }
  check_smooth([](auto x) { return nn::bce(x[0], x[1], {.weight = x[2]}); },
               {shaped({0.25, 0.5, 0.75}, {3}), shaped({0.5, 1, 0}, {3}), shaped({2}, {1})});
}

TEST_CASE("bce keeps a small p in 1 - p, and both derivatives with it") {
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 4e-16 : 2e-7;
    for (const double at : {0.0, 1e-45, 1e-40, 1e-17, 1e-10, 1e-7, 1e-3, 0.25, 0.75, 1 - 0x1p-20}) {
      for (const double y : {0.0, 0.25}) {
        CAPTURE(at);
        CAPTURE(y);
        const auto loss = [&](const Tensor& x) {
          return nn::bce(x, full({1}, y, {.dtype = dtype}),
                         {.weight = full({1}, 3, {.dtype = dtype}), .reduction = Reduction::sum});
        };
        const Tensor x = full({1}, at, {.dtype = dtype});
        if (y != 0 && at < 1e-30) continue;  // where y / p overflows, or log p is cut off
        const long double p = x.item(), rest = 1 - p;
        const long double value = -3 * ((1 - y) * std::log1p(-p) + (y == 0 ? 0 : y * std::log(p)));
        const long double first = 3 * ((1 - y) / rest - (y == 0 ? 0 : y / p));
        const long double second = 3 * ((1 - y) / rest / rest + (y == 0 ? 0 : y / p / p));
        CHECK(agrees(loss(x).item(), static_cast<double>(value), tolerance, p < 1e-37L ? 1e-37 : 0));
        const Slopes got = slopes(loss, x);
        CHECK(agrees(got.first[0], static_cast<double>(first), 4 * tolerance, 0));
        if (second < 1e37L) CHECK(agrees(got.second[0], static_cast<double>(second), 4 * tolerance, 0));
      }
    }
    const auto whole = [&](const Tensor& x) {
      return nn::bce(x, zeros_like(x), {.reduction = Reduction::sum});
    };
    CHECK(whole(ones({1}, {.dtype = dtype})).item() == 100);
    const Slopes cut = slopes(whole, ones({1}, {.dtype = dtype}));
    CHECK(cut.first[0] == 0);
    CHECK(cut.second[0] == 0);
  }
  CHECK(nn::bce(tensor({1e-10F}), tensor({0})).item() == 1e-10F);
  CHECK(nn::bce(tensor({1e-45F}), tensor({0})).item() == 1e-45F);
}

TEST_CASE("bce of nothing, and what it says of what does not fit") {
  const Tensor none = zeros({0, 3});
  CHECK(std::isnan(nn::bce(none, none).item()));
  CHECK(nn::bce(none, none, {.reduction = Reduction::sum}).item() == 0);
  CHECK(agrees(nn::bce(tensor(0.5), tensor(1)).item(), std::log(2), 1e-6));
  CHECK(message_of<ValueError>([] {
          return nn::bce(tensor({{0.5, 1.5}}), ones({1, 2}));
        }) == "bce: probabilities must be in [0, 1]: got 1.5 at [0, 1]");
  CHECK(message_of<ValueError>([] { return nn::bce(tensor({-0.25}), ones({1})); }) ==
        "bce: probabilities must be in [0, 1]: got -0.25 at [0]");
  CHECK(message_of<ShapeError>([] {
          return nn::bce(ones({2}), ones({2, 1}));
        }) == "bce: shapes differ: probabilities are [2], target is [2, 1]; reshape one of them");
  CHECK(message_of<ShapeError>([] { return nn::bce(ones({2}), ones({2}), {.weight = ones({3})}); }) ==
        "bce: weight must broadcast to the probabilities [2]: got [3]");
}
