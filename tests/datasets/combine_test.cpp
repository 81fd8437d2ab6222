#include "xtgrad/datasets/combine.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::as_source;
using datasets::Dataset;
using datasets::DatasetParts;
using datasets::Sample;
using datasets::SampleSource;
using datasets::subset;

namespace {

using Sources = std::vector<std::shared_ptr<const SampleSource>>;

/// Images of bytes from `first` on: sample i is [1, 1, 2] of first + i.
DatasetParts bytes(std::int64_t first, std::int64_t n) {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) {
    pixels.insert(pixels.end(), 2, static_cast<std::uint8_t>(first + i));
    labels.push_back((first + i) % 2);
  }
  return {.inputs = reshape(from_vector(pixels), {n, 1, 1, 2}),
          .labels = from_vector(labels),
          .classes = 2,
          .class_names = {"even", "odd"},
          .pixels = datasets::Pixels{.unit_range = false}};
}

/// Sample i has i + 1 elements; batches are padded with zeros to `width`.
struct Padded final : SampleSource {
  Padded(std::int64_t samples, std::int64_t to) : n(samples), width(to) {}
  [[nodiscard]] std::int64_t size() const override { return n; }
  [[nodiscard]] Sample get(std::int64_t i) const override { return {ones({i + 1})}; }
  [[nodiscard]] Sample collate(std::span<const Sample> samples,
                               const datasets::SampleNames& names) const override {
    std::vector<Sample> padded(samples.begin(), samples.end());
    for (Sample& sample : padded) sample[0] = concat({sample[0], zeros({width - sample[0].size(0)})});
    return SampleSource::collate(padded, names);
  }
  std::int64_t n;
  std::int64_t width;
};

std::vector<double> inputs_of(const std::shared_ptr<const SampleSource>& source,
                              std::int64_t batch_size = 2) {
  std::vector<double> all;
  for (auto& [x, y] : datasets::Loader(source, {.batch_size = batch_size, .workers = 1})) {
    for (const double value : numbers_of(x)) all.push_back(value);
  }
  return all;
}

}  // namespace

TEST_CASE("concat: data sets in memory become one, and bytes stay bytes") {
  const Dataset a(bytes(0, 2));
  const Dataset none(bytes(0, 0));
  const Dataset b(bytes(7, 3));
  const Dataset all = datasets::concat({a, none, b});
  CHECK(all.size() == 5);
  CHECK(all.stored_inputs().dtype() == uint8);
  CHECK(numbers_of(all.stored_inputs()) == std::vector<double>{0, 0, 1, 1, 7, 7, 8, 8, 9, 9});
  CHECK(numbers_of(all.labels()) == std::vector<double>{0, 1, 1, 0, 1});
  CHECK(all.classes() == 2);
  CHECK(all.class_names() == a.class_names());
  CHECK(all.inputs_dtype() == float32);
  // Nothing is copied where nothing has to be.
  const Dataset same = datasets::concat({none, b, none});
  CHECK(same.stored_inputs().data<std::uint8_t>().data() == b.stored_inputs().data<std::uint8_t>().data());
  CHECK(datasets::concat({none, none}).size() == 0);
  for (const Dtype dtype : {float32, float64}) {
    const Dataset targets(
        {.inputs = ones({2, 3}, {.dtype = dtype}), .labels = zeros({2, 2}, {.dtype = dtype})});
    const Dataset twice = datasets::concat({targets, targets});
    CHECK(twice.inputs().shape() == Shape{4, 3});
    CHECK(twice.labels().shape() == Shape{4, 2});
    CHECK(twice.inputs().dtype() == dtype);
  }
}

TEST_CASE("concat: data sets that do not go together are named") {
  const auto with = [](auto change) {
    DatasetParts parts = bytes(0, 2);
    change(parts);
    return message_of([&] { return datasets::concat({Dataset(bytes(0, 1)), Dataset(parts)}).size(); });
  };
  CHECK(with([](DatasetParts& p) {
          p.inputs = zeros({2, 3}, {.dtype = uint8});
        }) == "concat: sample shapes differ: part 0 has [1, 1, 2], part 1 has [3]");
  CHECK(with([](DatasetParts& p) {
          p.inputs = p.inputs.to(float32);
          p.pixels = {};
        }) == "concat: dtypes of inputs differ: part 0 has uint8, part 1 has float32");
  CHECK(with([](DatasetParts& p) { p.pixels = {}; }) ==
        "concat: pixels differ: part 0 has float32 0 to 255, part 1 has none");
  CHECK(with([](DatasetParts& p) { p.pixels = datasets::Pixels{.dtype = float64}; }) ==
        "concat: pixels differ: part 0 has float32 0 to 255, part 1 has float64 0 to 1");
  CHECK(with([](DatasetParts& p) { p.class_names = {}; }) ==
        "concat: class names differ: part 0 has even, odd, part 1 has none");
  CHECK(with([](DatasetParts& p) {
          p.feature_names = {"left", "right"};
        }) == "concat: feature names differ: part 0 has none, part 1 has left, right");
  CHECK(with([](DatasetParts& p) {
          p.classes = 3;
          p.class_names = {};
        }) == "concat: classes differ: part 0 has 2, part 1 has 3");
  CHECK(with([](DatasetParts& p) {
          p.labels = zeros({2, 4});
          p.classes = 0;
          p.class_names = {};
        }) == "concat: shapes of labels differ: part 0 has [], part 1 has [4]");
  CHECK(with([](DatasetParts& p) {
          p.labels = zeros({2});
          p.classes = 0;
          p.class_names = {};
        }) == "concat: dtypes of labels differ: part 0 has int64, part 1 has float32");
  CHECK(message_of<ValueError>([] { return datasets::concat(std::span<const Dataset>()).size(); }) ==
        "concat: needs at least one data set: got none");
}

