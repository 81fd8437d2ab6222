#include "xtgrad/datasets/split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/digits.h"

using namespace xtgrad;
using datasets::Dataset;

namespace {

/// A data set whose only feature is the row's number, with `counts[c]` samples of class c, mixed.
Dataset numbered(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<std::int64_t>(c));
  }
  const auto n = static_cast<std::int64_t>(labels.size());
  Random random(11);
  const Tensor order = randperm(n, random);
  std::vector<std::int64_t> mixed;
  for (const std::int64_t i : order.data<std::int64_t>())
    mixed.push_back(labels[static_cast<std::size_t>(i)]);
  return Dataset({.inputs = arange(static_cast<double>(n)),
                  .labels = from_vector(mixed),
                  .classes = static_cast<std::int64_t>(counts.size())});
}

std::vector<std::int64_t> rows_of(const Dataset& part) {
  const std::span<const std::int64_t> rows = part.inputs().data<std::int64_t>();
  return {rows.begin(), rows.end()};
}

/// Every row of `data` in exactly one part, with its own label, in order.
void check_partition(const Dataset& data, const std::vector<Dataset>& parts) {
  std::vector<std::int64_t> all;
  for (const Dataset& part : parts) {
    const std::vector<std::int64_t> rows = rows_of(part);
    CHECK(std::is_sorted(rows.begin(), rows.end()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(part.labels().data<std::int64_t>()[i] ==
            data.labels().data<std::int64_t>()[static_cast<std::size_t>(rows[i])]);
    }
    all.insert(all.end(), rows.begin(), rows.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(all == rows_of(data));
}

/// Each class's share of each part is rounded up or down, no further.
void check_proportions(const Dataset& data, const std::vector<Dataset>& parts,
                       const std::vector<double>& fractions) {
  const std::vector<std::int64_t> members = data.class_counts();
  REQUIRE(parts.size() == fractions.size());
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const std::vector<std::int64_t> counts = parts[p].class_counts();
    for (std::size_t c = 0; c < members.size(); ++c) {
      CAPTURE(p);
      CAPTURE(c);
      CHECK(std::abs(static_cast<double>(counts[c]) - fractions[p] * static_cast<double>(members[c])) < 1);
    }
  }
}

const std::vector<std::vector<std::int64_t>> class_sizes = {
    {10, 10}, {50, 30, 20}, {1, 2, 3, 4, 5, 6, 7}, {0, 9, 0, 1}, {97}, {1}, {0, 0}, {1000, 1},
};

/// False, after a look at the message, where a part is to have less than one sample and has none.
template <class F>
bool has_parts(const Dataset& data, const std::vector<double>& fractions, F split) {
  try {
    split();
    return true;
  } catch (const ValueError& error) {
    CHECK(std::string(error.what()).ends_with(" is an empty part"));
    CHECK(*std::min_element(fractions.begin(), fractions.end()) * static_cast<double>(data.size()) < 1);
    return false;
  }
}

}  // namespace

TEST_CASE("split: every sample in exactly one part, classes within one sample of their share") {
  for (const std::vector<std::int64_t>& sizes : class_sizes) {
    const Dataset data = numbered(sizes);
    for (const double test : {0.2, 0.5, 0.9, 0.01}) {
      CAPTURE(test);
      if (!has_parts(data, {1 - test, test}, [&] { (void)datasets::stratified_split(data, {.test = test}); }))
        continue;
      const auto parts = datasets::stratified_split(data, {.test = test, .seed = 3});
      check_partition(data, {parts.train, parts.test});
      check_proportions(data, {parts.train, parts.test}, {1 - test, test});
    }
    for (const std::vector<double>& fractions : {std::vector<double>{0.8, 0.1, 0.1},
                                                 {0.7, 0.2, 0.1},
                                                 {0.25, 0.25, 0.25, 0.25},
                                                 {0.98, 0.01, 0.01}}) {
      if (!has_parts(data, fractions,
                     [&] { (void)datasets::stratified_parts(data, {.fractions = fractions}); }))
        continue;
      const std::vector<Dataset> parts =
          datasets::stratified_parts(data, {.fractions = fractions, .seed = 3});
      check_partition(data, parts);
      check_proportions(data, parts, fractions);
    }
  }
}

TEST_CASE("split: shares without a remainder are exact") {
  const auto parts = datasets::stratified_split(numbered({50, 30, 20}));
  CHECK(parts.test.class_counts() == std::vector<std::int64_t>{10, 6, 4});
  CHECK(parts.train.class_counts() == std::vector<std::int64_t>{40, 24, 16});
  // 0.29 * 100 is 28.999999999999996 in binary.
  CHECK(datasets::stratified_split(numbered({100}), {.test = 0.29}).test.size() == 29);
}

TEST_CASE("split: the sizes of the parts come close to their fractions, too") {
  // Rounded class by class, each of these would give 3 * 0.2 = 0.6, that is one sample: 100 instead of 60.
  const Dataset many_small = numbered(std::vector<std::int64_t>(100, 3));
  CHECK(datasets::stratified_split(many_small).test.size() == 60);
  const std::vector<Dataset> parts = datasets::stratified_parts(many_small, {.fractions = {0.8, 0.1, 0.1}});
  CHECK(parts[0].size() == 240);
  CHECK(parts[1].size() == 30);
  CHECK(parts[2].size() == 30);

  const auto digits = datasets::stratified_split(datasets::digits(), {.test = 0.2, .seed = 1});
  CHECK(std::abs(static_cast<double>(digits.test.size()) - 0.2 * 1797) < 1);
  CHECK(digits.train.size() + digits.test.size() == 1797);
  CHECK(digits.train.inputs().shape() == Shape{digits.train.size(), 64});
}

TEST_CASE("split: a class with few samples may be missing from a small part") {
  const auto parts = datasets::stratified_split(numbered({95, 1}), {.test = 0.2});
  CHECK(parts.train.class_counts()[1] + parts.test.class_counts()[1] == 1);
  CHECK(parts.test.classes() == 2);
}

TEST_CASE("split: the seed alone decides") {
  const Dataset data = numbered({40, 60});
  const auto a = datasets::stratified_split(data, {.seed = 5});
  const auto again = datasets::stratified_split(data, {.seed = 5});
  const auto other = datasets::stratified_split(data, {.seed = 6});
  CHECK(rows_of(a.test) == rows_of(again.test));
  CHECK(rows_of(a.train) == rows_of(again.train));
  CHECK(rows_of(a.test) != rows_of(other.test));
  // And it is no mere cut.
  CHECK(rows_of(a.test).back() > 50);
  CHECK(rows_of(a.test).front() < 50);
}

TEST_CASE("split: each sample may end up in the test part") {
  const Dataset data = numbered({10, 15});
  std::vector<int> seen(25, 0);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const std::int64_t row : rows_of(datasets::stratified_split(data, {.seed = seed}).test)) {
      ++seen[static_cast<std::size_t>(row)];
    }
  }
  // 40 of 200 are expected; the standard deviation is 5.7.
  CHECK(*std::min_element(seen.begin(), seen.end()) > 15);
  CHECK(*std::max_element(seen.begin(), seen.end()) < 65);
}

