// Derivatives by differences, with what they are good for.
#pragma once

#include <vector>

#include "tests/random_programs/check.h"

namespace xtgrad::random_programs {

struct Numerical {
  std::vector<double> values;
  double error;  ///< of the worst of them
};

/// Differences of the derivatives of the order below.
[[nodiscard]] Numerical numerical(const Derivatives& derivatives, int order, double step);

/// An estimate whose error is a larger share of the largest number than this says nothing: a factor of 1.001
/// in one rule has to be told.
inline constexpr double worst_comparable = 1e-4;

[[nodiscard]] Verdict check_derivative(const Derivatives& derivatives, int order);

}  // namespace xtgrad::random_programs
