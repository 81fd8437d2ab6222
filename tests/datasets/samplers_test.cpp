#include "xtgrad/datasets/samplers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/gaussian_noise.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::class_balancing_weights;
using datasets::Loader;
using datasets::LoaderOptions;
using datasets::Sampler;
using datasets::stratified_sampler;
using datasets::weighted_sampler;

namespace {

using Indices = std::vector<std::int64_t>;

Indices indices_of(const Tensor& x) {
  const std::span<const std::int64_t> data = x.data<std::int64_t>();
  return {data.begin(), data.end()};
}

Indices epoch_of(const Sampler& sampler, std::int64_t size, std::uint64_t seed, std::int64_t batch_size = 1) {
  Random random(seed);
  return indices_of(sampler(size, batch_size, random));
}

/// counts[c] labels of each class c, not in order.
Tensor labels_of(const Indices& counts) {
  Indices left = counts;
  Indices labels;
  for (bool any = true; any;) {
    any = false;
    for (std::size_t c = 0; c < left.size(); ++c) {
      if (left[c] == 0) continue;
      --left[c];
      labels.push_back(static_cast<std::int64_t>(c));
      any = true;
    }
  }
  return from_vector(labels);
}

/// Sample i is [i], of class i mod 3.
datasets::Dataset numbered(std::int64_t n) {
  Indices labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(i % 3);
  return datasets::Dataset(
      {.inputs = reshape(arange(n), {n, 1}).to(float32), .labels = from_vector(labels), .classes = 3});
}

bool within_five_deviations(double count, double draws, double p) {
  return std::abs(count - draws * p) <= 5 * std::sqrt(draws * p * (1 - p));
}

}  // namespace

TEST_CASE("weighted_sampler: samples come in proportion to their weights") {
  for (const Dtype dtype : {float32, float64, int64}) {
    const Sampler sampler = weighted_sampler(tensor({1, 0, 3, 6, 0}, {.dtype = dtype}), {.draws = 20000});
    CHECK(sampler.draws() == 20000);
    CHECK(sampler.size() == 5);
    std::map<std::int64_t, double> counts;
    for (const std::int64_t i : epoch_of(sampler, 5, 1)) ++counts[i];
    CHECK(counts.size() == 3);
    CHECK(within_five_deviations(counts[0], 20000, 0.1));
    CHECK(within_five_deviations(counts[2], 20000, 0.3));
    CHECK(within_five_deviations(counts[3], 20000, 0.6));
  }
  // As large as doubles are, and as small.
  const double most = std::numeric_limits<double>::max();
  std::map<std::int64_t, double> counts;
  const Tensor large = tensor({most, most, 1}, {.dtype = float64});
  for (const std::int64_t i : epoch_of(weighted_sampler(large, {.draws = 1000}), 3, 1)) ++counts[i];
  CHECK(counts.size() == 2);
  CHECK(within_five_deviations(counts[0], 1000, 0.5));
}

TEST_CASE("weighted_sampler: without replacement each draw is one of those that are left, by weight") {
  const Sampler sampler = weighted_sampler(tensor({1, 2, 0, 5}), {.draws = 3, .replacement = false});
  std::map<Indices, double> counts;
  constexpr int epochs = 20000;
  for (std::uint64_t seed = 0; seed < epochs; ++seed) ++counts[epoch_of(sampler, 4, seed)];
  const std::map<std::int64_t, double> weights = {{0, 1}, {1, 2}, {3, 5}};
  CHECK(counts.size() == 6);
  for (const auto& [order, count] : counts) {
    REQUIRE(order.size() == 3);
    CHECK(std::set<std::int64_t>(order.begin(), order.end()) == std::set<std::int64_t>{0, 1, 3});
    const double first = weights.at(order[0]) / 8;
    const double second = weights.at(order[1]) / (8 - weights.at(order[0]));
    CHECK(within_five_deviations(count, epochs, first * second));
  }
  // Two that differ by more than a double can tell: the large one is first.
  const Sampler far = weighted_sampler(tensor({1e-320, 1e300}, {.dtype = float64}), {.replacement = false});
  for (std::uint64_t seed = 0; seed < 20; ++seed) CHECK(epoch_of(far, 2, seed) == Indices{1, 0});
}

