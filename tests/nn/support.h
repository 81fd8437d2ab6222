#pragma once

#include <cmath>
#include <vector>

#include "xtgrad/autograd/tensor.h"

namespace nn_test {

/// The elements in row-major order, of any dtype.
inline std::vector<double> elements(const xtgrad::Tensor& x) {
  const xtgrad::Tensor wide = x.to(xtgrad::float64);
  const auto data = wide.data<double>();
  return {data.begin(), data.end()};
}

/// |got - want| <= tolerance * |want|. (doctest's Approx adds 1 to the size of the values, too much for small
/// ones.)
inline bool close(double got, double want, double tolerance) {
  return std::abs(got - want) <= tolerance * std::abs(want);
}

}  // namespace nn_test