TEST_CASE("split: fractions below 1 leave the rest out") {
  const Dataset data = numbered({100, 50});
  const std::vector<Dataset> parts = datasets::stratified_parts(data, {.fractions = {0.1, 0.2}, .seed = 2});
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].class_counts() == std::vector<std::int64_t>{10, 5});
  CHECK(parts[1].class_counts() == std::vector<std::int64_t>{20, 10});
  std::vector<std::int64_t> rows = rows_of(parts[0]);
  const std::vector<std::int64_t> second = rows_of(parts[1]);
  rows.insert(rows.end(), second.begin(), second.end());
  std::sort(rows.begin(), rows.end());
  CHECK(std::adjacent_find(rows.begin(), rows.end()) == rows.end());
  CHECK(datasets::stratified_parts(data, {.fractions = {0.5}})[0].size() == 75);
}

TEST_CASE("split: fractions that are none") {
  const Dataset data = numbered({10, 10});
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::stratified_split(data, {.test = 0})),
                       "stratified_split: test must be in (0, 1): got 0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::stratified_split(data, {.test = 1})),
                       "stratified_split: test must be in (0, 1): got 1", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(datasets::stratified_split(data, {.test = std::numeric_limits<double>::quiet_NaN()})),
      "stratified_split: test must be in (0, 1): got nan", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::stratified_parts(data, {.fractions = {0.5, -0.1}})),
                       "stratified_parts: fractions[1] must be in (0, 1): got -0.1", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(datasets::stratified_parts(data, {.fractions = {0.5, 0.25, 0.375}})),
      "stratified_parts: fractions must sum up to at most 1: 0.5, 0.25, 0.375 sum up to 1.125", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::stratified_parts(data, {})),
                       "stratified_parts: no fractions are given", ValueError);
}

