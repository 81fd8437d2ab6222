// The losses that ask for a margin, and the similarities behind them, against plain loops in double.
#include "xtgrad/nn/margin_losses.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/loss_reference.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/similarity.h"

using namespace xtgrad;
using namespace nn_test;
using nn::Reduction;
using xtgrad::testing::message_of;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor labels(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

const Numbers rows_a{0.5, -1, 2, 0.25, 1, -0.75};
const Numbers rows_b{1, 0.5, -2, 0.5, 2, -1.25};
const Numbers rows_c{-1, 2, 0.5, 0.75, -0.5, 0.25};

/// Norm of row i of a - b + eps, both [2, 3].
double distance(const Numbers& a, const Numbers& b, std::size_t i, double p, double eps = 1e-6) {
  double total = 0, most = 0;
  for (std::size_t k = 3 * i; k < 3 * i + 3; ++k) {
    const double d = std::abs(a[k] - b[k] + eps);
    total += std::pow(d, p);
    most = std::max(most, d);
  }
  return std::isinf(p) ? most : std::pow(total, 1 / p);
}

double cosine(const Numbers& a, const Numbers& b, std::size_t i) {
  double product = 0, aa = 0, bb = 0;
  for (std::size_t k = 3 * i; k < 3 * i + 3; ++k) {
    product += a[k] * b[k];
    aa += a[k] * a[k];
    bb += b[k] * b[k];
  }
  return product / std::sqrt(aa) / std::sqrt(bb);
}

Tensor rows(const Numbers& numbers, Dtype dtype) { return shaped(numbers, {2, 3}, dtype); }

}  // namespace

TEST_CASE("hinge_loss sums what others are ahead, over classes") {
  const Numbers x{0.5, -1, 2, 0.25, 1.5, -0.75, 3, 0, 1};
  const std::vector<std::size_t> y{1, 1, 0};
  const Numbers w{0.5, 2, 1};
  const auto items = [&](double margin, int p, bool weighted) {
    Numbers all;
    for (std::size_t i = 0; i < 3; ++i) {
      double item = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        if (c != y[i]) item += std::pow(std::max(0.0, x[i * 3 + c] - x[i * 3 + y[i]] + margin), p);
      }
      all.push_back(item / 3 * (weighted ? w[y[i]] : 1));
    }
    return all;
  };
  for (const double margin : {1.0, 0.3}) {
    for (const int p : {1, 2}) {
      for (const bool weighted : {false, true}) {
        check_items(
            [&](Dtype t, Reduction r) {
              nn::HingeLossOptions options{.margin = margin, .p = p, .reduction = r};
              if (weighted) options.weight = shaped(w, {3}, t);
              return nn::hinge_loss(shaped(x, {3, 3}, t), labels({1, 1, 0}), options);
            },
            {3}, items(margin, p, weighted));
      }
    }
  }
  CHECK(agrees(nn::hinge_loss(tensor({0.5, -1, 2}), labels(1).to(int32)).item(), (2.5 + 4) / 3, 1e-6));
  CHECK(nn::hinge_loss(tensor({0.5, -1, 2}), labels(1), {.reduction = Reduction::none}).shape() == Shape{});
}

