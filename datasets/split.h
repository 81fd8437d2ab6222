#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// Splits that keep the proportions of the classes. Of a class with m samples, a part with fraction f gets m f
// of them, rounded up or down; which way is decided so that the sizes of the parts come close to their
// fractions, too. So a class with few samples may be missing from a small part: with m f < 1 it gets one
// sample or none. Which samples go where depends on the seed alone; each part keeps the order of the data
// set. Both throw ValueError for a data set without classes and for fractions that are no fractions.

struct TrainTest {
  Dataset train;
  Dataset test;
};

struct SplitOptions {
  double test = 0.2;  ///< fraction of the samples, in (0, 1)
  std::uint64_t seed = 0;
};

/// Every sample in one of two parts.
///
///   auto [train, test] = datasets::stratified_split(datasets::digits(), {.test = 0.25, .seed = 1});
[[nodiscard]] TrainTest stratified_split(const Dataset& data, const SplitOptions& options = {});

struct PartsOptions {
  std::vector<double> fractions = {};  ///< of the samples, each in (0, 1), together at most 1
  std::uint64_t seed = 0;
};

/// A part for each fraction. If they sum up to 1, every sample is in one part; else the rest is in none.
///
///   auto parts = datasets::stratified_parts(data, {.fractions = {0.8, 0.1, 0.1}});
[[nodiscard]] std::vector<Dataset> stratified_parts(const Dataset& data, const PartsOptions& options);

}}}  // namespace xtgrad::v1::datasets
