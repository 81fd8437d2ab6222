#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/sample_transform.h"
#include "xtgrad/datasets/sampler.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

class SampleSource;

namespace detail {

class BatchSource;
class Prefetcher;

/// One pass over the data, as it was begun.
struct Epoch {
  std::int64_t number;
  Tensor order;  // indices of the samples; empty for the data set's order
  Dtype default_dtype;
};

}  // namespace detail

/// Some samples: `auto& [x, y] = batch` are its inputs and labels.
struct Batch {
  Tensor inputs = {};  ///< [b, ...]
  Tensor labels = {};  ///< [b], or [b, ...] without classes; empty where a source's samples have one tensor
  std::vector<Tensor> others = {};  ///< the third tensor and those behind it, of a source's samples

  template <std::size_t Place>
  [[nodiscard]] Tensor& get() & {
    return Place == 0 ? inputs : labels;
  }
  template <std::size_t Place>
  [[nodiscard]] const Tensor& get() const& {
    return Place == 0 ? inputs : labels;
  }
  template <std::size_t Place>
  [[nodiscard]] Tensor&& get() && {
    return std::move(Place == 0 ? inputs : labels);
  }
};

/// Changes a batch in place, for instance to encode labels. Random choices must come from `random`: it
/// depends on the loader's seed, the epoch and the batch's number alone, so runs can be repeated. With
/// workers it is called on several threads at once.
using BatchTransform = Callable<void(Batch& batch, Random& random)>;

/// Changes the tensors of one sample in place, where they must change together, such as an image and its
/// mask (`alike`, in alike.h). As many stay as there were. Random choices must come from `random`, and with
/// workers it is called on several threads at once.
using WholeSampleTransform = Callable<void(std::vector<Tensor>& sample, Random& random)>;

struct LoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;    ///< a new order each epoch, from `seed` and the epoch's number
  std::uint64_t seed = 0;  ///< of the shuffles, the sampler and the transforms
  bool drop_last = false;  ///< leave out the last batch if it is not full
  /// Chooses the samples of an epoch, in place of all of them; not with `shuffle`.
  Sampler sampler = {};
  /// Applied to the inputs of each sample, if given; draws by the seed, the epoch and the sample's index in
  /// the data set, whatever the batch that it comes to. With a sampler, which may repeat samples, by the
  /// draw's place in the epoch.
  SampleTransform sample_transform = {};
  /// Called on all tensors of each sample, if given, before `sample_transform`; draws as that one does, its
  /// own. Those of a Dataset are a row of the inputs, as numbers, and one of the labels.
  WholeSampleTransform whole_sample_transform = {};
  BatchTransform transform = {};  ///< called on each batch, if given
  /// Threads that prepare batches ahead of a loop, up to two each; 0: the loop's own thread does it. It
  /// changes no bit of any batch.
  std::int64_t workers = 0;
};

/// Cuts a data set into batches, or a SampleSource (source.h). Each loop over it is an epoch, which visits
/// every sample once, or those that a sampler chooses (but for what `drop_last` leaves out); the last batch
/// may be smaller. A data set smaller than a batch gives that one smaller batch, or none with `drop_last`; an
/// empty one gives none.
///
///   datasets::Loader loader(train, {.batch_size = 64, .shuffle = true, .seed = 1});
///   for (int epoch = 0; epoch < 10; ++epoch) {
///     for (auto& [x, y] : loader) { ... }
///   }
///
/// A batch is a copy of its samples without a graph (transforms do not record), so it may require gradients
/// and outlive the loader. Its memory comes from the pool: without workers, looping asks the system for none
/// after the first epoch. Several loops over one loader may run at once, each with an epoch of its own, but
/// only one thread at a time may begin one.
///
/// Workers live as long as a loop; besides the loop's own batch there are at most two for each. What a
/// transform throws on one of them reaches the loop at the batch that is missing, and the loader can be used
/// again. Workers pay where transforms take a good part of a training step's time and the step leaves cores
/// idle.
///
/// A copy shares the data and counts epochs of its own; a move is a copy.
class Loader {
 public:
  class Iterator;

