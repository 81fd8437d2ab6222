// Data sets of one's own.
#include "xtgrad/datasets/source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::Batch;
using datasets::Loader;
using datasets::Sample;
using datasets::SampleSource;

namespace {

std::vector<double> values(const Tensor& x) {
  const Tensor wide = x.to(float64);
  const std::span<const double> data = wide.data<double>();
  return {data.begin(), data.end()};
}

/// Everything about a batch that a test compares.
std::vector<std::vector<double>> bits(const Batch& batch) {
  std::vector<std::vector<double>> all{values(batch.inputs)};
  if (batch.labels.defined()) all.push_back(values(batch.labels));
  for (const Tensor& other : batch.others) all.push_back(values(other));
  return all;
}

std::vector<std::vector<std::vector<double>>> epoch_of(Loader& loader) {
  std::vector<std::vector<std::vector<double>>> batches;
  for (auto& batch : loader) batches.push_back(bits(batch));
  return batches;
}

Tensor id(std::int64_t i) { return full({}, i, {.dtype = int64}); }

/// Sample i: an image [1, 3, 4] of i + 1, the label i, i as a fraction, and a pair of integers.
struct Four final : SampleSource {
  explicit Four(std::int64_t n, Dtype dtype = float32) : n_(n), dtype_(dtype) {}
  [[nodiscard]] std::int64_t size() const override { return n_; }
  [[nodiscard]] Sample get(std::int64_t i) const override {
    return {full({1, 3, 4}, i + 1, {.dtype = dtype_}), id(i), tensor(0.5 * static_cast<double>(i)),
            tensor({i, -i}, {.dtype = int32})};
  }

 private:
  std::int64_t n_;
  Dtype dtype_;
};

/// A source whose sample i is whatever a function says.
template <class F>
struct Of final : SampleSource {
  Of(std::int64_t samples, F function) : n(samples), f(std::move(function)) {}
  [[nodiscard]] std::int64_t size() const override { return n; }
  [[nodiscard]] Sample get(std::int64_t i) const override { return f(i); }
  std::int64_t n;
  F f;
};

template <class F>
std::shared_ptr<const SampleSource> source_of(std::int64_t n, F f) {
  return std::make_shared<Of<F>>(n, std::move(f));
}

/// Sentences of different lengths, padded with -1.
struct Sentences final : SampleSource {
  [[nodiscard]] std::int64_t size() const override { return 5; }
  [[nodiscard]] Sample get(std::int64_t i) const override { return {arange(i + 1), id(i % 2)}; }
  [[nodiscard]] Sample collate(std::span<const Sample> samples,
                               const datasets::SampleNames& names) const override {
    std::int64_t longest = 0;
    for (const Sample& sample : samples) longest = std::max(longest, sample[0].size(0));
    std::vector<Sample> padded(samples.begin(), samples.end());
    for (Sample& sample : padded) {
      const std::int64_t missing = longest - sample[0].size(0);
      sample[0] = concat({sample[0], full({missing}, -1, {.dtype = int64})});
    }
    return SampleSource::collate(padded, names);
  }
};

}  // namespace

TEST_CASE("source: batches of several tensors, of both dtypes, in order") {
  for (const Dtype dtype : {float32, float64}) {
    Loader loader(std::make_shared<Four>(5, dtype), {.batch_size = 2});
    CHECK(loader.batches() == 3);
    CHECK(loader.samples() == 5);
    std::int64_t first = 0;
    for (auto& batch : loader) {
      const std::int64_t b = first == 4 ? 1 : 2;
      CHECK(batch.inputs.shape() == Shape{b, 1, 3, 4});
      CHECK(batch.inputs.dtype() == dtype);
      CHECK(batch.labels.shape() == Shape{b});
      CHECK(batch.labels.dtype() == int64);
      REQUIRE(batch.others.size() == 2);
      CHECK(batch.others[0].dtype() == float32);
      CHECK(batch.others[1].shape() == Shape{b, 2});
      CHECK(batch.others[1].dtype() == int32);
      for (std::int64_t k = 0; k < b; ++k) {
        const std::int64_t i = first + k;
        CHECK(batch.inputs.at({k, 0, 2, 3}) == i + 1);
        CHECK(batch.labels.at({k}) == i);
        CHECK(batch.others[0].at({k}) == 0.5 * static_cast<double>(i));
        CHECK(batch.others[1].at({k, 1}) == -i);
      }
      auto& [x, y] = batch;
      CHECK(&x == &batch.inputs);
      CHECK(&y == &batch.labels);
      first += b;
    }
    CHECK(first == 5);
  }
}

