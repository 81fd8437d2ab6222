// Images stay bytes in memory, and are numbers in every batch and wherever a data set is asked for its
// inputs.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/datasets/transforms.h"

using namespace xtgrad;
using datasets::Dataset;
using datasets::Loader;
using datasets::Pixels;
using testing::same_bits;

namespace {

/// n images [2, 3, 5] with every byte value among their pixels, labels i mod 3.
Dataset images(std::int64_t n, const Pixels& pixels = {}) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n) * 30);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(37 * i + i / 256);
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(i % 3);
  return Dataset({.inputs = from_span(bytes, {n, 2, 3, 5}),
                  .labels = from_vector(labels),
                  .classes = 3,
                  .pixels = pixels});
}

/// The numbers that the bytes stand for, one by one.
template <class T>
Tensor one_by_one(const Dataset& data) {
  std::vector<T> numbers;
  for (const std::uint8_t byte : data.stored_inputs().data<std::uint8_t>()) {
    numbers.push_back(data.pixels()->unit_range ? static_cast<T>(byte) / T{255} : static_cast<T>(byte));
  }
  return from_span(numbers, data.stored_inputs().shape());
}

/// The same samples as a data set of numbers.
Dataset as_numbers(const Dataset& data) {
  return data.with_inputs(data.inputs_dtype() == float32 ? one_by_one<float>(data)
                                                         : one_by_one<double>(data));
}

/// True if both give the same bits, batch by batch.
bool same_batches(Loader a, Loader b) {
  if (a.batches() != b.batches()) return false;
  auto at = b.begin();
  for (auto& [x, y] : a) {
    if (!same_bits(x, at->inputs) || !same_bits(y, at->labels)) return false;
    ++at;
  }
  return true;
}

constexpr Pixels all_pixels[] = {{true, float32}, {true, float64}, {false, float32}, {false, float64}};

}  // namespace

TEST_CASE("pixels: inputs are byte / 255 or the byte, to the bit, in both dtypes") {
  for (const Pixels& pixels : all_pixels) {
    const Dataset data = images(9, pixels);
    CHECK(data.stored_inputs().dtype() == uint8);
    CHECK(data.inputs_dtype() == pixels.dtype);
    CHECK(data.inputs().dtype() == pixels.dtype);
    CHECK(same_bits(data.inputs(), as_numbers(data).inputs()));
    CHECK(data.sample_shape() == Shape{2, 3, 5});
  }
  CHECK(images(0).inputs().shape() == Shape{0, 2, 3, 5});
}

TEST_CASE("pixels: batches have the bits of a data set of numbers") {
  for (const Pixels& pixels : all_pixels) {
    const Dataset bytes = images(23, pixels);
    const Dataset numbers = as_numbers(bytes);
    for (const std::int64_t workers : {0, 2}) {
      const datasets::LoaderOptions plain{.batch_size = 4, .workers = workers};
      CHECK(same_batches(Loader(bytes, plain), Loader(numbers, plain)));
      const datasets::LoaderOptions shuffled{.batch_size = 5, .shuffle = true, .seed = 3, .workers = workers};
      CHECK(same_batches(Loader(bytes, shuffled), Loader(numbers, shuffled)));
      datasets::LoaderOptions augmented = shuffled;
      augmented.sample_transform =
          datasets::Augment({datasets::random_crop({.size = {3, 4}, .padding = 1}), datasets::random_flip(),
                             datasets::normalize({.mean = {0.4, 0.5}, .scale = {0.2, 0.3}})});
      augmented.transform = datasets::one_hot_labels(3);
      CHECK(same_batches(Loader(bytes, augmented), Loader(numbers, augmented)));
    }
  }
  CHECK(same_batches(Loader(images(0)), Loader(as_numbers(images(0)))));
}

