#pragma once

#include <cstdint>

#include "xtgrad/datasets/loader.h"

namespace xtgrad::inline v1::datasets::detail {

/// What the loops over a loader share: everything that decides about batches. Never changed, so it may be
/// used on any number of threads.
class BatchSource {
 public:
  /// Throws ValueError for options out of range, and whatever the sample transform throws for samples that
  /// do not fit.
  BatchSource(Dataset data, LoaderOptions options);

  [[nodiscard]] const Dataset& data() const { return data_; }
  [[nodiscard]] const LoaderOptions& options() const { return options_; }
  [[nodiscard]] std::int64_t batches() const;

  [[nodiscard]] Epoch epoch(std::int64_t number) const;
  /// One batch of an epoch; a function of the arguments alone, whatever thread it is called on.
  [[nodiscard]] Batch batch(const Epoch& epoch, std::int64_t number) const;

 private:
  [[nodiscard]] Tensor inputs(const Epoch& epoch, std::int64_t first, std::int64_t count) const;

  Dataset data_;
  LoaderOptions options_;
};

/// The order of a shuffled epoch: the draw of the epoch's number, so that no epoch needs the ones before it.
[[nodiscard]] Tensor shuffled(std::int64_t n, std::uint64_t seed, std::int64_t epoch);

}  // namespace xtgrad::v1::datasets::detail