TEST_CASE("batch: bindings of values and constants are its inputs and labels") {
  const Batch batch{.inputs = tensor({1, 2}), .labels = tensor({3, 4})};
  const auto& [x, y] = batch;
  CHECK(&x == &batch.inputs);
  CHECK(&y == &batch.labels);
  auto [a, b] = Batch(batch);
  CHECK(a.at({1}) == 2);
  CHECK(b.at({0}) == 3);
}

TEST_CASE("source: shuffles, transforms and workers have the bits of a data set in memory") {
  const auto images = [](std::int64_t i) {
    Random random(static_cast<std::uint64_t>(100 + i));
    return Sample{randn({1, 4, 5}, random), id(i)};
  };
  const auto source = source_of(26, images);
  const datasets::Dataset data = in_memory(*source);
  for (const std::int64_t workers : {0, 1, 3}) {
    CAPTURE(workers);
    const datasets::LoaderOptions options{
        .batch_size = 4,
        .shuffle = true,
        .seed = 5,
        .sample_transform = datasets::Augment(
            {datasets::random_crop({.size = 4, .padding = {1, 2}}), datasets::random_flip()}),
        .transform = [](Batch& batch, Random& random) { batch.inputs = batch.inputs * random.next_normal(); },
        .workers = workers};
    Loader expected(data, options);
    Loader loader(source, options);
    for (int epoch = 0; epoch < 2; ++epoch) CHECK(epoch_of(loader) == epoch_of(expected));
    // Resumed in the middle of the third epoch.
    const auto whole = epoch_of(expected);
    Loader resumed(source, options);
    resumed.set_epoch(2);
    std::vector<std::vector<std::vector<double>>> rest;
    for (auto at = resumed.begin_at(3); at != resumed.end(); ++at) rest.push_back(bits(*at));
    CHECK(std::equal(rest.begin(), rest.end(), whole.begin() + 3, whole.end()));
  }
}

TEST_CASE("source: samples that a batch leaves out are never made") {
  auto made = std::make_shared<std::atomic<int>>(0);
  Loader loader(source_of(10,
                          [made](std::int64_t i) {
                            ++*made;
                            return Sample{id(i)};
                          }),
                {.batch_size = 4, .drop_last = true});
  loader.set_epoch(0);
  for (auto at = loader.begin_at(1); at != loader.end(); ++at) {
    CHECK(values(at->inputs) == std::vector<double>{4, 5, 6, 7});
    CHECK_FALSE(at->labels.defined());
  }
  CHECK(*made == 4);
}

TEST_CASE("source: images stay bytes until a batch is made") {
  struct Bytes final : SampleSource {
    explicit Bytes(const datasets::Pixels& of) : pixels(of) {}
    [[nodiscard]] std::int64_t size() const override { return 3; }
    [[nodiscard]] Sample get(std::int64_t i) const override {
      return {full({1, 2, 2}, 51 * i, {.dtype = uint8}), id(i)};
    }
    [[nodiscard]] datasets::SourceInfo info() const override {
      return {.pixels = pixels, .classes = 3, .class_names = {"a", "b", "c"}};
    }
    datasets::Pixels pixels;
  };
  for (const Dtype dtype : {float32, float64}) {
    for (const bool unit_range : {true, false}) {
      const auto source = std::make_shared<Bytes>(datasets::Pixels{.unit_range = unit_range, .dtype = dtype});
      const datasets::Dataset data = in_memory(*source);
      CHECK(data.stored_inputs().dtype() == uint8);
      CHECK(data.inputs_dtype() == dtype);
      CHECK(data.classes() == 3);
      CHECK(data.class_names() == std::vector<std::string>{"a", "b", "c"});
      for (const datasets::SampleTransform& transform :
           {datasets::SampleTransform(), datasets::random_flip({.p = 1})}) {
        Loader loader(source, {.batch_size = 3, .sample_transform = transform});
        for (auto& [x, y] : loader) {
          CHECK(x.dtype() == dtype);
          CHECK(values(x) == values(data.inputs()));
          CHECK(x.at({1, 0, 0, 0}) == doctest::Approx(unit_range ? 0.2 : 51).epsilon(1e-7));
        }
      }
    }
  }
  struct Wrong final : SampleSource {
    [[nodiscard]] std::int64_t size() const override { return 1; }
    [[nodiscard]] Sample get(std::int64_t) const override { return {tensor({1.5})}; }
    [[nodiscard]] datasets::SourceInfo info() const override { return {.pixels = datasets::Pixels{}}; }
  };
  Loader wrong(std::make_shared<Wrong>());
  CHECK(message_of<DtypeError>([&] { return epoch_of(wrong).size(); }) ==
        "Loader: sample 0: pixels need a first tensor of uint8: got float32");
}