TEST_CASE("weighted_sampler: with the balancing weights all classes are equally often there") {
  const Tensor labels = labels_of({90, 9, 0, 1});
  const Tensor weights = class_balancing_weights(labels);
  CHECK(weights.dtype() == float64);
  const Indices label = indices_of(labels);
  std::vector<double> sums(4);
  for (std::size_t i = 0; i < label.size(); ++i) {
    sums[static_cast<std::size_t>(label[i])] += numbers_of(weights)[i];
  }
  for (const std::size_t c : {0U, 1U, 3U}) CHECK(sums[c] == doctest::Approx(1));
  std::vector<double> counts(4);
  for (const std::int64_t i : epoch_of(weighted_sampler(weights, {.draws = 9000}), 100, 3)) {
    ++counts[static_cast<std::size_t>(label[static_cast<std::size_t>(i)])];
  }
  for (const std::size_t c : {0U, 1U, 3U}) CHECK(within_five_deviations(counts[c], 9000, 1.0 / 3));
  CHECK(class_balancing_weights(zeros({0}, {.dtype = int64})).shape() == Shape{0});
}

TEST_CASE("weighted_sampler: what it refuses, and nothing to draw") {
  CHECK(epoch_of(weighted_sampler(zeros({0})), 0, 1).empty());
  CHECK(epoch_of(weighted_sampler(zeros({3}), {.draws = 0}), 3, 1).empty());
  const auto refused = [](const Tensor& weights, const datasets::WeightedSamplerOptions& options = {}) {
    return message_of([&] { return weighted_sampler(weights, options).draws(); });
  };
  CHECK(refused(zeros({3})) == "weighted_sampler: a weight must be positive: all 3 are 0, draws is 3");
  CHECK(refused(tensor({1, -1})) ==
        "weighted_sampler: weights must be finite and not negative: weight 1 is -1");
  CHECK(refused(tensor({1, std::numeric_limits<double>::infinity()})) ==
        "weighted_sampler: weights must be finite and not negative: weight 1 is inf");
  CHECK(refused(ones({2, 2})) == "weighted_sampler: weights must be one number a sample, [n]: got [2, 2]");
  CHECK(refused(Tensor()) == "weighted_sampler: weights: the handle is empty");
  CHECK(refused(ones({2}, {.dtype = boolean})) == "weighted_sampler: weights must be numbers: got bool");
  CHECK(refused(ones({2}), {.draws = -1}) == "weighted_sampler: draws must be at least 0: got -1");
  CHECK(
      refused(tensor({1, 0, 1}), {.replacement = false}) ==
      "weighted_sampler: without replacement there are at most as many draws as samples of positive weight: "
      "draws is 3, these are 2");
}

TEST_CASE("stratified_sampler: batches have each class's share, rounded up or down, and every sample once") {
  Random random(7);
  for (int run = 0; run < 400; ++run) {
    const std::int64_t classes = 1 + random.next_below(12);
    Indices counts;
    for (std::int64_t c = 0; c < classes; ++c) counts.push_back(random.next_below(run % 2 == 0 ? 5 : 60));
    const Tensor labels = labels_of(counts);
    const std::int64_t n = labels.numel();
    const std::int64_t batch_size = 1 + random.next_below(run % 3 == 0 ? 4 : 25);
    const Indices order = epoch_of(stratified_sampler(labels), n, random.split().seed(), batch_size);
    CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == static_cast<std::size_t>(n));
    CHECK(order.size() == static_cast<std::size_t>(n));
    const Indices label = indices_of(labels);
    for (std::int64_t first = 0; first < n; first += batch_size) {
      const std::int64_t size = std::min(batch_size, n - first);
      Indices in_batch(counts.size(), 0);
      for (std::int64_t k = first; k < first + size; ++k) {
        ++in_batch[static_cast<std::size_t>(
            label[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])])];
      }
      for (std::size_t c = 0; c < counts.size(); ++c) {
        const bool rounded = in_batch[c] * n > size * counts[c] - n && in_batch[c] * n < size * counts[c] + n;
        CHECK_MESSAGE(rounded, "run " << run << ": " << in_batch[c] << " of " << counts[c]
                                      << " in a batch of " << size << " of " << n);
      }
    }
  }
}

