#include "xtgrad/nn/distributions/mixture_same_family.h"

#include <fmt/format.h>

#include <cstddef>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/indexing.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions::detail {
namespace {

/// x with `count` dimensions of size 1 behind.
Tensor with_ones_behind(const Tensor& x, std::size_t count) {
  Shape shape = x.shape();
  for (std::size_t i = 0; i < count; ++i) shape.push_back(1);
  return reshape(x, shape);
}

}  // namespace

Shape mixture_batch(const Categorical& mixture, const DistributionBase& components) {
  if (mixture.dtype() != components.dtype()) {
    throw DtypeError(fmt::format("MixtureSameFamily: dtypes differ: the mixture is {}, the components {}",
                                 to_string(mixture.dtype()), to_string(components.dtype())));
  }
  const Shape &of_mixture = mixture.batch_shape(), &all = components.batch_shape();
  if (all.rank() > 0 && all.back() == mixture.categories()) {
    const Shape of_components = without_components(all);
    if (of_components == of_mixture || of_mixture.rank() == 0) return of_components;
    if (of_components.rank() == 0) return of_mixture;
  }
  throw ShapeError(
      fmt::format("MixtureSameFamily: components of batch shape {} do not fit a mixture of {} categories and "
                  "batch shape {}",
                  to_string(all), mixture.categories(), to_string(of_mixture)));
}

Shape sample_shape_for(const Shape& own, const Shape& batch, const Shape& sample_shape) {
  return own == batch ? sample_shape : joined(sample_shape, batch);
}

Shape without_components(const Shape& batch) { return without_last(batch, 1); }

Tensor chosen_draws(const Tensor& draws, const Tensor& chosen, const Shape& event) {
  const std::int64_t axis = -1 - static_cast<std::int64_t>(event.rank());
  return squeeze(take_along_axis(draws, axis, with_ones_behind(chosen, 1 + event.rank())), {axis});
}

Tensor mixed(const Categorical& mixture, const Tensor& x, const Shape& event) {
  const std::int64_t axis = -1 - static_cast<std::int64_t>(event.rank());
  return sum(with_ones_behind(mixture.probs(), event.rank()) * x, {.axes = {axis}});
}

}  // namespace xtgrad::v1::distributions::detail
