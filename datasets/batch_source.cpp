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
#include "xtgrad/datasets/transform_rows.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

/// Draws for one epoch's transforms.
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

void check_transformed(const Batch& batch) {
  const auto& [x, y] = batch;
  if (!x.defined() || !y.defined()) {
    throw ValueError("Loader: transform must keep inputs and labels: one of them is an empty handle");
  }
  if (x.rank() == 0 || y.rank() == 0 || x.shape()[0] != y.shape()[0]) {
    throw ShapeError(fmt::format(
        "Loader: transform must keep inputs and labels of equal number: inputs are {}, labels are {}",
        to_string(x.shape()), to_string(y.shape())));
  }
}

Tensor copied(const Tensor& x, const Tensor& order, std::int64_t first, std::int64_t count) {
  if (!order.defined()) return copy_row_range("Loader", x, first, count);
  const std::span<const std::int64_t> rows = order.data<std::int64_t>();
  return copy_rows("Loader", x,
                   rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
}

}  // namespace

Tensor shuffled(std::int64_t n, std::uint64_t seed, std::int64_t epoch) {
  Random random = random_for(seed, SeedUse::order);
  random.set_state(random.seed(), static_cast<std::uint64_t>(epoch));
  return randperm(n, random);
}

BatchSource::BatchSource(Dataset data, LoaderOptions options)
    : data_(std::move(data)), options_(std::move(options)) {
  require_at_least("Loader", "batch_size", options_.batch_size, 1);
  require_at_least("Loader", "workers", options_.workers, 0);
  static_cast<void>(options_.sample_transform.output_shape(data_.sample_shape()));
}

std::int64_t BatchSource::batches() const {
  const std::int64_t full = data_.size() / options_.batch_size;
  const bool rest = data_.size() % options_.batch_size != 0;
  return rest && !options_.drop_last ? full + 1 : full;
}

Epoch BatchSource::epoch(std::int64_t number) const {
  Epoch epoch{.number = number, .order = {}, .default_dtype = default_dtype()};
  if (options_.shuffle) epoch.order = shuffled(data_.size(), options_.seed, number);
  return epoch;
}

Tensor BatchSource::inputs(const Epoch& epoch, std::int64_t first, std::int64_t count) const {
  const RowChoice rows{
      .first = first,
      .count = count,
      .order = epoch.order.defined() ? epoch.order.data<std::int64_t>().data() : nullptr,
  };
  const Tensor& stored = data_.stored_inputs();
  if (options_.sample_transform) {
    const std::uint64_t seed = epoch_random(options_.seed, SeedUse::sample_transform, epoch.number).seed();
    return transform_rows("Loader", stored, data_.pixels(), rows, options_.sample_transform, seed);
  }
  if (data_.pixels()) return decoded_rows("Loader", stored, *data_.pixels(), rows);
  return copied(stored, epoch.order, first, count);
}

Batch BatchSource::batch(const Epoch& epoch, std::int64_t number) const {
  // What a thread has set for itself must not decide about the batches that are made on it.
  const NoGrad no_grad;
  const DefaultDtype default_dtype(epoch.default_dtype);
  const std::int64_t first = number * options_.batch_size;
  const std::int64_t count = std::min(options_.batch_size, data_.size() - first);
  Batch batch{.inputs = inputs(epoch, first, count),
              .labels = copied(data_.labels(), epoch.order, first, count)};
  if (options_.transform) {
    Random random = batch_random(options_.seed, epoch.number, number);
    options_.transform(batch, random);
    check_transformed(batch);
  }
  return batch;
}

}  // namespace xtgrad::v1::datasets::detail