TEST_CASE("hinge_loss: gradients by hand, 0 at the kink, infinite scores, no rows") {
  for (const Dtype dtype : {float32, float64}) {
    // Row 0: class 1 is exactly at the margin, class 2 inside it. Row 1: all are beyond.
    const Tensor x = shaped({2, 1, 1.5, 0, 5, 0}, {2, 3}, dtype).set_requires_grad();
    nn::hinge_loss(x, labels({0, 1}), {.reduction = Reduction::sum}).backward();
    check_numbers(elements(x.grad()), {-1.0 / 3, 0, 1.0 / 3, 0, 0, 0}, 1e-6);
    const Tensor far = shaped({inf, 1, -inf, 0, -inf, 0}, {2, 3}, dtype).set_requires_grad();
    const Tensor loss = nn::hinge_loss(far, labels({0, 1}), {.p = 2, .reduction = Reduction::none});
    CHECK(elements(loss) == Numbers{0, inf});
    const Tensor sure = shaped({inf, 1, -inf}, {3}, dtype).set_requires_grad();
    nn::hinge_loss(sure, labels(0), {.p = 2}).backward();
    CHECK(elements(sure.grad()) == Numbers{0, 0, 0});
  }
  check_smooth(
      [](auto x) {
        return nn::hinge_loss(x[0], labels({1, 2}), {.weight = x[1]});
      },
      {shaped({0.5, -1, 2, 0.25, 1.5, -0.75}, {2, 3}), shaped({0.5, 1, 2}, {3})});
  check_smooth(
      [](auto x) {
        return nn::hinge_loss(x[0], labels({1, 2}), {.p = 2});
      },
      {shaped({0.5, -1, 2, 0.25, 1.5, -0.75}, {2, 3})});
  const Tensor none = zeros({0, 3}), no_labels = zeros({0}, {.dtype = int64});
  CHECK(std::isnan(nn::hinge_loss(none, no_labels).item()));
  CHECK(nn::hinge_loss(none, no_labels, {.reduction = Reduction::sum}).item() == 0);
}

TEST_CASE("hinge_embedding_loss and margin_ranking_loss against their definitions") {
  const Numbers x{0.5, -1, 2, 0.25, 1, -0.75};
  const Numbers z{1, 0.5, 1.5, 0.5, 0.5, -1.25};
  const Numbers y{1, -1, -1, 1, -1, 1};
  Numbers embedding, ranking;
  for (std::size_t i = 0; i < 6; ++i) {
    embedding.push_back(y[i] == 1 ? x[i] : std::max(0.0, 1.5 - x[i]));
    ranking.push_back(std::max(0.0, -y[i] * (x[i] - z[i]) + 0.5));
  }
  for (const bool integers : {false, true}) {
    check_items(
        [&](Dtype t, Reduction r) {
          return nn::hinge_embedding_loss(rows(x, t), rows(y, integers ? int64 : t),
                                          {.margin = 1.5, .reduction = r});
        },
        {2, 3}, embedding);
    check_items(
        [&](Dtype t, Reduction r) {
          return nn::margin_ranking_loss(rows(x, t), rows(z, t), rows(y, integers ? int64 : t),
                                         {.margin = 0.5, .reduction = r});
        },
        {2, 3}, ranking);
  }
  // The defaults, exactly at the kink: a margin of 1 and one of 0.
  const Slopes one = slopes(
      [](const Tensor& d) {
        return nn::hinge_embedding_loss(d, labels({-1, -1, -1}), {.reduction = Reduction::sum});
      },
      shaped({0.5, 1, 2}, {3}));
  CHECK(one.first == Numbers{-1, 0, 0});
  const Slopes tie = slopes(
      [](const Tensor& d) {
        return nn::margin_ranking_loss(d, zeros_like(d), labels({1, 1, -1}), {.reduction = Reduction::sum});
      },
      shaped({0, -1, 2}, {3}));
  CHECK(tie.first == Numbers{0, -1, 1});
  check_smooth([&](auto in) { return nn::hinge_embedding_loss(in[0], rows(y, int64), {.margin = 1.5}); },
               {rows(x, float64)});
  check_smooth(
      [&](auto in) { return nn::margin_ranking_loss(in[0], in[1], rows(y, int64), {.margin = 0.3}); },
      {rows(x, float64), rows(z, float64)});
}

