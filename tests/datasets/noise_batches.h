#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/loader.h"

namespace xtgrad::inline v1::testing {

// What tests of the loader compare: all the bits of the batches of an epoch over images of noise.

/// n images [1, 4, 5] of noise; the label of image i is i.
inline datasets::Dataset images(std::int64_t n, Dtype dtype = float32) {
  Random random(11);
  return datasets::Dataset(
      {.inputs = randn({n, 1, 4, 5}, random, {.dtype = dtype}), .labels = arange(static_cast<double>(n))});
}

/// A batch's bits: shapes are told by sizes, and the labels say which samples they are.
struct Bits {
  Shape shape;
  std::vector<double> inputs;
  std::vector<std::int64_t> labels;

  explicit Bits(const datasets::Batch& batch) : shape(batch.inputs.shape()) {
    const Tensor wide = batch.inputs.to(float64);
    inputs.assign(wide.data<double>().begin(), wide.data<double>().end());
    labels.assign(batch.labels.data<std::int64_t>().begin(), batch.labels.data<std::int64_t>().end());
  }
  friend bool operator==(const Bits&, const Bits&) = default;
};

inline std::vector<Bits> epoch(datasets::Loader& loader) {
  std::vector<Bits> batches;
  for (auto& batch : loader) batches.emplace_back(batch);
  return batches;
}

/// Scales a batch by its own draw.
inline void scale_batch(datasets::Batch& batch, Random& random) {
  batch.inputs = batch.inputs * random.next_normal();
}

inline datasets::LoaderOptions busy(std::int64_t workers) {
  return {.batch_size = 4,
          .shuffle = true,
          .seed = 5,
          .sample_transform = datasets::Augment(
              {datasets::random_crop({.size = 4, .padding = {1, 2}}), datasets::random_flip()}),
          .transform = scale_batch,
          .workers = workers};
}

inline void loop(datasets::Loader& loader) {
  for (auto& batch : loader) static_cast<void>(batch);
}

}  // namespace xtgrad::testing
