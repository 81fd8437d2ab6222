#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;

namespace {

/// As the page divides them; pixels from 0 to 16.
datasets::TrainTest digits() {
  return datasets::stratified_split(datasets::digits({.dtype = float64}), {.test = 0.25});
}

/// The least of mean cross-entropy + lambda (sum of squared weights, biases left out) over training digits,
/// by gradient descent with Nesterov's momentum in plain loops. It is strictly convex in the weights.
double least_loss(double lambda) {
  const datasets::Dataset train = digits().train;
  const Tensor x = train.inputs();
  const Tensor y = train.labels();
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

using Rows = std::vector<std::vector<double>>;

/// The class whose row of [W b] gives an image of 64 pixels the highest score.
std::size_t class_of(const Rows& rows, const double* image) {
  std::vector<double> scores;
  for (const std::vector<double>& row : rows) {
    double score = row[64];
    for (std::size_t j = 0; j < 64; ++j) score += row[j] * image[j];
    scores.push_back(score);
  }
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// How many of the images get their labels, in percent.
double percent_right(const Rows& rows, const datasets::Dataset& data) {
  const Tensor x = data.inputs() / 16;
  const Tensor y = data.labels();
  const auto pixels = x.data<double>();
  const auto labels = y.data<std::int64_t>();
  double right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    right += class_of(rows, &pixels[64 * i]) == static_cast<std::size_t>(labels[i]) ? 1 : 0;
  }
  return 100 * right / static_cast<double>(labels.size());
}

/// The mean image of each of ten classes.
Rows mean_images(const datasets::Dataset& data) {
  const Tensor x = data.inputs() / 16;
  const Tensor y = data.labels();
  const auto pixels = x.data<double>();
  const auto labels = y.data<std::int64_t>();
  Rows sums(10, std::vector<double>(64, 0));
  std::vector<double> counts(10, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    ++counts[label];
    for (std::size_t j = 0; j < 64; ++j) sums[label][j] += pixels[64 * i + j];
  }
  for (std::size_t c = 0; c < 10; ++c) {
    for (double& pixel : sums[c]) pixel /= counts[c];
  }
  return sums;
}

/// That the chosen λ is one of those tried, and has the best validation accuracy.
void check_choice(double chosen, const std::vector<double>& lambdas, const std::vector<double>& percent) {
  REQUIRE(lambdas.size() == percent.size());
  REQUIRE(lambdas.size() > 3);
  const auto found = std::find(lambdas.begin(), lambdas.end(), chosen);
  REQUIRE(found != lambdas.end());
  CHECK(percent[static_cast<std::size_t>(found - lambdas.begin())] ==
        *std::max_element(percent.begin(), percent.end()));
}

}  // namespace

TEST_CASE("gallery 03: each template scores highest what looks like it") {
  const testing::GalleryPage page("03_linear_classifier");
  Rows rows;
  for (int c = 0; c < 10; ++c) {
    rows.push_back(page.numbers("digits: row " + std::to_string(c) + " of [W b] with L2"));
    REQUIRE(rows.back().size() == 65);
  }
  const datasets::TrainTest data = digits();
  const Rows means = mean_images(data.train);
  for (std::size_t c = 0; c < 10; ++c) CHECK(class_of(rows, means[c].data()) == c);
  CHECK(page.number("digits: accuracy with L2 (%)") == doctest::Approx(percent_right(rows, data.test)));

  check_choice(page.number("digits: chosen λ"), page.numbers("digits: λ"),
               page.numbers("digits: validation accuracy over λ (%)"));

  // Of two pixels that no digit ever has ink in, the first and the last of the fifth row, nothing is left.
  for (const std::vector<double>& mean : means) REQUIRE(mean[32] + mean[39] == 0);
  for (const std::vector<double>& row : rows) CHECK(std::abs(row[32]) + std::abs(row[39]) < 1e-3);
}

TEST_CASE("gallery 03: in the committed run validation chose each penalty, and photographs gain by theirs") {
  const nlohmann::json notes = nlohmann::json::parse(testing::file_text(
      std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/gallery/03_linear_classifier.json"));
  const nlohmann::json& numbers = notes["numbers"];
  for (const std::string task : {"digits", "MNIST", "CIFAR-10"}) {
    CAPTURE(task);
    check_choice(numbers.at(task + ": chosen λ").get<double>(),
                 numbers.at(task + ": λ").get<std::vector<double>>(),
                 numbers.at(task + ": validation accuracy over λ (%)").get<std::vector<double>>());
  }
  CHECK(numbers["CIFAR-10: accuracy with L2 (%)"].get<double>() >
        numbers["CIFAR-10: accuracy without L2 (%)"].get<double>());
  CHECK(numbers["CIFAR-10: roughness with L2"].get<double>() <
        0.5 * numbers["CIFAR-10: roughness without L2"].get<double>());
}

TEST_CASE("gallery 03: a linear classifier is one matrix, and two without an activation are no more") {
  const testing::GalleryPage page("03_linear_classifier");
  const std::vector<double> trick = page.numbers("scores of the first test image by [W b] [x; 1]");
  const std::vector<double> plain = page.numbers("scores of the first test image by W x + b");
  REQUIRE(trick.size() == 10);
  REQUIRE(plain.size() == 10);
  for (std::size_t c = 0; c < 10; ++c) CHECK(trick[c] == doctest::Approx(plain[c]).epsilon(1e-12));
  CHECK(page.number("largest difference between the two") < 1e-12);
  const Tensor labels = digits().test.labels();
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
