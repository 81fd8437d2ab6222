#pragma once

#include <concepts>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

// A distribution is a value that holds tensors of parameters. These broadcast to the batch shape: one
// distribution each. A draw of one has the event shape, {} for numbers. A sample has the shape
//
//   sample shape + batch shape + event shape
//
// and a log_prob that of its value without the event, broadcast with the batch shape. Everything but `sample`
// is differentiable, in the parameters and the value; docs/operations/distributions.md has the formulas.
//
//   distributions::Normal q({.loc = mu, .scale = exp(log_sigma)});
//   Tensor z = q.rsample();  // moves with mu and log_sigma
//   Tensor kl = kl_divergence(q, distributions::Normal({.loc = zeros_like(mu), .scale = ones_like(mu)}));

/// What is asked of a distribution by those that are made of others.
template <class D>
concept Distribution = requires(const D& d, const Tensor& value, const Shape& shape, Random& random) {
  { d.batch_shape() } -> std::convertible_to<Shape>;
  { d.event_shape() } -> std::convertible_to<Shape>;
  { d.dtype() } -> std::convertible_to<Dtype>;
  { d.sample(shape, random) } -> std::convertible_to<Tensor>;
  { d.log_prob(value) } -> std::convertible_to<Tensor>;
};

/// One whose draws move with the parameters.
template <class D>
concept Reparameterized = Distribution<D> && requires(const D& d, const Shape& shape, Random& random) {
  { d.rsample(shape, random) } -> std::convertible_to<Tensor>;
};

/// What every distribution tells of its shapes.
class DistributionBase {
 public:
  [[nodiscard]] const Shape& batch_shape() const { return batch_; }
  [[nodiscard]] const Shape& event_shape() const { return event_; }
  /// Of the parameters, and of draws that are no indices.
  [[nodiscard]] Dtype dtype() const { return dtype_; }

 protected:
  DistributionBase(const Shape& batch, const Shape& event, Dtype dtype)
      : batch_(batch), event_(event), dtype_(dtype) {}
  ~DistributionBase() = default;
  DistributionBase(const DistributionBase&) = default;
  DistributionBase& operator=(const DistributionBase&) = default;

  /// sample shape + batch shape + event shape.
  [[nodiscard]] Shape extended(const Shape& sample_shape) const;
  /// A tensor that broadcasts to the batch shape, in that shape.
  [[nodiscard]] Tensor over_batch(const Tensor& x) const;

 private:
  Shape batch_, event_;
  Dtype dtype_;
};

}}}  // namespace xtgrad::v1::distributions
