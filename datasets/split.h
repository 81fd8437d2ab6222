#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// Splits of a data set. Which samples go where depends on the seed alone; each part keeps the order of the
// data set. All throw ValueError for fractions that are no fractions, and for one of so few samples that its
// part is empty.
//
// Stratified ones keep the proportions of the classes, and throw ValueError for a data set without classes.
// Of a class with m samples, a part with fraction f gets m f of them, rounded up or down; which way is
// decided so that the sizes of the parts come close to their fractions, too. So a class with few samples may
// be missing from a small part: with m f < 1 it gets one sample or none. Random ones treat all samples alike.

//
// A source (source.h) is split in the same way, into sources that refer to it (`subset`, combine.h); classes
// are those of labels given with it, one a sample, int64 or int32 [n] and not negative. The parts are those
// of a Dataset of as many samples, and of those labels. All throw ValueError for a null pointer, and
// ShapeError or DtypeError for other labels.

class SampleSource;

struct TrainTest {
  Dataset train;
  Dataset test;
};

struct TrainTestSources {
  std::shared_ptr<const SampleSource> train;
  std::shared_ptr<const SampleSource> test;
};

struct SplitOptions {
  double test = 0.2;  ///< fraction of the samples, in (0, 1)
  std::uint64_t seed = 0;
};

/// Every sample in one of two parts.
[[nodiscard]] TrainTest random_split(const Dataset& data, const SplitOptions& options = {});
[[nodiscard]] TrainTestSources random_split(const std::shared_ptr<const SampleSource>& source,
                                            const SplitOptions& options = {});
/// The same, class by class.
///
///   auto [train, test] = datasets::stratified_split(datasets::digits(), {.test = 0.25, .seed = 1});
[[nodiscard]] TrainTest stratified_split(const Dataset& data, const SplitOptions& options = {});
[[nodiscard]] TrainTestSources stratified_split(const std::shared_ptr<const SampleSource>& source,
                                                const Tensor& labels, const SplitOptions& options = {});

struct PartsOptions {
  std::vector<double> fractions = {};  ///< of the samples, each in (0, 1), together at most 1
  std::uint64_t seed = 0;
};

/// A part for each fraction. If they sum up to 1, every sample is in one part; else the rest is in none.
[[nodiscard]] std::vector<Dataset> random_parts(const Dataset& data, const PartsOptions& options);
[[nodiscard]] std::vector<std::shared_ptr<const SampleSource>> random_parts(
    const std::shared_ptr<const SampleSource>& source, const PartsOptions& options);
/// The same, class by class.
///
///   auto parts = datasets::stratified_parts(data, {.fractions = {0.8, 0.1, 0.1}});
[[nodiscard]] std::vector<Dataset> stratified_parts(const Dataset& data, const PartsOptions& options);
[[nodiscard]] std::vector<std::shared_ptr<const SampleSource>> stratified_parts(
    const std::shared_ptr<const SampleSource>& source, const Tensor& labels, const PartsOptions& options);

struct KFoldOptions {
  std::int64_t folds = 5;   ///< at least 2, at most as many as there are samples
  bool stratified = false;  ///< each fold with the proportions of the classes
  std::uint64_t seed = 0;
};

/// For each of `folds` disjoint parts of nearly equal sizes, which together are the data set: the part as
/// `test`, all others as `train`. Throws ValueError for another number of folds.
///
///   for (auto& [train, validation] : datasets::k_fold(datasets::iris(), {.folds = 10})) ...
[[nodiscard]] std::vector<TrainTest> k_fold(const Dataset& data, const KFoldOptions& options = {});
/// Throws ValueError, too, for `stratified`, which wants labels.
[[nodiscard]] std::vector<TrainTestSources> k_fold(const std::shared_ptr<const SampleSource>& source,
                                                   const KFoldOptions& options = {});
/// Each fold with the proportions of the labels' classes, whatever `stratified` says.
[[nodiscard]] std::vector<TrainTestSources> k_fold(const std::shared_ptr<const SampleSource>& source,
                                                   const Tensor& labels, const KFoldOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
