#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "xtgrad/datasets/batch_source.h"
#include "xtgrad/datasets/source.h"

namespace xtgrad::inline v1::datasets::detail {

/// A sample that is one: `get` with its errors named, and its tensors checked.
[[nodiscard]] Sample checked_sample(std::string_view function, const SampleSource& source,
                                    std::int64_t index);

/// Batches of a data set of one's own.
class SourceBatches final : public BatchSource {
 public:
  /// Throws ValueError for a null pointer and a negative size.
  SourceBatches(std::shared_ptr<const SampleSource> source, LoaderOptions options);
  /// Of a data set in memory, whose samples are transformed as a whole.
  SourceBatches(Dataset data, LoaderOptions options);

  [[nodiscard]] const Dataset& data() const override;

 private:
  [[nodiscard]] Batch made(const RowChoice& rows, std::uint64_t seed) const override;
  [[nodiscard]] Sample sample(const RowChoice& rows, std::int64_t i, std::uint64_t seed) const;

  std::shared_ptr<const SampleSource> source_;
  std::optional<Pixels> pixels_;
  std::optional<Dataset> data_;
};

}  // namespace xtgrad::v1::datasets::detail