TEST_CASE("pairwise_distance is the p-norm of the difference plus eps") {
  for (const double p : {1.0, 1.5, 2.0, 3.0, inf}) {
    CAPTURE(p);
    const Numbers want{distance(rows_a, rows_b, 0, p), distance(rows_a, rows_b, 1, p)};
    for (const Dtype dtype : {float32, float64}) {
      const Tensor d = nn::pairwise_distance(rows(rows_a, dtype), rows(rows_b, dtype), {.p = p});
      CHECK(d.shape() == Shape{2});
      check_numbers(elements(d), want, dtype == float64 ? 1e-14 : 1e-5);
    }
    check_smooth([p](auto x) { return nn::pairwise_distance(x[0], x[1], {.p = p}); },
                 {rows(rows_a, float64), rows(rows_b, float64)});
    // At a difference of zeros all derivatives are 0.
    const Slopes zero = slopes(
        [p](const Tensor& x) { return sum(nn::pairwise_distance(x, zeros_like(x), {.p = p, .eps = 0})); },
        zeros({2, 3}));
    CHECK(zero.first == Numbers(6, 0));
    CHECK(zero.second == Numbers(6, 0));
  }
  CHECK(nn::pairwise_distance(zeros({4, 3}), ones({3}), {.keepdim = true}).shape() == Shape{4, 1});
  CHECK(nn::pairwise_distance(zeros({0, 3}), zeros({0, 3})).shape() == Shape{0});
}

TEST_CASE(
    "pairwise_distance beside a difference of 0 has the second derivatives that it has, infinite below p = "
    "2") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double p : {1.1, 1.5, 2.5, 3.0}) {
      CAPTURE(p);
      const Tensor x = tensor({0, 2}, {.dtype = dtype, .requires_grad = true});
      const Tensor y = nn::pairwise_distance(x, zeros_like(x), {.p = p, .eps = 0});
      const Tensor first = grad({y}, {x}, {.create_graph = true})[0];
      CHECK(elements(first)[0] == 0);
      CHECK(elements(first)[1] == doctest::Approx(1));
      // of the first difference's slope, and of the second one's
      const Tensor at_zero = grad({slice(first, {.stop = 1})}, {x}, {.create_graph = true})[0];
      CHECK(elements(at_zero) == Numbers{p < 2 ? inf : 0, 0});
      const Tensor beside = grad({slice(first, {.start = 1})}, {x}, {.keep_graph = true})[0];
      CHECK(elements(beside)[1] == doctest::Approx(0));
      if (p > 2) CHECK(elements(grad({sum(at_zero)}, {x})[0]) == Numbers{0, 0});
    }
  }
}

TEST_CASE("cosine_similarity, and vectors of zeros") {
  const Numbers want{cosine(rows_a, rows_b, 0), cosine(rows_a, rows_b, 1)};
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-14 : 1e-5;
    check_numbers(elements(nn::cosine_similarity(rows(rows_a, dtype), rows(rows_b, dtype))), want, tolerance);
    const Tensor across =
        nn::cosine_similarity(transpose(rows(rows_a, dtype)), transpose(rows(rows_b, dtype)), {.axis = 0});
    check_numbers(elements(across), want, tolerance);
    const Tensor beside = nn::cosine_similarity(rows(rows_a, dtype), rows(rows_a, dtype), {.axis = -1});
    check_numbers(elements(beside), {1, 1}, tolerance);
    // Half of eps long, and 0: lengths count as eps.
    const Tensor a = shaped({5e-9, 0, 0, 0}, {2, 2}, dtype).set_requires_grad();
    const Tensor c = nn::cosine_similarity(a, ones({1, 2}, {.dtype = dtype}));
    check_numbers(elements(c), {0.5 / std::sqrt(2), 0}, 1e-6);
    const Tensor slope = grad({sum(c)}, {a}, {.create_graph = true})[0];
    check_numbers(elements(slope), Numbers(4, 1e8 / std::sqrt(2)), 1e-6);
    for (const double second : elements(grad({sum(slope)}, {a})[0])) CHECK(second == 0);
  }
  CHECK(nn::cosine_similarity(zeros({8, 16}), zeros({1, 16})).shape() == Shape{8});
  CHECK(nn::cosine_similarity(zeros({0, 3}), zeros({0, 3})).shape() == Shape{0});
  check_smooth([](auto x) { return nn::cosine_similarity(x[0], x[1]); },
               {rows(rows_a, float64), rows(rows_b, float64)});
}

