#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct DirichletParameters {
  Tensor concentration = {};  ///< [..., k], above 0
};

/// The distribution of k shares that add up to 1, the last dimension, of density in proportion to the product
/// of x_i^(a_i - 1). Throws ValueError for a concentration that is not above 0, ShapeError for one of no
/// dimensions.
///
/// Draws are shares of draws from gamma distributions, taken in logarithms, and have first derivatives. No
/// share is 0.
class Dirichlet : public DistributionBase {
 public:
  explicit Dirichlet(const DirichletParameters& parameters);

  [[nodiscard]] const Tensor& concentration() const { return concentration_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density, -inf where a share is negative or their sum is not 1, to 1e-4.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  Tensor concentration_;
};

}}}  // namespace xtgrad::v1::distributions
