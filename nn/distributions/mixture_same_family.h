#pragma once

#include <cstdint>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/functions/reduction.h"
#include "xtgrad/autograd/functions/shape.h"
#include "xtgrad/nn/distributions/categorical.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

namespace detail {

/// The batch shape of a mixture. Throws unless mixture and components fit.
[[nodiscard]] Shape mixture_batch(const Categorical& mixture, const DistributionBase& components);
/// The sample shape for a part of batch shape `own`, which is the mixture's batch or {}, so that each of the
/// batch gets draws of its own.
[[nodiscard]] Shape sample_shape_for(const Shape& own, const Shape& batch, const Shape& sample_shape);
/// A shape without its last dimension.
[[nodiscard]] Shape without_components(const Shape& batch);
/// Of draws from all components, [..., k] + event, those of the components that `chosen` names.
[[nodiscard]] Tensor chosen_draws(const Tensor& draws, const Tensor& chosen, const Shape& event);
/// The sum over components, of x [..., k] + event, weighted by the probabilities.
[[nodiscard]] Tensor mixed(const Categorical& mixture, const Tensor& x, const Shape& event);

}  // namespace detail

/// A mixture of k distributions of one family, along the last dimension of their batch: a component is drawn
/// from the mixture, and the value from it.
///
///   distributions::MixtureSameFamily q(distributions::Categorical({.logits = weights}),          // [k]
///                                      distributions::Normal({.loc = mu, .scale = sigma}));      // [k]
///
/// Draws have no gradient.
template <Distribution Components>
class MixtureSameFamily : public DistributionBase {
 public:
  /// Throws ShapeError unless the last dimension of the components' batch counts the mixture's categories and
  /// the others are its batch, or one of the two has no batch and serves all; DtypeError unless both are of
  /// one dtype.
  MixtureSameFamily(Categorical mixture, Components components)
      : DistributionBase(detail::mixture_batch(mixture, components), components.event_shape(),
                         components.dtype()),
        mixture_(std::move(mixture)),
        components_(std::move(components)) {}

  [[nodiscard]] const Categorical& mixture() const { return mixture_; }
  [[nodiscard]] const Components& components() const { return components_; }

  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const {
    const Shape own = detail::without_components(components_.batch_shape());
    const Tensor chosen = mixture_.sample(
        detail::sample_shape_for(mixture_.batch_shape(), batch_shape(), sample_shape), random);
    const Tensor draws =
        components_.sample(detail::sample_shape_for(own, batch_shape(), sample_shape), random);
    return detail::chosen_draws(draws, chosen, event_shape());
  }
  [[nodiscard]] Tensor log_prob(const Tensor& value) const {
    return logsumexp(components_.log_prob(with_component_axis(value)) + mixture_.logits(), {.axes = {-1}});
  }
  [[nodiscard]] Tensor mean() const { return detail::mixed(mixture_, components_.mean(), event_shape()); }
  /// The mean of the variances, and the variance of the means.
  [[nodiscard]] Tensor variance() const {
    const Tensor means = components_.mean();
    const Tensor away = means - with_component_axis(mean());
    return detail::mixed(mixture_, components_.variance() + square(away), event_shape());
  }
  [[nodiscard]] Tensor stddev() const { return sqrt(variance()); }
  /// The share of draws up to a value.
  [[nodiscard]] Tensor cdf(const Tensor& value) const requires
      requires(const Components& components, const Tensor& x) {
    components.cdf(x);
  }
  { return detail::mixed(mixture_, components_.cdf(with_component_axis(value)), {}); }

 private:
  [[nodiscard]] Tensor with_component_axis(const Tensor& value) const {
    return unsqueeze(value, {-1 - static_cast<std::int64_t>(event_shape().rank())});
  }

  Categorical mixture_;
  Components components_;
};

}}}  // namespace xtgrad::v1::distributions