TEST_CASE("triplet_margin_loss compares two distances, of any norm, swapped or not") {
  for (const double p : {1.0, 2.0, 3.0, inf}) {
    for (const bool swap : {false, true}) {
      for (const double margin : {1.0, 4.0}) {
        Numbers items;
        for (std::size_t i = 0; i < 2; ++i) {
          double far = distance(rows_a, rows_c, i, p);
          if (swap) far = std::min(far, distance(rows_b, rows_c, i, p));
          items.push_back(std::max(0.0, distance(rows_a, rows_b, i, p) - far + margin));
        }
        const auto loss = [&](const Tensor& a, const Tensor& b, const Tensor& c, Reduction r) {
          return nn::triplet_margin_loss(a, b, c, {.margin = margin, .p = p, .swap = swap, .reduction = r});
        };
        check_items(
            [&](Dtype t, Reduction r) { return loss(rows(rows_a, t), rows(rows_b, t), rows(rows_c, t), r); },
            {2}, items);
        check_smooth([&](auto x) { return loss(x[0], x[1], x[2], Reduction::sum); },
                     {rows(rows_a, float64), rows(rows_b, float64), rows(rows_c, float64)});
      }
    }
  }
  const Tensor same = ones({2, 3});
  CHECK(agrees(nn::triplet_margin_loss(same, same, same).item(), 1, 1e-6));
  CHECK(std::isnan(nn::triplet_margin_loss(zeros({0, 3}), zeros({0, 3}), zeros({0, 3})).item()));
}

TEST_CASE("cosine_embedding_loss pulls alike together and pushes others apart") {
  const double c0 = cosine(rows_a, rows_b, 0), c1 = cosine(rows_a, rows_b, 1);
  for (const double margin : {0.0, -0.9, 0.5}) {
    for (const bool first_alike : {false, true}) {
      const Numbers items{first_alike ? 1 - c0 : std::max(0.0, c0 - margin),
                          first_alike ? std::max(0.0, c1 - margin) : 1 - c1};
      const Tensor target = first_alike ? labels({1, -1}) : labels({-1, 1});
      check_items(
          [&](Dtype t, Reduction r) {
            return nn::cosine_embedding_loss(rows(rows_a, t), rows(rows_b, t), target,
                                             {.margin = margin, .reduction = r});
          },
          {2}, items);
      check_smooth([&](auto x) { return nn::cosine_embedding_loss(x[0], x[1], target, {.margin = margin}); },
                   {rows(rows_a, float64), rows(rows_b, float64)});
    }
  }
  CHECK(agrees(nn::cosine_embedding_loss(tensor({1, 0}), tensor({0, 2}), tensor(1)).item(), 1, 1e-6));
  const Tensor none = zeros({0, 3});
  CHECK(nn::cosine_embedding_loss(none, none, zeros({0}), {.reduction = Reduction::sum}).item() == 0);
}