TEST_CASE("source: a collate of one's own pads sequences") {
  Loader loader(std::make_shared<Sentences>(), {.batch_size = 2});
  std::vector<Shape> shapes;
  for (auto& [x, y] : loader) {
    shapes.push_back(x.shape());
    CHECK(y.shape() == Shape{x.size(0)});
    if (shapes.size() == 1) CHECK(values(x) == std::vector<double>{0, -1, 0, 1});
  }
  CHECK(shapes == std::vector<Shape>{{2, 2}, {2, 4}, {1, 5}});
}

TEST_CASE("source: an empty one gives no batches") {
  Loader loader(std::make_shared<Four>(0), {.batch_size = 2, .shuffle = true, .workers = 2});
  CHECK(loader.batches() == 0);
  CHECK(loader.samples() == 0);
  CHECK(epoch_of(loader).empty());
  CHECK(loader.order(0).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(static_cast<void>(in_memory(Four(0))), "in_memory: needs at least one sample: got 0",
                       ValueError);
}

TEST_CASE("source: what get throws reaches the loop with the index, whatever the number of workers") {
  for (const std::int64_t workers : {0, 1, 2}) {
    CAPTURE(workers);
    const auto loop_over = [&](auto thrown) {
      Loader loader(source_of(9,
                              [thrown](std::int64_t i) -> Sample {
                                if (i == 5) throw thrown;
                                return {id(i)};
                              }),
                    {.batch_size = 2, .workers = workers});
      std::size_t batches = 0;
      for (auto& batch : loader) batches += static_cast<std::size_t>(batch.inputs.size(0) > 0);
      return batches;
    };
    CHECK(message_of<IoError>([&] { return loop_over(IoError("read: a.png: no such file")); }) ==
          "Loader: sample 5: read: a.png: no such file");
    try {
      static_cast<void>(loop_over(std::out_of_range("at: 7")));
      FAIL("nothing was thrown");
    } catch (const Error& error) {
      CHECK(std::string(error.what()) == "Loader: sample 5: at: 7");
      CHECK_THROWS_AS(std::rethrow_if_nested(error), std::out_of_range);
    }
    CHECK(message_of([&] { return loop_over(17); }) ==
          "Loader: sample 5: something was thrown that is no exception");
    CHECK_THROWS_AS(static_cast<void>(loop_over(std::bad_alloc())), std::bad_alloc);
    ShapeError placed("matmul: no");
    placed.add_context("decoder");
    CHECK(message_of([&] { return loop_over(placed); }) == "Loader: sample 5: decoder: matmul: no");
  }
  CHECK(message_of<IoError>([] {
          return in_memory(Of(3, [](std::int64_t) -> Sample { throw IoError("gone"); })).size();
        }) == "in_memory: sample 0: gone");
}

TEST_CASE("source: samples that fit no batch are named") {
  const auto first_of = [](auto f, datasets::LoaderOptions options = {}) {
    Loader loader(source_of(3, f), std::move(options));
    return loader.begin()->inputs;
  };
  CHECK(message_of<ShapeError>([&] {
          return first_of([](std::int64_t i) { return Sample{zeros({i, 2})}; });
        }) == "collate: shapes of tensor 0 differ: sample 0 has [0, 2], sample 1 has [1, 2]");
  CHECK(message_of<DtypeError>([&] {
          return first_of([](std::int64_t i) {
            return Sample{zeros({2}), zeros({}, {.dtype = i < 2 ? int64 : float32})};
          });
        }) == "collate: dtypes of tensor 1 differ: sample 0 has int64, sample 2 has float32");
  CHECK(message_of<ValueError>([&] {
          return first_of([](std::int64_t i) { return Sample(static_cast<std::size_t>(1 + i), tensor(1)); });
        }) == "collate: numbers of tensors differ: sample 0 has 1, sample 1 has 2");
  CHECK(message_of<ValueError>([&] { return first_of([](std::int64_t) { return Sample{}; }); }) ==
        "Loader: sample 0: a sample must have at least one tensor: got none");
  CHECK(message_of<ValueError>([&] {
          return first_of([](std::int64_t) { return Sample{tensor(1), {}}; });
        }) == "Loader: sample 0: tensor 1 is an empty handle");
  CHECK(message_of<ValueError>([&] {
          return first_of([](std::int64_t) { return Sample{tensor({1, 2}, {.requires_grad = true})}; });
        }) == "Loader: sample 0: tensor 0 must not require gradients: detach it");
  CHECK(message_of<ShapeError>([&] {
          return first_of(
              [](std::int64_t) {
                return Sample{tensor({1, 2})};
              },
              {.sample_transform = datasets::random_flip()});
        }) ==
        "Loader: sample 0: random_flip: needs samples [c, h, w]: a sample is [2]; reshape the data set's "
        "inputs");
  CHECK(message_of<ValueError>([] {
          return Four(2).collate({}, {Four(2), {}}).size();
        }) == "collate: needs samples and as many names: got 0 and 0");
  CHECK(message_of<ValueError>([] { return in_memory(Four(2)).size(); }) ==
        "in_memory: samples must be of two tensors, input and label: got 4");
}

TEST_CASE("source: what a collate of one's own may not return") {
  struct Bad final : SampleSource {
    explicit Bad(Sample of) : result(std::move(of)) {}
    [[nodiscard]] std::int64_t size() const override { return 1; }
    [[nodiscard]] Sample get(std::int64_t) const override { return {tensor(1)}; }
    [[nodiscard]] Sample collate(std::span<const Sample>, const datasets::SampleNames&) const override {
      return result;
    }
    Sample result;
  };
  const auto message = [](Sample result) {
    Loader loader(std::make_shared<Bad>(std::move(result)));
    return message_of([&] { return loader.begin()->inputs; });
  };
  CHECK(message({}) == "Loader: collate must give at least one tensor: got none");
  CHECK(message({tensor({1}), {}}) == "Loader: collate: tensor 1 is an empty handle");
  CHECK(message({tensor(1)}) == "Loader: collate must give inputs with a first dimension, [b, ...]: got []");
}

TEST_CASE("source: what a loader says of it") {
  CHECK_THROWS_WITH_AS(Loader(std::shared_ptr<const SampleSource>()), "Loader: the source is null",
                       ValueError);
  CHECK_THROWS_WITH_AS(Loader(std::make_shared<Four>(-1)),
                       "Loader: a source's size must not be negative: got -1", ValueError);
  const Loader loader(std::make_shared<Four>(3));
  CHECK_THROWS_WITH_AS(static_cast<void>(loader.data()),
                       "Loader: data: the loader was made of a source, not of a Dataset", ValueError);
}

TEST_CASE("source: a batch transform may keep samples without labels, and must keep labels that are there") {
  const auto clear = [](Batch& batch, Random&) { batch.labels = {}; };
  Loader without(source_of(2, [](std::int64_t i) { return Sample{id(i)}; }), {.transform = clear});
  CHECK(epoch_of(without).size() == 1);
  Loader with(std::make_shared<Four>(2), {.transform = clear});
  CHECK(message_of<ValueError>([&] { return epoch_of(with).size(); }) ==
        "Loader: transform must keep inputs and labels: one of them is an empty handle");
}
