#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct MultivariateNormalParameters {
  Tensor loc = {};  ///< mean, [..., d]
  // One of the three, [..., d, d].
  Tensor covariance = {};  ///< symmetric positive definite
  Tensor precision = {};   ///< the inverse of the covariance
  Tensor scale_tril = {};  ///< L, lower triangular with a positive diagonal: the covariance is L L'
};

/// The normal distribution of vectors. Everything is computed from L, so scale_tril is the cheapest of the
/// parameters; of covariance and precision, (a + a') / 2 counts. Throws ValueError unless it is given one of
/// the three, and for one that is not as said; ShapeError where shapes do not fit.
class MultivariateNormal : public DistributionBase {
 public:
  explicit MultivariateNormal(const MultivariateNormalParameters& parameters);

  [[nodiscard]] const Tensor& loc() const { return loc_; }
  [[nodiscard]] const Tensor& scale_tril() const { return scale_tril_; }
  [[nodiscard]] Tensor covariance() const;  ///< batch shape + [d, d]
  [[nodiscard]] Tensor precision() const;   ///< batch shape + [d, d]

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// The logarithm of the density.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;  ///< the covariance's diagonal
  [[nodiscard]] Tensor stddev() const;
  /// log det L, of L's batch.
  [[nodiscard]] Tensor log_det_scale() const;
  /// The squared length of L^-1 v for vectors v [..., d], whose leading dimensions broadcast with L's.
  [[nodiscard]] Tensor squared_distance(const Tensor& v) const;

 private:
  Tensor loc_, scale_tril_, diagonal_;
};

}}}  // namespace xtgrad::v1::distributions