TEST_CASE("margin losses and similarities say what does not fit") {
  const Tensor x = ones({2, 3}), y = labels({0, 1});
  const Tensor wide = ones({2, 3}, {.dtype = float64});
  const auto hinge = [&](const nn::HingeLossOptions& options) { return nn::hinge_loss(x, y, options); };
  CHECK(message_of<ValueError>([&] { return hinge({.p = 3}); }) == "hinge_loss: p must be 1 or 2: got 3");
  CHECK(message_of<ValueError>([&] { return hinge({.margin = inf}); }) ==
        "hinge_loss: margin must be finite: got inf");
  CHECK(message_of<ShapeError>([&] { return hinge({.weight = ones({2})}); }) ==
        "hinge_loss: weight must be [3], one for each class: got [2]");
  CHECK(message_of<DtypeError>([&] { return hinge({.weight = ones({3}, {.dtype = float64})}); }) ==
        "hinge_loss: weight is float64, the scores are float32");
  CHECK(message_of<ValueError>([&] {
          return nn::hinge_loss(x, labels({0, -1}));
        }) == "hinge_loss: class index out of range: target is -1 at [1], there are 3 classes");
  CHECK(message_of<DtypeError>([&] { return nn::hinge_loss(x, ones({2})); }) ==
        "hinge_loss: the target must be int64 class indices: got float32");
  CHECK(message_of<ShapeError>([&] {
          return nn::hinge_loss(ones({2, 3, 1}), y);
        }) == "hinge_loss: scores must be [classes] or [n, classes]: got [2, 3, 1]");
  CHECK(message_of<ShapeError>([&] { return nn::hinge_loss(x, labels(1)); }) ==
        "hinge_loss: scores [2, 3] need class indices [2]: got []");

  CHECK(message_of<ValueError>([&] {
          return nn::hinge_embedding_loss(x, zeros({2, 3}));
        }) == "hinge_embedding_loss: target must be 1 or -1: got 0 at [0, 0]");
  CHECK(message_of<ShapeError>([&] { return nn::hinge_embedding_loss(x, y); }) ==
        "hinge_embedding_loss: distances [2, 3] need a target [2, 3]: got [2]");
  CHECK(message_of<DtypeError>([&] { return nn::hinge_embedding_loss(x, wide); }) ==
        "hinge_embedding_loss: the target must be int64, or float32 as distances: got float64");
  CHECK(message_of<ShapeError>([&] { return nn::margin_ranking_loss(x, ones({3}), x); }) ==
        "margin_ranking_loss: shapes differ: first is [2, 3], second is [3]; reshape one of them");
  CHECK(message_of<ValueError>([&] { return nn::margin_ranking_loss(x, x, 2 * x); }) ==
        "margin_ranking_loss: target must be 1 or -1: got 2 at [0, 0]");
  CHECK(message_of<ValueError>([&] { return nn::margin_ranking_loss(x, x, Tensor()); }) ==
        "margin_ranking_loss: target: the handle is empty");

  CHECK(message_of<ValueError>([&] { return nn::triplet_margin_loss(x, x, x, {.p = 0.5}); }) ==
        "triplet_margin_loss: p must be at least 1: got 0.5");
  CHECK(message_of<ValueError>([&] { return nn::triplet_margin_loss(x, x, x, {.eps = -1}); }) ==
        "triplet_margin_loss: eps must be finite and at least 0: got -1");
  CHECK(message_of<DtypeError>([&] { return nn::triplet_margin_loss(x, x, wide); }) ==
        "triplet_margin_loss: dtypes differ: anchor is float32, negative is float64; convert with to()");
  CHECK(message_of<ShapeError>([&] { return nn::triplet_margin_loss(tensor(1), tensor(1), tensor(1)); }) ==
        "triplet_margin_loss: needs vectors: anchor is []");
  CHECK(message_of<ValueError>([&] { return nn::cosine_embedding_loss(x, x, y, {.margin = 2}); }) ==
        "cosine_embedding_loss: margin must be in [-1, 1]: got 2");
  CHECK(message_of<ShapeError>([&] { return nn::cosine_embedding_loss(x, x, labels({1})); }) ==
        "cosine_embedding_loss: first [2, 3] need a target [2]: got [1]");

  CHECK(message_of<ValueError>([&] { return nn::cosine_similarity(x, x, {.eps = 0}); }) ==
        "cosine_similarity: eps must be positive and finite: got 0");
  CHECK(message_of<ShapeError>([&] {
          return nn::cosine_similarity(x, ones({2, 4}));
        }).find("cosine_similarity: shapes do not broadcast") == 0);
  CHECK(message_of<DtypeError>([&] { return nn::cosine_similarity(x, wide); }) ==
        "cosine_similarity: dtypes differ: a is float32, b is float64; convert with to()");
  CHECK(message_of<ShapeError>([&] {
          return nn::cosine_similarity(x, x, {.axis = 2});
        }).find("cosine_similarity: ") == 0);
  CHECK(message_of<ValueError>([&] { return nn::pairwise_distance(x, x, {.p = 0}); }) ==
        "pairwise_distance: p must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { return nn::pairwise_distance(x, x, {.eps = -1}); }) ==
        "pairwise_distance: eps must be finite and at least 0: got -1");
  CHECK(message_of<ShapeError>([&] { return nn::pairwise_distance(tensor(1), tensor(1)); }) ==
        "pairwise_distance: needs vectors in the last dimension: a is [], b is []");
  CHECK(message_of<DtypeError>([&] { return nn::pairwise_distance(y, y); }) ==
        "pairwise_distance: a must be float32 or float64: got int64");
}