TEST_CASE("pixels: normalised batches have the bits of a normalised data set") {
  for (const Dtype dtype : {float32, float64}) {
    const Dataset bytes = images(11, {.dtype = dtype});
    const Dataset numbers = as_numbers(bytes);
    const auto normalizer = datasets::Normalizer::fit(bytes, {.per_channel = true});
    const auto other = datasets::Normalizer::fit(numbers.inputs(), {.per_channel = true});
    CHECK(same_bits(normalizer.mean(), other.mean()));
    CHECK(same_bits(normalizer.scale(), other.scale()));
    const Dataset whole = normalizer(bytes);
    CHECK_FALSE(whole.pixels());
    CHECK(same_bits(whole.inputs(), other(numbers.inputs())));
    CHECK(same_batches(Loader(bytes, {.batch_size = 4, .sample_transform = datasets::normalize(normalizer)}),
                       Loader(whole, {.batch_size = 4})));
    CHECK(same_bits(datasets::unit_range(bytes, {.high = 2}).inputs(),
                    datasets::unit_range(numbers.inputs(), {.high = 2})));
    CHECK(datasets::one_hot(bytes).dtype() == dtype);
  }
}

TEST_CASE("pixels: subsets and splits stay bytes, other inputs are stored as they are") {
  const Dataset data = images(12, {.unit_range = false});
  const Dataset part = data.subset({7, 0});
  CHECK(part.stored_inputs().dtype() == uint8);
  CHECK(part.inputs().at({0, 0, 0, 0}) == data.inputs().at({7, 0, 0, 0}));
  const auto [train, test] = datasets::stratified_split(data, {.test = 0.25, .seed = 1});
  CHECK(train.pixels());
  CHECK(test.stored_inputs().dtype() == uint8);
  const Dataset other = data.with_inputs(ones({12, 4}));
  CHECK_FALSE(other.pixels());
  CHECK(other.inputs().node() == other.stored_inputs().node());
}

TEST_CASE("pixels: a data set of bytes takes a quarter of the memory, until somebody asks for all inputs") {
  const auto live = [] { return detail::pool_stats().live_bytes; };
  constexpr std::int64_t n = 40000;
  constexpr std::int64_t bytes = n * 30;
  const std::int64_t before = live();
  const Dataset data = images(n);
  const std::int64_t labels = n * 8;
  // A block is at most a quarter larger than what was asked for.
  CHECK(live() - before <= (bytes + labels) * 5 / 4 + 4096);
  {
    const Dataset numbers = as_numbers(data);
    CHECK(static_cast<std::int64_t>(numbers.stored_inputs().data<float>().size_bytes()) == 4 * bytes);
    CHECK(static_cast<std::int64_t>(data.stored_inputs().data<std::uint8_t>().size_bytes()) == bytes);
  }
  const std::int64_t stored = live();
  for (auto& [x, y] : Loader(data, {.batch_size = 1000, .shuffle = true})) CHECK(x.dtype() == float32);
  static_cast<void>(datasets::Normalizer::fit(data, {.per_channel = true}));
  static_cast<void>(datasets::unit_range(data, {.high = 2}));
  CHECK(live() == stored);
  static_cast<void>(data.inputs());
  CHECK(live() >= stored + 4 * bytes);
}

TEST_CASE("pixels: all inputs are converted once, for all copies and whichever thread asks") {
  const Dataset data = images(50);
  const Dataset copy = data;
  std::vector<const Tensor*> found(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] { found[i] = i % 2 == 0 ? &data.inputs() : &copy.inputs(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor* inputs : found) CHECK(inputs == found[0]);
  CHECK(same_bits(*found[0], as_numbers(data).inputs()));
}

TEST_CASE("pixels: bytes that stand for nothing stay bytes, in batches too") {
  const Dataset data({.inputs = tensor({{1, 2}, {3, 255}}, {.dtype = uint8}),
                      .labels = tensor({0, 1}, {.dtype = int64}),
                      .classes = 2});
  CHECK(data.inputs_dtype() == uint8);
  for (auto& [x, y] : Loader(data, {.batch_size = 2, .sample_transform = {}})) {
    CHECK(same_bits(x, data.stored_inputs()));
  }
}

TEST_CASE("pixels: what cannot be is an error") {
  const Tensor labels = tensor({0.0, 1.0});
  CHECK_THROWS_WITH_AS(Dataset({.inputs = ones({2, 3}), .labels = labels, .pixels = Pixels{}}),
                       "Dataset: pixels need inputs of uint8: got float32", DtypeError);
  CHECK_THROWS_WITH_AS(
      Dataset({.inputs = ones({2, 3}, {.dtype = uint8}), .labels = labels, .pixels = Pixels{.dtype = int64}}),
      "Dataset: pixels.dtype must be float32 or float64: got int64", DtypeError);
}
