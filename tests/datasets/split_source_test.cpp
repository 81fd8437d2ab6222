// Splits of data sets of one's own are those of a Dataset of as many samples and the same labels.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;
using datasets::Dataset;
using datasets::SampleSource;
using testing::message_of;

namespace {

using Rows = std::vector<std::int64_t>;
using Source = std::shared_ptr<const SampleSource>;

/// Three numbers a sample, the first of which is its own.
class Numbers final : public SampleSource {
 public:
  explicit Numbers(std::int64_t size) : size_(size) {}
  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] datasets::Sample get(std::int64_t index) const override {
    const Tensor number = full({}, index, {.dtype = int64});
    return {number, number, number};
  }

 private:
  std::int64_t size_;
};

Rows rows_of(const Tensor& x) {
  const std::span<const std::int64_t> rows = x.data<std::int64_t>();
  return {rows.begin(), rows.end()};
}
Rows rows_of(const Dataset& part) { return rows_of(part.inputs()); }
Rows rows_of(const Source& part) {
  Rows rows;
  for (std::int64_t i = 0; i < part->size(); ++i) rows.push_back(part->get(i)[0].item_int64());
  return rows;
}

/// 47 samples of three classes, one of which, 1, has none.
Tensor labels() {
  Rows values;
  for (std::int64_t i = 0; i < 47; ++i) values.push_back(i % 7 == 0 ? 3 : i % 3 == 0 ? 0 : 2);
  return from_vector(values);
}
Dataset in_memory() { return Dataset({.inputs = arange(47), .labels = labels(), .classes = 4}); }
const std::shared_ptr<Numbers> source = std::make_shared<Numbers>(47);

template <class A, class B>
void check_same(const std::vector<A>& parts, const std::vector<B>& wanted) {
  REQUIRE(parts.size() == wanted.size());
  for (std::size_t p = 0; p < parts.size(); ++p) CHECK(rows_of(parts[p]) == rows_of(wanted[p]));
}

}  // namespace

TEST_CASE("random splits of a source are those of a Dataset") {
  const auto [train, test] = datasets::random_split(source, {.test = 0.25, .seed = 3});
  const auto wanted = datasets::random_split(in_memory(), {.test = 0.25, .seed = 3});
  CHECK(rows_of(train) == rows_of(wanted.train));
  CHECK(rows_of(test) == rows_of(wanted.test));
  CHECK(datasets::random_split(source).test->size() == 9);
  check_same(datasets::random_parts(source, {.fractions = {0.5, 0.25}, .seed = 2}),
             datasets::random_parts(in_memory(), {.fractions = {0.5, 0.25}, .seed = 2}));
  // What comes out is a source like any other.
  datasets::Loader loader(train, {.batch_size = 100});
  CHECK(rows_of(loader.begin()->inputs) == rows_of(wanted.train));
  CHECK(loader.begin()->others.size() == 1);
}

TEST_CASE("stratified splits of a source with labels are those of a Dataset with these") {
  for (const Dtype dtype : {int64, int32}) {
    const Tensor given = labels().to(dtype);
    const auto [train, test] = datasets::stratified_split(source, given, {.test = 0.3, .seed = 5});
    // Of the labels that occur: classes without samples would take draws.
    const Tensor dense = from_vector([] {
      Rows values = rows_of(labels());
      for (std::int64_t& value : values) value = value == 0 ? 0 : value - 1;
      return values;
    }());
    const Dataset data({.inputs = arange(47), .labels = dense, .classes = 3});
    const auto wanted = datasets::stratified_split(data, {.test = 0.3, .seed = 5});
    CHECK(rows_of(train) == rows_of(wanted.train));
    CHECK(rows_of(test) == rows_of(wanted.test));
    check_same(datasets::stratified_parts(source, given, {.fractions = {0.6, 0.2, 0.2}}),
               datasets::stratified_parts(data, {.fractions = {0.6, 0.2, 0.2}}));
    const auto folds = datasets::k_fold(source, given, {.folds = 6, .seed = 1});
    const auto wanted_folds = datasets::k_fold(data, {.folds = 6, .stratified = true, .seed = 1});
    REQUIRE(folds.size() == 6);
    for (std::size_t k = 0; k < 6; ++k) {
      CHECK(rows_of(folds[k].train) == rows_of(wanted_folds[k].train));
      CHECK(rows_of(folds[k].test) == rows_of(wanted_folds[k].test));
    }
  }
}

TEST_CASE("k_fold of a source is that of a Dataset") {
  const auto folds = datasets::k_fold(source, {.folds = 4, .seed = 9});
  const auto wanted = datasets::k_fold(in_memory(), {.folds = 4, .seed = 9});
  REQUIRE(folds.size() == 4);
  for (std::size_t k = 0; k < 4; ++k) {
    CHECK(rows_of(folds[k].train) == rows_of(wanted[k].train));
    CHECK(rows_of(folds[k].test) == rows_of(wanted[k].test));
  }
  CHECK(datasets::k_fold(source).size() == 5);
}

TEST_CASE("splits of a source: what they refuse") {
  const Source none;
  CHECK(message_of<ValueError>([&] { return datasets::random_split(none); }) ==
        "random_split: the source is null");
  CHECK(message_of<ValueError>([&] { return datasets::stratified_split(none, labels()); }) ==
        "stratified_split: the source is null");
  CHECK(message_of<ValueError>([&] { return datasets::random_parts(none, {.fractions = {0.5}}); }) ==
        "random_parts: the source is null");
  CHECK(message_of<ValueError>([&] { return datasets::k_fold(none); }) == "k_fold: the source is null");
  CHECK(message_of<ValueError>([] { return datasets::k_fold(source, {.stratified = true}); }) ==
        "k_fold: stratified folds of a source want labels, as its second argument: got none");
  CHECK(message_of<ValueError>([] { return datasets::k_fold(source, {.folds = 48}); }) ==
        "k_fold: folds must be at least 2 and at most the number of samples, 47: got 48");
  CHECK(message_of<ValueError>([] { return datasets::random_split(std::make_shared<Numbers>(1)); }) ==
        "random_split: test 0.2 of 1 sample is an empty part");
  CHECK(message_of<ValueError>([] { return datasets::random_split(std::make_shared<Numbers>(-1)); }) ==
        "random_split: a source's size must not be negative: got -1");
  const auto refused = [](const Tensor& given) {
    return message_of([&] { return datasets::stratified_split(source, given); });
  };
  CHECK(refused(Tensor()) == "stratified_split: labels: the handle is empty");
  CHECK(refused(ones({47})) == "stratified_split: labels must be int64 or int32: got float32");
  CHECK(refused(ones({46}, {.dtype = int64})) ==
        "stratified_split: labels must be [n], one for each of the source's 47 samples: got [46]");
  CHECK(refused(ones({47, 1}, {.dtype = int64})) ==
        "stratified_split: labels must be one number a sample, [n]: got [47, 1]");
  CHECK(refused(arange(47) - 2) == "stratified_split: labels must not be negative: label 0 is -2");
}
