#include "xtgrad/nn/distributions/independent.h"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/reduction.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions::detail {

SplitShape split_batch(const Shape& batch, const Shape& event, std::size_t dims) {
  if (dims > batch.rank()) {
    throw ShapeError(fmt::format("Independent: {} dimensions cannot be taken from a batch shape of {}", dims,
                                 to_string(batch)));
  }
  return {without_last(batch, dims), joined(last_of(batch, dims), event)};
}

Tensor sum_of_last(const Tensor& x, std::size_t dims) {
  if (dims == 0) return x;
  std::vector<std::int64_t> axes;
  for (std::size_t i = 1; i <= dims; ++i) axes.push_back(-static_cast<std::int64_t>(i));
  return sum(x, {.axes = axes});
}

}  // namespace xtgrad::v1::distributions::detail
