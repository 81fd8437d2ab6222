#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/datasets/dataset.h"

// The number of neighbours that get a vote, and how it is chosen.

namespace gallery {

using namespace xtgrad;

/// The numbers of neighbours that are tried.
inline const std::vector<std::int64_t> ks{1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 20, 25, 30};

/// Three parts of a data set: to learn from, to choose by, and to be looked at once.
struct Parts {
  std::string name;
  datasets::Dataset train;
  datasets::Dataset validation;
  datasets::Dataset test;
};

/// How many of the queries get the right label, in percent, for each of `ks`.
[[nodiscard]] std::vector<double> percent_right(const Tensor& samples, const Tensor& labels,
                                                const Tensor& queries, const Tensor& answers);

/// The place of the best of them, the first among equals.
[[nodiscard]] std::size_t best(const std::vector<double>& percent);

}  // namespace gallery
