#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// How many finite elements lie in each of 32 equal parts from the smallest to the largest.
struct ElementHistogram {
  double low = 0;
  double high = 0;
  std::array<std::int64_t, 32> counts{};
};

/// Of all elements of a tensor. Those of bool count as 0 and 1.
struct ElementStatistics {
  std::int64_t finite = 0;
  std::int64_t nan = 0;
  std::int64_t inf = 0;
  std::int64_t minus_inf = 0;
  // Of the finite ones, if there are any.
  std::string min, max;  ///< all digits: text that reads back as the element
  double mean = 0;
  double deviation = 0;                            ///< divided by their number, not one less
  std::optional<ElementHistogram> histogram = {};  ///< of two or more
};

ElementStatistics statistics_of(const Tensor& tensor);

}  // namespace xtgrad::v1::detail
