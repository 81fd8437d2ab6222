#include "xtgrad/plot/numbers.h"

#include <span>

namespace xtgrad::inline v1::plot {

std::vector<double> numbers(const Tensor& tensor) {
  const Tensor doubles = tensor.detach().to(float64);
  const std::span<const double> data = doubles.data<double>();
  return {data.begin(), data.end()};
}

}  // namespace xtgrad::v1::plot
