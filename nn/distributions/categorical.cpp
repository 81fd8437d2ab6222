#include "xtgrad/nn/distributions/categorical.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

namespace {

detail::Parameter one_of(const CategoricalParameters& parameters) {
  if (parameters.probs.defined() == parameters.logits.defined()) {
    throw ValueError(fmt::format("Categorical: needs one of probs and logits, got {}",
                                 parameters.probs.defined() ? "both" : "none"));
  }
  const detail::Parameter given = parameters.probs.defined() ? detail::Parameter{"probs", parameters.probs}
                                                             : detail::Parameter{"logits", parameters.logits};
  const Shape& shape = given.tensor.shape();
  if (shape.rank() > 0 && shape.back() > 0) return given;
  throw ShapeError(
      fmt::format("Categorical: {} must be [..., k] for k > 0, got {}", given.name, to_string(shape)));
}

Tensor normalized(const CategoricalParameters& parameters) {
  if (parameters.logits.defined())
    return log_softmax(detail::checked_number("Categorical", one_of(parameters)), -1);
  const Tensor probs = detail::checked_not_negative("Categorical", one_of(parameters));
  const Tensor total = sum(probs, {.axes = {-1}, .keepdim = true});
  return probs / detail::checked_positive("Categorical", {"the sum of probs", total});
}

}  // namespace

Categorical::Categorical(const CategoricalParameters& parameters)
    : DistributionBase(detail::without_last(detail::common_shape("Categorical", {one_of(parameters)}), 1), {},
                       one_of(parameters).tensor.dtype()),
      parameter_(normalized(parameters)),
      of_logits_(parameters.logits.defined()) {}

Tensor Categorical::probs() const { return of_logits_ ? exp(parameter_) : parameter_; }
Tensor Categorical::logits() const { return of_logits_ ? parameter_ : log(parameter_); }

Tensor Categorical::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  const std::int64_t count = sample_shape.numel();
  const Tensor weights = reshape(probs(), {batch_shape().numel(), categories()});
  const Tensor drawn = multinomial(weights, count, {.replacement = true}, random);
  return reshape(transpose(drawn), extended(sample_shape));
}

Tensor Categorical::log_prob(const Tensor& value) const {
  if (!value.defined()) throw ValueError("Categorical: value: the handle is empty");
  if (value.dtype() != int64 && value.dtype() != int32) {
    throw DtypeError(
        fmt::format("Categorical: value must be int64 or int32, got {}", to_string(value.dtype())));
  }
  const Tensor outside = (value < 0) | (value >= categories());
  const Tensor index = where(outside, 0, value);
  const Tensor all = logits();
  if (all.rank() == 1) {
    const Tensor chosen = index_select(all, 0, reshape(index, {index.numel()}));
    return detail::outside_is_impossible(outside, reshape(chosen, value.shape()));
  }
  // As many dimensions as the larger of both has.
  Shape of_index(index.shape()), of_all(all.shape());
  of_index.push_back(1);
  const auto widened = [](const Shape& shape, std::size_t rank) {
    Shape wide;
    for (std::size_t i = shape.rank(); i < rank; ++i) wide.push_back(1);
    return detail::joined(wide, shape);
  };
  const std::size_t rank = std::max(of_index.rank(), of_all.rank());
  const Tensor chosen =
      take_along_axis(reshape(all, widened(of_all, rank)), -1, reshape(index, widened(of_index, rank)));
  return detail::outside_is_impossible(outside, squeeze(chosen, {-1}));
}

Tensor Categorical::entropy() const {
  return -sum(xtgrad::detail::weighted(probs(), logits()), {.axes = {-1}});
}

}  // namespace xtgrad::v1::distributions