TEST_CASE("as_source: a data set's samples, bytes and what they stand for") {
  const auto source = as_source(Dataset(bytes(3, 3)));
  CHECK(source->size() == 3);
  const Sample sample = source->get(1);
  CHECK(sample[0].dtype() == uint8);
  CHECK(sample[0].shape() == Shape{1, 1, 2});
  CHECK(sample[1].shape() == Shape{});
  CHECK(sample[1].item_int64() == 0);
  CHECK(inputs_of(source) == std::vector<double>{3, 3, 4, 4, 5, 5});
  const Dataset again = in_memory(*source);
  CHECK(numbers_of(again.stored_inputs()) == std::vector<double>{3, 3, 4, 4, 5, 5});
  CHECK(again.class_names() == std::vector<std::string>{"even", "odd"});
}

TEST_CASE("concat and subset of sources: samples in their order, nothing copied") {
  const auto all = datasets::concat(
      {as_source(Dataset(bytes(0, 2))), as_source(Dataset(bytes(0, 0))), as_source(Dataset(bytes(7, 3)))});
  CHECK(all->size() == 5);
  CHECK(all->info().classes == 2);
  CHECK(inputs_of(all) == std::vector<double>{0, 0, 1, 1, 7, 7, 8, 8, 9, 9});
  CHECK(all->name_of(1) == "sample 1 of part 0");
  CHECK(all->name_of(3) == "sample 1 of part 2");
  const auto some = subset(all, {4, 0, 4});
  CHECK(inputs_of(some) == std::vector<double>{9, 9, 0, 0, 9, 9});
  CHECK(some->info().class_names == std::vector<std::string>{"even", "odd"});
  CHECK(some->name_of(0) == "sample 2 of part 2");
  CHECK(subset(all, {})->size() == 0);
  CHECK(inputs_of(subset(all, {})).empty());
  CHECK(inputs_of(datasets::concat({subset(all, {1}), some})) == std::vector<double>{1, 1, 9, 9, 0, 0, 9, 9});
}

TEST_CASE(
    "concat and subset of sources: batches are made by their own collate, and errors name samples of "
    "theirs") {
  const auto padded = std::make_shared<const Padded>(3, 3);
  CHECK(inputs_of(datasets::concat({subset(padded, {2, 0}), padded}), 3) ==
        std::vector<double>{1, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1});
  const DatasetParts wide{.inputs = ones({1, 9}), .labels = zeros({1}, {.dtype = int64})};
  const DatasetParts slim{.inputs = ones({2, 4}), .labels = zeros({2}, {.dtype = int64})};
  const auto mixed = datasets::concat({as_source(Dataset(wide)), subset(as_source(Dataset(slim)), {1})});
  CHECK(message_of<ShapeError>([&] { return inputs_of(mixed).size(); }) ==
        "collate: shapes of tensor 0 differ: sample 0 of part 0 has [9], sample 1 of part 1 has [4]");
}

TEST_CASE("concat and subset of sources: what they refuse") {
  const auto a = as_source(Dataset(bytes(0, 2)));
  DatasetParts other = bytes(0, 2);
  other.pixels = {};
  CHECK(message_of<ValueError>([&] {
          return datasets::concat({a, as_source(Dataset(other))})->size();
        }) == "concat: pixels differ: part 0 has float32 0 to 255, part 1 has none");
  other = bytes(0, 2);
  other.class_names = {"odd", "even"};
  CHECK(message_of<ValueError>([&] {
          return datasets::concat({a, a, as_source(Dataset(other))})->size();
        }) == "concat: class names differ: part 0 has even, odd, part 2 has odd, even");
  other.class_names = {};
  other.classes = 5;
  CHECK(message_of<ValueError>([&] {
          return datasets::concat({a, as_source(Dataset(other))})->size();
        }) == "concat: classes differ: part 0 has 2, part 1 has 5");
  CHECK(message_of<ValueError>([&] {
          return datasets::concat(Sources{a, nullptr})->size();
        }) == "concat: part 1 is null");
  CHECK(message_of<ValueError>([] { return datasets::concat(Sources{})->size(); }) ==
        "concat: needs at least one source: got none");
  CHECK(message_of<ValueError>([&] {
          return subset(a, {0, 2})->size();
        }) == "subset: index out of range: indices[1] is 2, size is 2");
  CHECK(message_of<ValueError>([] { return subset(nullptr, {})->size(); }) == "subset: the source is null");
}
