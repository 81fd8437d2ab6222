#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

/// The tensors of one sample, or of a batch of them. The first is a model's input, the second a label.
using Sample = std::vector<Tensor>;

/// What a source knows of its samples without looking at one.
struct SourceInfo {
  /// For first tensors of uint8 that are to be numbers in batches.
  std::optional<Pixels> pixels = std::nullopt;
  std::int64_t classes = 0;                   ///< labels are 0 .. classes-1; 0 where there are no such labels
  std::vector<std::string> class_names = {};  ///< one a class, or none
};

class SampleSource;

/// What messages call the samples of a batch: names[k] is the name of the one at place k.
class SampleNames {
 public:
  /// Both must outlive it.
  SampleNames(const SampleSource& source, std::span<const std::int64_t> indices)
      : source_(source), indices_(indices) {}

  [[nodiscard]] std::size_t size() const { return indices_.size(); }
  /// `source.name_of(indices[k])`.
  [[nodiscard]] std::string operator[](std::size_t k) const;

 private:
  const SampleSource& source_;
  std::span<const std::int64_t> indices_;
};

/// A data set of one's own, whose samples are made when they are wanted: files that are read, sentences,
/// pairs. A Loader makes batches of it.
///
///   struct Pairs final : datasets::SampleSource {
///     std::int64_t size() const override { return 1000; }
///     datasets::Sample get(std::int64_t index) const override {
///       return {left(index), full({}, labels[index], {.dtype = int64}), right(index)};
///     }
///   };
///   datasets::Loader loader(std::make_shared<Pairs>(), {.batch_size = 32, .shuffle = true, .workers = 2});
///   for (auto& batch : loader) { ... batch.inputs, batch.labels, batch.others[0] ... }
///
/// A loader with workers calls all functions on several threads at once. A sample must depend on its index
/// alone, so that runs can be repeated: random changes are for the loader's transforms.
class SampleSource {
 public:
  SampleSource() = default;
  virtual ~SampleSource();

  /// Number of samples.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The tensors of a sample, at least one, that need no gradients. `index` is from 0 to size() - 1. What it
  /// throws reaches the loop: an Error with the sample's index in its message, any other exception nested in
  /// an Error that has it; std::bad_alloc as it is.
  [[nodiscard]] virtual Sample get(std::int64_t index) const = 0;

  /// The tensors of a batch from those of its samples, at least one of each. Each tensor of the samples on
  /// top of the other, if not overridden: [...] to [b, ...]. Throws ShapeError or DtypeError where they
  /// differ, naming two samples. Override it, for instance, to pad sequences of different lengths.
  [[nodiscard]] virtual Sample collate(std::span<const Sample> samples, const SampleNames& names) const;
  [[nodiscard]] virtual SourceInfo info() const;
  /// What messages call a sample: "sample 17", if not overridden.
  [[nodiscard]] virtual std::string name_of(std::int64_t index) const;

 protected:
  SampleSource(const SampleSource&) = default;
  SampleSource& operator=(const SampleSource&) = default;
};

/// All samples of a source in memory, which then are made just once; bytes stay bytes. Throws ValueError for
/// samples that are not of two tensors, and what `collate` and Dataset throw.
///
///   auto [train, test] = datasets::stratified_split(datasets::in_memory(datasets::ImageFolder("cats")));
[[nodiscard]] Dataset in_memory(const SampleSource& source);

}}}  // namespace xtgrad::v1::datasets
