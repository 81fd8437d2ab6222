#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/source.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// Data sets made of others. Sources refer to those that they are made of, and copy nothing; a Dataset is one
// tensor, so several become one by a copy, in which bytes stay bytes.
//
//   auto all = datasets::concat({datasets::as_source(digits), photos});
//   datasets::Loader loader(datasets::subset(all, indices), {.batch_size = 32, .shuffle = true});

/// The samples of one data set after those of the other. A single one, or one among empty ones, is returned
/// as it is, with the same tensors. Throws ValueError for none; ShapeError, DtypeError or ValueError, naming
/// both, where two differ in sample shapes, label shapes, dtypes, pixels, classes or names.
[[nodiscard]] Dataset concat(std::span<const Dataset> parts);
[[nodiscard]] Dataset concat(std::initializer_list<Dataset> parts);

/// A data set in memory as a source: sample i is {inputs[i] as it is stored, labels[i]}.
[[nodiscard]] std::shared_ptr<const SampleSource> as_source(const Dataset& data);

/// The samples of one source after those of the other. Batches are made by the first one's `collate`.
/// Throws ValueError for none, a null pointer, and, naming both, where what two
/// sources know of their samples differs.
[[nodiscard]] std::shared_ptr<const SampleSource> concat(
    std::span<const std::shared_ptr<const SampleSource>> parts);
[[nodiscard]] std::shared_ptr<const SampleSource> concat(
    std::initializer_list<std::shared_ptr<const SampleSource>> parts);

/// The samples of a source at `indices`, in that order; an index may occur more than once. Throws ValueError
/// for an index out of range and a null pointer.
[[nodiscard]] std::shared_ptr<const SampleSource> subset(std::shared_ptr<const SampleSource> source,
                                                         std::vector<std::int64_t> indices);

}}}  // namespace xtgrad::v1::datasets
