#include "xtgrad/datasets/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/rows.h"
#include "xtgrad/datasets/seed.h"

namespace xtgrad {
inline namespace v1 {
namespace datasets {

namespace {

/// The draw of the epoch's number, so that no epoch needs the ones before it.
Tensor shuffled(std::int64_t n, std::uint64_t seed, std::int64_t epoch) {
  Random random = detail::random_for(seed, detail::SeedUse::order);
  random.set_state(random.seed(), static_cast<std::uint64_t>(epoch));
  return randperm(n, random);
}

/// Draws for one batch's transform: seeded by the epoch, split by the batch.
Random transform_random(std::uint64_t seed, std::int64_t epoch, std::int64_t number) {
  Random epochs = detail::random_for(seed, detail::SeedUse::transform);
  epochs.set_state(epochs.seed(), static_cast<std::uint64_t>(epoch));
  Random batches = epochs.split();
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

}  // namespace

Loader::Loader(Dataset data, LoaderOptions options) : data_(std::move(data)), options_(std::move(options)) {
  detail::require_at_least("Loader", "batch_size", options_.batch_size, 1);
}

std::int64_t Loader::batches() const {
  const std::int64_t full = data_.size() / options_.batch_size;
  const bool rest = data_.size() % options_.batch_size != 0;
  return rest && !options_.drop_last ? full + 1 : full;
}

void Loader::set_epoch(std::int64_t epoch) {
  detail::require_at_least("set_epoch", "epoch", epoch, 0);
  epoch_ = epoch;
}

Tensor Loader::order(std::int64_t epoch) const {
  detail::require_at_least("order", "epoch", epoch, 0);
  return options_.shuffle ? shuffled(data_.size(), options_.seed, epoch)
                          : arange(static_cast<double>(data_.size()));
}

Batch Loader::batch(std::int64_t epoch, std::int64_t number, const Tensor& order) const {
  const std::int64_t first = number * options_.batch_size;
  const std::int64_t count = std::min(options_.batch_size, data_.size() - first);
  Batch batch;
  if (order.defined()) {
    const auto rows =
        order.data<std::int64_t>().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    batch = {.inputs = detail::copy_rows("Loader", data_.inputs(), rows),
             .labels = detail::copy_rows("Loader", data_.labels(), rows)};
  } else {
    batch = {.inputs = detail::copy_row_range("Loader", data_.inputs(), first, count),
             .labels = detail::copy_row_range("Loader", data_.labels(), first, count)};
  }
  if (options_.transform) {
    Random random = transform_random(options_.seed, epoch, number);
    options_.transform(batch, random);
    check_transformed(batch);
  }
  return batch;
}

Loader::Iterator Loader::begin() { return Iterator(*this, epoch_++); }

Loader::Iterator::Iterator(const Loader& loader, std::int64_t epoch) : loader_(&loader), epoch_(epoch) {
  if (loader.options_.shuffle) order_ = shuffled(loader.data_.size(), loader.options_.seed, epoch);
  load();
}

Loader::Iterator& Loader::Iterator::operator++() {
  ++number_;
  load();
  return *this;
}

void Loader::Iterator::load() {
  // First of all the old batch goes back to the pool: the new one then finds its memory, warm in the cache.
  batch_ = {};
  if (number_ < loader_->batches()) batch_ = loader_->batch(epoch_, number_, order_);
}

}  // namespace datasets
}  // namespace v1
}  // namespace xtgrad
