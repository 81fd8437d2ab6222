#pragma once

#include <cmath>

#include "benchmarks/compare/common/workload.h"

namespace bench {

/// What can be compared of random numbers, of which each engine has its own: mean and variance, so coarsely
/// that 10^6 draws round to the same.
inline Values moments(const Values& values) {
  double sum = 0;
  double square = 0;
  for (const float x : values) {
    sum += x;
    square += static_cast<double>(x) * x;
  }
  const auto n = static_cast<double>(values.size());
  const auto coarse = [](double x) { return static_cast<float>(std::nearbyint(x * 50) / 50); };
  return {coarse(sum / n), coarse(square / n - sum / n * (sum / n))};
}

}  // namespace bench