TEST_CASE("stratified_sampler: balanced batches have as many of each class, and small classes come again") {
  const Tensor labels = labels_of({40, 4, 0, 10});
  const Indices label = indices_of(labels);
  const Sampler sampler = stratified_sampler(labels, {.balanced = true, .draws = 61});
  const Indices order = epoch_of(sampler, 54, 3, 7);
  REQUIRE(order.size() == 61);
  std::vector<Indices> visits(4);
  for (std::size_t first = 0; first < 61; first += 7) {
    std::vector<int> in_batch(4);
    for (std::size_t k = first; k < std::min<std::size_t>(first + 7, 61); ++k) {
      const auto c = static_cast<std::size_t>(label[static_cast<std::size_t>(order[k])]);
      visits[c].push_back(order[k]);
      ++in_batch[c];
    }
    const int share = first + 7 <= 61 ? 2 : 1;
    for (const std::size_t c : {0U, 1U, 3U}) CHECK((in_batch[c] == share || in_batch[c] == share + 1));
    CHECK(in_batch[2] == 0);
  }
  for (const auto& [c, members] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 40}, {1, 4}, {3, 10}}) {
    CHECK(visits[c].size() / 20 == 1);
    // All have been there before one comes again.
    std::map<std::int64_t, std::size_t> counts;
    for (const std::int64_t i : visits[c]) ++counts[i];
    CHECK(counts.size() == std::min(members, visits[c].size()));
    for (const auto& [i, count] : counts) {
      CHECK(count >= visits[c].size() / members);
      CHECK(count <= visits[c].size() / members + 1);
    }
  }
  // In another order: the four samples of class 1 do not come as they came before.
  CHECK(Indices(visits[1].begin(), visits[1].begin() + 4) !=
        Indices(visits[1].begin() + 4, visits[1].begin() + 8));
}

TEST_CASE("stratified_sampler and class_balancing_weights: int32 labels are those of int64") {
  const Tensor labels = labels_of({9, 4, 2});
  for (const bool balanced : {false, true}) {
    CHECK(epoch_of(stratified_sampler(labels.to(int32), {.balanced = balanced}), 15, 3, 4) ==
          epoch_of(stratified_sampler(labels, {.balanced = balanced}), 15, 3, 4));
  }
  CHECK(same_bits(class_balancing_weights(labels.to(int32)), class_balancing_weights(labels)));
}

TEST_CASE("stratified_sampler: what it refuses, and nothing to draw") {
  const Tensor none = zeros({0}, {.dtype = int64});
  CHECK(epoch_of(stratified_sampler(none), 0, 1, 4).empty());
  CHECK(epoch_of(stratified_sampler(none, {.balanced = true}), 0, 1, 4).empty());
  const auto refused = [](const Tensor& labels, const datasets::StratifiedSamplerOptions& options = {}) {
    return message_of([&] { return stratified_sampler(labels, options).draws(); });
  };
  CHECK(refused(none, {.balanced = true, .draws = 3}) ==
        "stratified_sampler: there is no sample to draw: draws is 3");
  CHECK(refused(ones({3})) == "stratified_sampler: labels must be int64 or int32: got float32");
  CHECK(refused(ones({3, 1}, {.dtype = int64})) ==
        "stratified_sampler: labels must be one number a sample, [n]: got [3, 1]");
  CHECK(refused(tensor({0, -2}, {.dtype = int64})) ==
        "stratified_sampler: labels must not be negative: label 1 is -2");
  CHECK(
      refused(tensor({0, 1}, {.dtype = int64}), {.draws = 3}) ==
      "stratified_sampler: draws may differ from the number of samples only if balanced: draws is 3, samples "
      "are 2");
}

