#include "xtgrad/datasets/mixup.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/gaussian_noise.h"
#include "xtgrad/datasets/random_erasing.h"
#include "xtgrad/datasets/random_rotation.h"
#include "xtgrad/datasets/resize.h"
#include "xtgrad/nn/cross_entropy.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::Batch;
using datasets::Loader;
using datasets::mixup;

namespace {

/// Sample i is [10^i], of class i.
Batch powers(Dtype dtype) {
  return {.inputs = tensor({{1}, {10}, {100}, {1000}}, {.dtype = dtype}),
          .labels = tensor({0, 1, 2, 3}, {.dtype = int64})};
}

}  // namespace

TEST_CASE("mixup: inputs and labels are mixed with the same share and the same partner") {
  for (const Dtype dtype : {float32, float64}) {
    std::set<std::vector<std::int64_t>> orders;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      Batch batch = powers(dtype);
      Random random(seed);
      mixup({.classes = 5, .alpha = 0.7})(batch, random);
      CHECK(batch.inputs.dtype() == dtype);
      CHECK(batch.labels.dtype() == dtype);
      REQUIRE(batch.labels.shape() == Shape{4, 5});
      std::vector<std::int64_t> order;
      double share = -1;
      for (std::int64_t i = 0; i < 4; ++i) {
        std::int64_t partner = i;
        for (std::int64_t k = 0; k < 5; ++k) {
          if (k != i && batch.labels.at({i, k}) > 0) partner = k;
        }
        REQUIRE(partner < 4);
        order.push_back(partner);
        if (partner == i) {
          CHECK(batch.labels.at({i, i}) == doctest::Approx(1));
          continue;
        }
        if (share < 0) share = batch.labels.at({i, i});
        CHECK(batch.labels.at({i, i}) == share);
        CHECK(batch.labels.at({i, partner}) == doctest::Approx(1 - share).epsilon(1e-5));
        CHECK(batch.inputs.at({i, 0}) ==
              doctest::Approx(share * std::pow(10, i) + (1 - share) * std::pow(10, partner)).epsilon(1e-5));
      }
      CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 4);
      orders.insert(order);
    }
    CHECK(orders.size() > 15);  // of 24
  }
}

TEST_CASE("mixup: the share has the moments of Beta(alpha, alpha)") {
  for (const double alpha : {0.4, 1.0, 3.0}) {
    CAPTURE(alpha);
    constexpr int draws = 4000;
    double sum = 0;
    double squares = 0;
    for (std::uint64_t seed = 0; seed < draws; ++seed) {
      // Of two samples, one order in two mixes them with each other; in the other one they stay.
      Batch batch{.inputs = tensor({{0}, {1}}, {.dtype = float64}),
                  .labels = tensor({0, 1}, {.dtype = int64})};
      Random random(seed);
      mixup({.classes = 2, .alpha = alpha})(batch, random);
      const double other = batch.inputs.at({0, 0});
      if (other == 0) continue;
      sum += 0.5 - other;
      squares += (0.5 - other) * (0.5 - other);
    }
    // Variance 1 / (4 (2 alpha + 1)); five deviations of what half of the draws come to.
    const double count = draws / 2.0;
    const double variance = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(sum / count) < 5 * std::sqrt(variance / count));
    CHECK(std::abs(squares / count - variance) < 5 * 0.25 / std::sqrt(count));
  }
}

TEST_CASE("mixup: cross_entropy of the mixed labels is the mixed cross-entropy") {
  Random random(3);
  const Tensor logits = randn({4, 5}, random, {.dtype = float64});
  Batch batch = powers(float64);
  Random draws(1);
  mixup({.classes = 5})(batch, draws);
  const double loss = nn::cross_entropy(logits, batch.labels).item();
  const Tensor log_p = log_softmax(logits, 1);
  CHECK(loss == doctest::Approx(-sum(batch.labels * log_p).item() / 4));
}

TEST_CASE("mixup: a batch of one is itself, and what it refuses") {
  Batch one{.inputs = tensor({{2.5}}), .labels = tensor({1}, {.dtype = int64})};
  Random random(1);
  mixup({.classes = 2})(one, random);
  CHECK(one.inputs.at({0, 0}) == doctest::Approx(2.5));
  CHECK(numbers_of(one.labels)[1] == doctest::Approx(1));
  CHECK_THROWS_WITH_AS(static_cast<void>(mixup({})), "mixup: classes must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(mixup({.classes = 2, .alpha = 0})),
                       "mixup: alpha must be finite and positive: got 0", ValueError);
  const auto refused = [](Batch batch) {
    Random draws(1);
    return message_of([&] {
      mixup({.classes = 2})(batch, draws);
      return 0;
    });
  };
  CHECK(refused({.inputs = ones({2, 3}, {.dtype = uint8}), .labels = zeros({2}, {.dtype = int64})}) ==
        "mixup: inputs must be float32 or float64: got uint8");
  CHECK(refused({.inputs = ones({2, 3})}) ==
        "mixup: labels must be classes, one a sample: labels are none, inputs are [2, 3]");
  CHECK(refused({.inputs = ones({2, 3}), .labels = zeros({2, 2})}) ==
        "mixup: labels must be classes, one a sample: labels are [2, 2], inputs are [2, 3]");
}

TEST_CASE("augmentation: everything together has the same bits for any number of workers and from anywhere") {
  Random random(11);
  std::vector<std::uint8_t> bytes(23 * 3 * 9 * 8);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next_below(256));
  std::vector<std::int64_t> classes(23);
  for (std::int64_t& label : classes) label = random.next_below(4);
  const datasets::Dataset images({.inputs = reshape(from_vector(bytes), {23, 3, 9, 8}),
                                  .labels = from_vector(classes),
                                  .classes = 4,
                                  .pixels = datasets::Pixels{}});
  const auto options = [](std::int64_t workers) {
    return datasets::LoaderOptions{
        .batch_size = 4,
        .shuffle = true,
        .seed = 3,
        .sample_transform = datasets::Augment({datasets::random_resized_crop({.size = {7, 6}}),
                                               datasets::random_rotation({.degrees = {-20, 20}}),
                                               datasets::gaussian_noise(), datasets::random_erasing()}),
        .transform = mixup({.classes = 4, .alpha = 0.3}),
        .workers = workers};
  };
  const auto bits = [](const Batch& batch) {
    std::vector<double> all = numbers_of(batch.inputs);
    for (const double y : numbers_of(batch.labels)) all.push_back(y);
    return all;
  };
  std::vector<std::vector<double>> expected;
  Loader plain(images, options(0));
  for (auto& batch : plain) expected.push_back(bits(batch));
  CHECK(expected.size() == 6);
  for (const std::int64_t workers : {0, 1, 3}) {
    Loader loader(images, options(workers));
    std::size_t number = 2;
    for (auto at = loader.begin_at(2); at != loader.end(); ++at) CHECK(bits(*at) == expected[number++]);
    CHECK(number == 6);
  }
}
