#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/transform_rows.h"

namespace xtgrad::inline v1::datasets::detail {

/// What the loops over a loader share: everything that decides about batches. Never changed, so it may be
/// used on any number of threads. A public header mentions the class, so it hides its functions one by one.
class BatchSource {
 public:
  /// Throws ValueError for options out of range, and a sampler for another number of samples than `size`.
  XTGRAD_LOCAL BatchSource(LoaderOptions options, std::int64_t size);
  virtual ~BatchSource() = default;
  BatchSource(const BatchSource&) = delete;
  BatchSource& operator=(const BatchSource&) = delete;

  [[nodiscard]] virtual const Dataset& data() const = 0;
  [[nodiscard]] const LoaderOptions& options() const { return options_; }
  /// Samples that there are.
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// Samples that an epoch visits.
  [[nodiscard]] std::int64_t samples() const { return draws() - (options_.drop_last ? last_part() : 0); }
  [[nodiscard]] std::int64_t batches() const {
    return draws() / options_.batch_size + (last_part() != 0 && !options_.drop_last ? 1 : 0);
  }

  /// Indices of an epoch's samples; an empty handle for the data set's order.
  [[nodiscard]] XTGRAD_LOCAL Tensor order(std::int64_t epoch) const;
  [[nodiscard]] Epoch epoch(std::int64_t number) const {
    return {.number = number, .order = order(number), .default_dtype = default_dtype()};
  }
  /// One batch of an epoch; a function of the arguments alone, whatever thread it is called on.
  [[nodiscard]] XTGRAD_LOCAL Batch batch(const Epoch& epoch, std::int64_t number) const;

 private:
  /// Those samples, whose transforms draw from `seed`.
  [[nodiscard]] virtual Batch made(const RowChoice& rows, std::uint64_t seed) const = 0;
  /// Visits, with those that `drop_last` leaves out.
  [[nodiscard]] std::int64_t draws() const { return options_.sampler ? options_.sampler.draws() : size_; }
  /// Visits in a batch that is not full.
  [[nodiscard]] std::int64_t last_part() const { return draws() % options_.batch_size; }

  LoaderOptions options_;
  std::int64_t size_;
};

/// Batches of a data set in memory.
class DatasetBatches final : public BatchSource {
 public:
  /// Throws whatever the sample transform throws for samples that do not fit.
  DatasetBatches(Dataset data, LoaderOptions options);

  [[nodiscard]] const Dataset& data() const override { return data_; }

 private:
  [[nodiscard]] Batch made(const RowChoice& rows, std::uint64_t seed) const override;
  [[nodiscard]] Tensor inputs(const RowChoice& rows, std::uint64_t seed) const;

  Dataset data_;
};

}  // namespace xtgrad::v1::datasets::detail
