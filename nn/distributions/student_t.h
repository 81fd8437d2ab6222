#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct StudentTParameters {
  Tensor df = {};     ///< degrees of freedom, nu, above 0
  Tensor loc = {};    ///< mu
  Tensor scale = {};  ///< sigma, above 0
};

/// Student's t distribution, of (x - mu) / sigma a density in proportion to (1 + t^2 / nu)^(-(nu + 1) / 2).
/// Throws ValueError for df or scale that is not above 0.
///
/// Draws have derivatives of every order in loc and scale, and first ones in df.
class StudentT : public DistributionBase {
 public:
  explicit StudentT(const StudentTParameters& parameters);

  [[nodiscard]] const Tensor& df() const { return df_; }
  [[nodiscard]] const Tensor& loc() const { return loc_; }
  [[nodiscard]] const Tensor& scale() const { return scale_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  /// NaN for df up to 1, where there is none.
  [[nodiscard]] Tensor mean() const;
  /// Infinite for df up to 2, and NaN up to 1.
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  Tensor df_, loc_, scale_;
};

}}}  // namespace xtgrad::v1::distributions