TEST_CASE("samplers: a loader's epochs differ, have the bits of any number of workers, and go on anywhere") {
  const datasets::Dataset data = numbered(20);
  const std::vector<Sampler> samplers = {
      weighted_sampler(arange(20), {.draws = 30}),
      weighted_sampler(arange(20), {.draws = 15, .replacement = false}),
      stratified_sampler(data.labels()),
      stratified_sampler(data.labels(), {.balanced = true, .draws = 25}),
  };
  for (const Sampler& sampler : samplers) {
    const auto options = [&](std::int64_t workers, bool drop_last = false) {
      return LoaderOptions{.batch_size = 4,
                           .seed = 9,
                           .drop_last = drop_last,
                           .sampler = sampler,
                           .sample_transform = datasets::gaussian_noise({.clip = false}),
                           .workers = workers};
    };
    Loader loader(data, options(0));
    CHECK(loader.batches() == (sampler.draws() + 3) / 4);
    CHECK(loader.samples() == sampler.draws());
    CHECK(Loader(data, options(0, true)).batches() == sampler.draws() / 4);
    CHECK(Loader(data, options(0, true)).samples() == sampler.draws() / 4 * 4);
    CHECK(indices_of(loader.order(0)) != indices_of(loader.order(1)));
    for (const std::int64_t epoch : {0, 1}) {
      std::vector<std::vector<double>> expected;
      const Indices order = indices_of(loader.order(epoch));
      std::size_t visit = 0;
      for (auto& [x, y] : loader) {
        expected.push_back(numbers_of(x));
        for (std::int64_t k = 0; k < x.size(0); ++k, ++visit) {
          CHECK(std::abs(x.at({k, 0}) - static_cast<double>(order[visit])) < 0.6);
          CHECK(y.at({k}) == static_cast<double>(order[visit] % 3));
        }
      }
      CHECK(visit == order.size());
      for (const std::int64_t workers : {0, 1, 3}) {
        Loader resumed(data, options(workers));
        resumed.set_epoch(epoch);
        std::size_t number = 2;
        for (auto at = resumed.begin_at(2); at != resumed.end(); ++at)
          CHECK(numbers_of(at->inputs) == expected[number++]);
        CHECK(number == expected.size());
      }
    }
  }
}

TEST_CASE("samplers: a sample that comes again is transformed anew") {
  const datasets::Dataset one = numbered(1);
  Loader plain(one, {.batch_size = 8,
                     .sampler = weighted_sampler(ones({1}), {.draws = 8}),
                     .sample_transform = datasets::gaussian_noise({.clip = false})});
  const std::vector<double> noise = numbers_of(plain.begin()->inputs);
  CHECK(std::set<double>(noise.begin(), noise.end()).size() == 8);
}

TEST_CASE("samplers: one of one's own, and what it may not give") {
  const datasets::Dataset data = numbered(6);
  const Sampler backwards({.draws = 6}, [](std::int64_t, Random&) { return 5 - arange(6); });
  CHECK_FALSE(backwards.size().has_value());
  Loader loader(data, {.batch_size = 4, .sampler = backwards});
  std::vector<double> seen;
  for (auto& [x, y] : loader) {
    for (const double value : numbers_of(x)) seen.push_back(value);
  }
  CHECK(seen == std::vector<double>{5, 4, 3, 2, 1, 0});
  CHECK(indices_of(loader.order(3)) == Indices{5, 4, 3, 2, 1, 0});

  const auto looped = [&](const Tensor& indices) {
    Loader bad(data,
               {.sampler = Sampler({.draws = 2}, [indices](std::int64_t, Random&) { return indices; })});
    return message_of([&] { return bad.begin()->inputs; });
  };
  CHECK(looped(tensor({0, 6}, {.dtype = int64})) ==
        "Sampler: index out of range: draw 1 is 6, the data has 6 samples");
  CHECK(looped(tensor({-1, 0}, {.dtype = int64})) ==
        "Sampler: index out of range: draw 0 is -1, the data has 6 samples");
  CHECK(looped(tensor({1}, {.dtype = int64})) == "Sampler: indices must be [draws], [2]: got [1]");
  CHECK(looped(tensor({0.0, 1.0})) == "Sampler: indices must be int64: got float32");
  CHECK(looped(Tensor()) == "Sampler: its function returned an empty handle");

  const auto refused = [](auto make) {
    return message_of<ValueError>([&] {
      make();
      return 0;
    });
  };
  CHECK(refused([] { Sampler({.draws = 1}, {}); }) == "Sampler: function must not be empty");
  CHECK(refused([] { Sampler({.draws = -1}, [](std::int64_t, Random&) { return Tensor(); }); }) ==
        "Sampler: draws must be at least 0: got -1");
  CHECK(refused([&] { Loader(data, {.shuffle = true, .sampler = backwards}); }) ==
        "Loader: shuffle and sampler both choose the order: give one of them");
  CHECK(refused([&] { Loader(data, {.sampler = weighted_sampler(ones({5}))}); }) ==
        "Loader: numbers of samples differ: the sampler is for 5, the data has 6");
  Random random(1);
  CHECK(refused([&] { static_cast<void>(Sampler()(6, 1, random)); }) ==
        "Sampler: there is no function that draws");
  CHECK(refused([&] { static_cast<void>(weighted_sampler(ones({5}))(6, 1, random)); }) ==
        "Sampler: numbers of samples differ: the sampler is for 5, the data has 6");
}
