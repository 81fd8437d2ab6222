#pragma once

#include <cstdint>
#include <functional>
#include <iterator>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad {
inline namespace XTGRAD_PUBLIC v1 {
namespace datasets {

/// Some samples: `auto& [x, y] = batch`.
struct Batch {
  Tensor inputs;  ///< [b, ...]
  Tensor labels;  ///< [b], or [b, ...] without classes
};

/// Changes a batch in place, for instance to augment images or to encode labels. Random choices must come
/// from `random`: it depends on the loader's seed, the epoch and the batch's number alone, so runs can be
/// repeated.
using BatchTransform = std::function<void(Batch& batch, Random& random)>;

struct LoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;           ///< a new order each epoch, from `seed` and the epoch's number
  std::uint64_t seed = 0;         ///< of the shuffles and of `transform`
  bool drop_last = false;         ///< leave out the last batch if it is not full
  BatchTransform transform = {};  ///< called on each batch, if given
};

/// Cuts a data set into batches. Each loop over it is an epoch, which visits every sample once (but for what
/// `drop_last` leaves out); the last batch may be smaller. A data set smaller than a batch gives that one
/// smaller batch, or none with `drop_last`; an empty one gives none.
///
///   datasets::Loader loader(train, {.batch_size = 64, .shuffle = true, .seed = 1});
///   for (int epoch = 0; epoch < 10; ++epoch) {
///     for (auto& [x, y] : loader) { ... }
///   }
///
/// A batch is a copy of its samples without a graph, so it may require gradients and outlive the loader. Its
/// memory comes from the pool: after the first epoch, looping asks the system for none. Several loops over
/// one loader may run at once, each with an epoch of its own, but only one thread at a time may begin one.
class Loader {
 public:
  class Iterator;

  /// Throws ValueError for a batch size below 1.
  explicit Loader(Dataset data, LoaderOptions options = {});

  /// Begins an epoch: `epoch()` goes up by one.
  [[nodiscard]] Iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Batches in an epoch.
  [[nodiscard]] std::int64_t batches() const;
  /// Number of the epoch that the next loop will be, from 0: as many as have begun. Save it with a model, and
  /// give it to `set_epoch` to go on with the orders that would have come.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  /// Throws ValueError for a negative number.
  void set_epoch(std::int64_t epoch);
  /// Indices of the samples in the order in which an epoch visits them, int64 [n]. Throws ValueError for a
  /// negative number.
  [[nodiscard]] Tensor order(std::int64_t epoch) const;

  [[nodiscard]] const Dataset& data() const { return data_; }
  [[nodiscard]] const LoaderOptions& options() const { return options_; }

 private:
  /// Batch `number` of an epoch; `order` is empty where the order is that of the data set.
  [[nodiscard]] Batch batch(std::int64_t epoch, std::int64_t number, const Tensor& order) const;

  Dataset data_;
  LoaderOptions options_;
  std::int64_t epoch_ = 0;
};

/// An input iterator: it holds the current batch, which the next step replaces. The loader must outlive it
/// and stay where it is.
class Loader::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::int64_t;
  using iterator_concept = std::input_iterator_tag;

  [[nodiscard]] Batch& operator*() const { return batch_; }
  [[nodiscard]] Batch* operator->() const { return &batch_; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) {
    return it.number_ == it.loader_->batches();
  }

 private:
  friend class Loader;
  Iterator(const Loader& loader, std::int64_t epoch);
  void load();

  const Loader* loader_;
  std::int64_t epoch_;
  std::int64_t number_ = 0;  // of the current batch
  Tensor order_;             // indices of the samples; empty for the data set's order
  mutable Batch batch_;      // mutable: the iterator is a pointer to it, and const like one
};

}  // namespace datasets
}  // namespace v1
}  // namespace xtgrad