  /// Throws ValueError for a batch size below 1, fewer workers than 0, a sampler beside `shuffle` or for
  /// another number of samples, and what `sample_transform` throws for samples of the data's shape.
  explicit Loader(Dataset data, LoaderOptions options = {});
  /// The same of a data set of one's own, whose samples may differ in shape before `sample_transform`. Throws
  /// ValueError for a null pointer.
  explicit Loader(std::shared_ptr<const SampleSource> source, LoaderOptions options = {});
  // No moves: a copy costs one count, and leaves no loader behind that cannot be used.
  Loader(const Loader&) = default;
  Loader& operator=(const Loader&) = default;
  ~Loader() = default;

  /// Begins an epoch: `epoch()` goes up by one. Throws Error where the system gives a worker no thread.
  [[nodiscard]] Iterator begin();
  /// The same, but the first `batch` batches are left out, and are never made; all that follow have the bits
  /// they have in a whole epoch. Throws ValueError for a number below 0 or above `batches()`.
  ///
  ///   loader.set_epoch(2);
  ///   for (auto at = loader.begin_at(17); at != loader.end(); ++at) { auto& [x, y] = *at; ... }
  [[nodiscard]] Iterator begin_at(std::int64_t batch);
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Batches in an epoch.
  [[nodiscard]] std::int64_t batches() const;
  /// Number of the epoch that the next loop will be, from 0: as many as have begun. Save it with a model, and
  /// give it to `set_epoch` to go on with the orders that would have come.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  /// Throws ValueError for a negative number.
  void set_epoch(std::int64_t epoch);
  /// Samples that an epoch visits, those that `drop_last` leaves out not counted.
  [[nodiscard]] std::int64_t samples() const;
  /// Indices of the samples in the order in which an epoch visits them, int64 [n]. Throws ValueError for a
  /// negative number, and what a sampler throws.
  [[nodiscard]] Tensor order(std::int64_t epoch) const;

  /// Throws ValueError for a loader that was made of a source.
  [[nodiscard]] const Dataset& data() const&;
  [[nodiscard]] Dataset data() const&& { return data(); }
  [[nodiscard]] const LoaderOptions& options() const&;
  [[nodiscard]] LoaderOptions options() const&& { return options(); }

 private:
  std::shared_ptr<const detail::BatchSource> source_;
  std::int64_t epoch_ = 0;
};

/// An input iterator: it holds the current batch, which the next step replaces. It can be moved, not copied,
/// and is not bound to the loader, which may move or end before it.
class Loader::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::int64_t;
  using iterator_concept = std::input_iterator_tag;

  Iterator(Iterator&& other) noexcept;
  /// Ends the loop that it was in, and waits for its workers.
  Iterator& operator=(Iterator&& other) noexcept;
  ~Iterator();

  /// These throw ValueError at the end of the epoch, which one that was moved from has come to as well.
  [[nodiscard]] Batch& operator*() const& {
    check_not_at_end();
    return batch_;
  }
  /// Of a temporary, such as `*loader.begin()`, which ends before its reader.
  [[nodiscard]] Batch operator*() const&& { return **this; }
  [[nodiscard]] Batch* operator->() const { return &**this; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.number_ == it.batches_; }

 private:
  friend class Loader;
  XTGRAD_LOCAL Iterator(std::shared_ptr<const detail::BatchSource> source, std::int64_t epoch,
                        std::int64_t first);
  void load();
  void check_not_at_end() const;

  std::shared_ptr<const detail::BatchSource> source_;
  detail::Epoch epoch_;
  std::int64_t batches_;
  std::int64_t number_;                             // of the current batch
  std::unique_ptr<detail::Prefetcher> prefetcher_;  // without workers, none
  mutable Batch batch_;  // mutable: the iterator is a pointer to it, and const like one
};

}}}  // namespace xtgrad::v1::datasets

// For `auto& [x, y] = batch`.
template <>
struct std::tuple_size<xtgrad::datasets::Batch> : std::integral_constant<std::size_t, 2> {};
template <std::size_t Place>
struct std::tuple_element<Place, xtgrad::datasets::Batch> {
  using type = xtgrad::Tensor;
};
