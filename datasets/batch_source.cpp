#include "xtgrad/datasets/batch_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/decode.h"
#include "xtgrad/datasets/rows.h"
#include "xtgrad/datasets/seed.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

/// Draws for one use in one epoch: of its number, so that no epoch needs the ones before it.
Random epoch_random(std::uint64_t seed, SeedUse use, std::int64_t epoch) {
  Random epochs = random_for(seed, use);
  epochs.set_state(epochs.seed(), static_cast<std::uint64_t>(epoch));
  return epochs.split();
}

/// Draws for one batch's transform: seeded by the epoch, split by the batch.
Random batch_random(std::uint64_t seed, std::int64_t epoch, std::int64_t number) {
  Random batches = epoch_random(seed, SeedUse::transform, epoch);
  batches.set_state(batches.seed(), static_cast<std::uint64_t>(number));
  return batches.split();
}

/// The order of a shuffled epoch.
Tensor shuffled(std::int64_t n, std::uint64_t seed, std::int64_t epoch) {
  Random random = random_for(seed, SeedUse::order);
  random.set_state(random.seed(), static_cast<std::uint64_t>(epoch));
  return randperm(n, random);
}

void check_transformed(const Batch& batch, bool has_labels) {
  const auto& [x, y] = batch;
  if (!x.defined() || (has_labels && !y.defined())) {
    throw ValueError("Loader: transform must keep inputs and labels: one of them is an empty handle");
  }
  if (!y.defined()) return;
  if (x.rank() == 0 || y.rank() == 0 || x.shape()[0] != y.shape()[0]) {
    throw ShapeError(fmt::format(
        "Loader: transform must keep inputs and labels of equal number: inputs are {}, labels are {}",
        to_string(x.shape()), to_string(y.shape())));
  }
}

Tensor copied(const Tensor& x, const RowChoice& rows) {
  if (rows.order == nullptr) return copy_row_range("Loader", x, rows.first, rows.count);
  return copy_rows("Loader", x, std::span(rows.order + rows.first, static_cast<std::size_t>(rows.count)));
}

}  // namespace

BatchSource::BatchSource(LoaderOptions options, std::int64_t size)
    : options_(std::move(options)), size_(size) {
  require_at_least("Loader", "batch_size", options_.batch_size, 1);
  require_at_least("Loader", "workers", options_.workers, 0);
  if (options_.shuffle && options_.sampler) {
    throw ValueError("Loader: shuffle and sampler both choose the order: give one of them");
  }
  const auto& wanted = options_.sampler.size();
  if (options_.sampler && wanted && *wanted != size_) {
    throw ValueError(fmt::format("Loader: numbers of samples differ: the sampler is for {}, the data has {}",
                                 *wanted, size_));
  }
}

Tensor BatchSource::order(std::int64_t epoch) const {
  if (options_.shuffle) return shuffled(size_, options_.seed, epoch);
  if (!options_.sampler) return {};
  Random random = epoch_random(options_.seed, SeedUse::sampler, epoch);
  return options_.sampler(size_, options_.batch_size, random);
}

Batch BatchSource::batch(const Epoch& epoch, std::int64_t number) const {
  // What a thread has set for itself must not decide about the batches that are made on it.
  const NoGrad no_grad;
  const DefaultDtype default_dtype(epoch.default_dtype);
  const std::int64_t first = number * options_.batch_size;
  const RowChoice rows{
      .first = first,
      .count = std::min(options_.batch_size, draws() - first),
      .order = epoch.order.defined() ? epoch.order.data<std::int64_t>().data() : nullptr,
      .repeats = static_cast<bool>(options_.sampler),
  };
  Batch batch = made(rows, epoch_random(options_.seed, SeedUse::sample_transform, epoch.number).seed());
  if (options_.transform) {
    Random random = batch_random(options_.seed, epoch.number, number);
    const bool has_labels = batch.labels.defined();
    options_.transform(batch, random);
    check_transformed(batch, has_labels);
  }
  return batch;
}

DatasetBatches::DatasetBatches(Dataset data, LoaderOptions options)
    : BatchSource(std::move(options), data.size()), data_(std::move(data)) {
  static_cast<void>(this->options().sample_transform.output_shape(data_.sample_shape()));
}

Tensor DatasetBatches::inputs(const RowChoice& rows, std::uint64_t seed) const {
  const Tensor& stored = data_.stored_inputs();
  if (options().sample_transform) {
    return transform_rows("Loader", stored, data_.pixels(), rows, options().sample_transform, seed);
  }
  if (data_.pixels()) return decoded_rows("Loader", stored, *data_.pixels(), rows);
  return copied(stored, rows);
}

Batch DatasetBatches::made(const RowChoice& rows, std::uint64_t seed) const {
  return {.inputs = inputs(rows, seed), .labels = copied(data_.labels(), rows)};
}

}  // namespace xtgrad::v1::datasets::detail
