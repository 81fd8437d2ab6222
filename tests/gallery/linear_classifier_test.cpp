#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;

namespace {

/// The least of mean cross-entropy + lambda (sum of squared weights, biases left out) over training digits,
/// by gradient descent with Nesterov's momentum in plain loops. It is strictly convex in the weights.
double least_loss(double lambda) {
  const Tensor x =
      datasets::stratified_split(datasets::digits({.dtype = float64}), {.test = 0.25}).train.inputs();
  const Tensor y =
      datasets::stratified_split(datasets::digits({.dtype = float64}), {.test = 0.25}).train.labels();
  const auto pixels = x.data<double>();
  const auto labels = y.data<std::int64_t>();
  const auto n = static_cast<std::size_t>(x.size(0));
  std::vector<double> w(650, 0);
  std::vector<double> velocity(650, 0);
  double loss = 0;
  for (int step = 0; step < 600; ++step) {
    std::vector<double> gradient(650, 0);
    std::vector<double> at = w;
    for (std::size_t k = 0; k < 650; ++k) at[k] += 0.9 * velocity[k];
    loss = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double scores[10];
      double total = 0;
      for (std::size_t c = 0; c < 10; ++c) {
        scores[c] = at[65 * c + 64];
        for (std::size_t j = 0; j < 64; ++j) scores[c] += at[65 * c + j] * pixels[64 * i + j] / 16;
      }
      for (const double score : scores) total += std::exp(score);
      const auto label = static_cast<std::size_t>(labels[i]);
      loss += (std::log(total) - scores[label]) / static_cast<double>(n);
      for (std::size_t c = 0; c < 10; ++c) {
        const double delta = (std::exp(scores[c]) / total - (c == label ? 1 : 0)) / static_cast<double>(n);
        for (std::size_t j = 0; j < 64; ++j) gradient[65 * c + j] += delta * pixels[64 * i + j] / 16;
        gradient[65 * c + 64] += delta;
      }
    }
    for (std::size_t k = 0; k < 650; ++k) {
      if (k % 65 != 64) {
        gradient[k] += 2 * lambda * at[k];
        loss += lambda * at[k] * at[k];
      }
      velocity[k] = 0.9 * velocity[k] - 0.3 * gradient[k];
      w[k] += velocity[k];
    }
  }
  return loss;
}

}  // namespace

TEST_CASE("gallery 03: a linear classifier is one matrix, and two without an activation are no more") {
  const testing::GalleryPage page("03_linear_classifier");
  const std::vector<double> trick = page.numbers("scores of the first test image by [W b] [x; 1]");
  const std::vector<double> plain = page.numbers("scores of the first test image by W x + b");
  REQUIRE(trick.size() == 10);
  REQUIRE(plain.size() == 10);
  for (std::size_t c = 0; c < 10; ++c) CHECK(trick[c] == doctest::Approx(plain[c]).epsilon(1e-12));
  CHECK(page.number("largest difference between the two") < 1e-12);
  const Tensor labels = datasets::stratified_split(datasets::digits(), {.test = 0.25}).test.labels();
  CHECK(std::max_element(trick.begin(), trick.end()) - trick.begin() == labels.data<std::int64_t>()[0]);

  const double least = least_loss(0.003);
  CHECK(page.number("training loss with its penalty (nats)") > least * (1 - 1e-3));
  CHECK(page.number("training loss with its penalty (nats)") < least * 1.02);

  for (const int hidden : {100, 3}) {
    CAPTURE(hidden);
    const std::string name = "two matrices, " + std::to_string(hidden) + " numbers between";
    CHECK(page.number(name + ": difference from one") < 1e-11);
    CHECK(page.number(name + ": rank of the product") == std::min(hidden, 10));
  }
  const std::vector<double> one = page.numbers("accuracy of one matrix (%)");
  const std::vector<double> two = page.numbers("accuracy of two matrices (%)");
  const std::vector<double> bent = page.numbers("accuracy of two with a ReLU (%)");
  REQUIRE(one.size() == 2);  // spirals and digits
  CHECK(one[0] < 60);
  CHECK(two[0] < 60);
  CHECK(bent[0] > 90);
  CHECK(one[1] > 90);
  CHECK(std::abs(two[1] - one[1]) < 2);
}
