#include "xtgrad/datasets/sampler.h"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"

namespace xtgrad::inline v1::datasets {

Sampler::Sampler(const SamplerOptions& options, Function function)
    : options_(options), function_(std::move(function)) {
  detail::require_at_least("Sampler", "draws", options_.draws, 0);
  if (options_.size) detail::require_at_least("Sampler", "size", *options_.size, 0);
  if (!function_) throw ValueError("Sampler: function must not be empty");
}

Tensor Sampler::operator()(std::int64_t size, std::int64_t batch_size, Random& random) const {
  if (!function_) throw ValueError("Sampler: there is no function that draws");
  if (options_.size && *options_.size != size) {
    throw ValueError(fmt::format("Sampler: numbers of samples differ: the sampler is for {}, the data has {}",
                                 *options_.size, size));
  }
  Tensor indices = function_(batch_size, random);
  if (!indices.defined()) throw ValueError("Sampler: its function returned an empty handle");
  if (indices.dtype() != int64) {
    throw DtypeError(fmt::format("Sampler: indices must be int64: got {}", to_string(indices.dtype())));
  }
  if (indices.shape() != Shape{options_.draws}) {
    throw ShapeError(fmt::format("Sampler: indices must be [draws], [{}]: got {}", options_.draws,
                                 to_string(indices.shape())));
  }
  const std::span<const std::int64_t> index = indices.data<std::int64_t>();
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0 || index[i] >= size) {
      throw ValueError(fmt::format("Sampler: index out of range: draw {} is {}, the data has {} samples", i,
                                   index[i], size));
    }
  }
  return indices;
}

}  // namespace xtgrad::v1::datasets
