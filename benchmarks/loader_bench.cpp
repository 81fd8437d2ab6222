// Batches per second of the loader with augmented images, for numbers of workers: alone, where the loop does
// nothing else, and under a loop that computes as long as a small training step does. Then the transforms
// themselves, on one thread.
//
// items_per_second counts batches (of 128), or for transforms samples.

#include "xtgrad/datasets/loader.h"

#include <benchmark/benchmark.h>

#include <cstdint>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/threads.h"
#include "xtgrad/datasets/augment.h"

namespace {

using namespace xtgrad;

constexpr std::int64_t batch_size = 128;

/// As many samples as MNIST has, and as large.
const datasets::Dataset& digits() {
  static const datasets::Dataset data = [] {
    Random random(1);
    return datasets::Dataset({.inputs = uniform({60000, 1, 28, 28}, {}, random), .labels = arange(60000)});
  }();
  return data;
}

datasets::Augment digit_augment() {
  return {datasets::random_crop({.size = 28, .padding = 2}), datasets::random_flip(),
          datasets::random_shift({.pixels = 2}), datasets::normalize({.mean = {0.13}, .scale = {0.31}})};
}

datasets::Augment colour_augment() {
  return {datasets::random_crop({.size = 32, .padding = 4}), datasets::random_flip(),
          datasets::random_shift({.pixels = 2}),
          datasets::normalize({.mean = {0.49, 0.48, 0.45}, .scale = {0.25, 0.24, 0.26}})};
}

/// One iteration is an epoch. The loop multiplies each batch [128, 784] by a matrix of `columns`, if any.
void epochs(benchmark::State& state, const datasets::SampleTransform& transform) {
  set_num_threads(1);
  const std::int64_t columns = state.range(1);
  Random random(2);
  const Tensor weight = randn({784, columns}, random);
  datasets::Loader loader(
      digits(),
      {.batch_size = batch_size, .shuffle = true, .sample_transform = transform, .workers = state.range(0)});
  for (auto _ : state) {
    for (auto& [x, y] : loader) {
      Tensor seen = columns == 0 ? x : matmul(reshape(x, {-1, 784}), weight);
      benchmark::DoNotOptimize(seen);
    }
  }
  state.SetItemsProcessed(state.iterations() * loader.batches());
}

void plain(benchmark::State& state) { epochs(state, {}); }
void augmented(benchmark::State& state) { epochs(state, digit_augment()); }

// Columns: nothing but loading, and some 2 ms a batch.
BENCHMARK(plain)->ArgNames({"workers", "columns"})->ArgsProduct({{0, 1, 2}, {0}})->UseRealTime();
BENCHMARK(augmented)->ArgNames({"workers", "columns"})->ArgsProduct({{0, 1, 2}, {0, 1024}})->UseRealTime();

/// A batch of CIFAR's images, [128, 3, 32, 32].
void batch_of_images(benchmark::State& state, const datasets::SampleTransform& transform, Dtype dtype) {
  Random random(3);
  const Tensor images = uniform({batch_size, 3, 32, 32}, {}, random, {.dtype = dtype});
  for (auto _ : state) {
    Tensor result = transform_samples(images, transform, random);
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations() * batch_size);
}

BENCHMARK_CAPTURE(batch_of_images, all_float32, colour_augment(), float32);
BENCHMARK_CAPTURE(batch_of_images, all_float64, colour_augment(), float64);
BENCHMARK_CAPTURE(batch_of_images, copy, datasets::SampleTransform(), float32);
BENCHMARK_CAPTURE(batch_of_images, crop, datasets::random_crop({.size = 32, .padding = 4}), float32);
BENCHMARK_CAPTURE(batch_of_images, crop_reflect,
                  datasets::random_crop({.size = 32, .padding = 4, .mode = datasets::CropPadding::reflect}),
                  float32);
BENCHMARK_CAPTURE(batch_of_images, flip, datasets::random_flip({.p = 1}), float32);
BENCHMARK_CAPTURE(batch_of_images, shift, datasets::random_shift({.pixels = 2}), float32);
BENCHMARK_CAPTURE(batch_of_images, normalize, datasets::normalize({.mean = {0.5}, .scale = {0.25}}), float32);

}  // namespace