TEST_CASE("split: a part without samples is an error that names its fraction and the samples") {
  const Dataset data = numbered({50, 50, 50});
  CHECK_THROWS_WITH_AS((void)datasets::random_split(data, {.test = 0.001}),
                       "random_split: test 0.001 of 150 samples is an empty part", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::stratified_split(data, {.test = 0.001}),
                       "stratified_split: test 0.001 of 150 samples is an empty part", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::random_split(numbered({1}), {.test = 0.75}),
                       "random_split: 1 - test 0.25 of 1 sample is an empty part", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::random_parts(data, {.fractions = {0.8, 0.001}}),
                       "random_parts: fractions[1] 0.001 of 150 samples is an empty part", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::stratified_parts(numbered({1, 1}), {.fractions = {0.5, 0.25, 0.25}}),
                       "stratified_parts: fractions[2] 0.25 of 2 samples is an empty part", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::random_split(data.subset({})),
                       "random_split: test 0.2 of 0 samples is an empty part", ValueError);
  // What no part was asked to have may well be nothing.
  CHECK(datasets::random_parts(data, {.fractions = {0.999}})[0].size() == 150);
}

TEST_CASE("split: needs classes") {
  const Dataset targets({.inputs = zeros({4, 2}), .labels = zeros({4, 1})});
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::stratified_split(targets)),
                       "stratified_split: needs class labels: classes is 0 and labels are float32 [4, 1]",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::stratified_parts(targets, {.fractions = {0.5}})),
                       "stratified_parts: needs class labels: classes is 0 and labels are float32 [4, 1]",
                       ValueError);
}

TEST_CASE("random splits: every sample in one part, sizes rounded, whatever the labels are") {
  const Dataset data = numbered({7, 50, 40});
  for (const double test : {0.1, 0.25, 0.5, 0.9}) {
    const auto [train, rest] = datasets::random_split(data, {.test = test, .seed = 3});
    check_partition(data, {train, rest});
    CHECK(std::abs(static_cast<double>(rest.size()) - test * 97) < 1);
  }
  const std::vector<Dataset> parts = datasets::random_parts(data, {.fractions = {0.8, 0.1, 0.1}, .seed = 1});
  REQUIRE(parts.size() == 3);
  check_partition(data, parts);
  CHECK(datasets::random_parts(data, {.fractions = {0.5, 0.25}}).at(1).size() == 24);
  // Targets that are no classes.
  const Dataset targets({.inputs = arange(10), .labels = ones({10, 2})});
  CHECK(datasets::random_split(targets, {.test = 0.3}).test.size() == 3);
  CHECK(rows_of(datasets::random_split(data, {.seed = 1}).test) ==
        rows_of(datasets::random_split(data, {.seed = 1}).test));
  CHECK(rows_of(datasets::random_split(data, {.seed = 1}).test) !=
        rows_of(datasets::random_split(data, {.seed = 2}).test));
  CHECK_THROWS_WITH_AS((void)datasets::random_split(data, {.test = 1}),
                       "random_split: test must be in (0, 1): got 1", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::random_parts(data, {}), "random_parts: no fractions are given",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::random_parts(data, {.fractions = {0.75, 0.5}}),
                       "random_parts: fractions must sum up to at most 1: 0.75, 0.5 sum up to 1.25",
                       ValueError);
}

TEST_CASE("k_fold: each sample is tested once and trained on in all other folds") {
  const Dataset data = numbered({10, 21, 33});
  for (const bool stratified : {false, true}) {
    CAPTURE(stratified);
    for (const std::int64_t folds : {2, 5, 64}) {
      CAPTURE(folds);
      const std::vector<datasets::TrainTest> pairs =
          datasets::k_fold(data, {.folds = folds, .stratified = stratified, .seed = 4});
      REQUIRE(pairs.size() == static_cast<std::size_t>(folds));
      std::vector<Dataset> tests;
      for (const auto& [train, test] : pairs) {
        check_partition(data, {train, test});
        const double size = 64.0 / static_cast<double>(folds);
        CHECK(std::abs(static_cast<double>(test.size()) - size) <= (stratified ? 2 : 1));
        if (stratified) {
          const std::vector<std::int64_t> all = data.class_counts(), own = test.class_counts();
          for (std::size_t c = 0; c < all.size(); ++c) {
            const double share = static_cast<double>(all[c]) / static_cast<double>(folds);
            CHECK(std::abs(static_cast<double>(own[c]) - share) < 1);
          }
        }
        tests.push_back(test);
      }
      check_partition(data, tests);
    }
  }
  CHECK_THROWS_WITH_AS((void)datasets::k_fold(data, {.folds = 1}),
                       "k_fold: folds must be at least 2 and at most the number of samples, 64: got 1",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::k_fold(data, {.folds = 65}),
                       "k_fold: folds must be at least 2 and at most the number of samples, 64: got 65",
                       ValueError);
  const Dataset targets({.inputs = arange(10), .labels = ones({10})});
  CHECK(datasets::k_fold(targets, {.folds = 10}).at(3).test.size() == 1);
  CHECK_THROWS_AS((void)datasets::k_fold(targets, {.folds = 2, .stratified = true}), ValueError);
}
