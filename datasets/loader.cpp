#include "xtgrad/datasets/loader.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/batch_source.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/prefetch.h"
#include "xtgrad/datasets/source_batches.h"

namespace xtgrad::inline v1::datasets {

Loader::Loader(Dataset data, LoaderOptions options) {
  if (options.whole_sample_transform) {
    source_ = std::make_shared<const detail::SourceBatches>(std::move(data), std::move(options));
  } else {
    source_ = std::make_shared<const detail::DatasetBatches>(std::move(data), std::move(options));
  }
}

Loader::Loader(std::shared_ptr<const SampleSource> source, LoaderOptions options)
    : source_(std::make_shared<const detail::SourceBatches>(std::move(source), std::move(options))) {}

const Dataset& Loader::data() const& { return source_->data(); }

const LoaderOptions& Loader::options() const& { return source_->options(); }

std::int64_t Loader::batches() const { return source_->batches(); }

std::int64_t Loader::samples() const { return source_->samples(); }

void Loader::set_epoch(std::int64_t epoch) {
  detail::require_at_least("set_epoch", "epoch", epoch, 0);
  epoch_ = epoch;
}

Tensor Loader::order(std::int64_t epoch) const {
  detail::require_at_least("order", "epoch", epoch, 0);
  const Tensor order = source_->order(epoch);
  return order.defined() ? order : arange(source_->size());
}

// An epoch that could not begin does not count.
Loader::Iterator Loader::begin() {
  Iterator first(source_, epoch_, 0);
  ++epoch_;
  return first;
}

Loader::Iterator Loader::begin_at(std::int64_t batch) {
  if (batch < 0 || batch > batches()) {
    throw ValueError(fmt::format("begin_at: batch must be from 0 to {}, the batches of an epoch: got {}",
                                 batches(), batch));
  }
  Iterator first(source_, epoch_, batch);
  ++epoch_;
  return first;
}

Loader::Iterator::Iterator(std::shared_ptr<const detail::BatchSource> source, std::int64_t epoch,
                           std::int64_t first)
    : source_(std::move(source)),
      epoch_(source_->epoch(epoch)),
      batches_(source_->batches()),
      number_(first) {
  const std::int64_t workers = source_->options().workers;
  if (workers > 0 && number_ < batches_) {
    // The workers have copies of their own: this iterator may move.
    prefetcher_ = std::make_unique<detail::Prefetcher>(
        batches_ - first, workers, [source = source_, epoch = epoch_, first](std::int64_t number) {
          return source->batch(epoch, first + number);
        });
  }
  load();
}

Loader::Iterator::Iterator(Iterator&& other) noexcept
    : source_(std::move(other.source_)),
      epoch_(std::move(other.epoch_)),
      batches_(other.batches_),
      number_(std::exchange(other.number_, other.batches_)),
      prefetcher_(std::move(other.prefetcher_)),
      batch_(std::move(other.batch_)) {}

Loader::Iterator& Loader::Iterator::operator=(Iterator&& other) noexcept {
  if (this == &other) return *this;
  source_ = std::move(other.source_);
  epoch_ = std::move(other.epoch_);
  batches_ = other.batches_;
  number_ = std::exchange(other.number_, other.batches_);
  prefetcher_ = std::move(other.prefetcher_);
  batch_ = std::move(other.batch_);
  return *this;
}

Loader::Iterator::~Iterator() = default;

Loader::Iterator& Loader::Iterator::operator++() {
  check_not_at_end();
  ++number_;
  load();
  return *this;
}

void Loader::Iterator::check_not_at_end() const {
  if (number_ != batches_) return;
  throw ValueError(fmt::format(
      "Loader: the iterator has no batch: it was moved from, or is at the end of the epoch, which "
      "has {}",
      batches_));
}

void Loader::Iterator::load() {
  // First of all the old batch goes back to the pool: the new one then finds its memory, warm in the cache.
  batch_ = {};
  if (number_ == batches_) {
    prefetcher_.reset();
  } else {
    batch_ = prefetcher_ ? prefetcher_->take() : source_->batch(epoch_, number_);
  }
}

}  // namespace xtgrad::v1::datasets
