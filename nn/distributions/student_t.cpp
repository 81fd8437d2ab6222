#include "xtgrad/nn/distributions/student_t.h"

#include <limits>
#include <numbers>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

StudentT::StudentT(const StudentTParameters& parameters)
    : DistributionBase(
          detail::common_shape("StudentT",
                               {{"df", parameters.df}, {"loc", parameters.loc}, {"scale", parameters.scale}}),
          {}, parameters.df.dtype()),
      df_(detail::checked_positive("StudentT", {"df", parameters.df})),
      loc_(detail::checked_number("StudentT", {"loc", parameters.loc})),
      scale_(detail::checked_positive("StudentT", {"scale", parameters.scale})) {}

// A normal number over the root of a mean of squares, which few degrees of freedom make as small as 0: hence
// its logarithm.
Tensor StudentT::rsample(const Shape& sample_shape, Random& random) const {
  const Shape shape = extended(sample_shape);
  const Tensor normal = randn(shape, random, {.dtype = dtype()});
  const Tensor half = 0.5 * df_;
  const Tensor log_gamma =
      standard_gamma(xtgrad::detail::stretched_to(half, shape), {.log_space = true}, random);
  return loc_ + scale_ * (normal * exp(0.5 * (log(half) - log_gamma)));
}

Tensor StudentT::log_prob(const Tensor& value) const {
  const Tensor z = (detail::value_in(dtype(), "StudentT", value) - loc_) / scale_;
  const Tensor half = 0.5 * df_, next = half + 0.5;
  return lgamma(next) - lgamma(half) - 0.5 * log(std::numbers::pi * df_) - log(scale_) -
         next * log1p(square(z) / df_);
}

Tensor StudentT::entropy() const {
  const Tensor half = 0.5 * df_, next = half + 0.5;
  return over_batch(log(scale_) + next * (digamma(next) - digamma(half)) + 0.5 * log(std::numbers::pi * df_) +
                    lgamma(half) - lgamma(next));
}

Tensor StudentT::mean() const { return over_batch(where(df_ <= 1, not_a_number, loc_)); }

Tensor StudentT::variance() const {
  const Tensor infinite = df_ <= 2;
  const Tensor df = where(infinite, 3, df_);
  const Tensor finite = square(scale_) * (df / (df - 2));
  return over_batch(where(df_ <= 1, not_a_number, where(infinite, infinity, finite)));
}

Tensor StudentT::stddev() const { return sqrt(variance()); }

Tensor StudentT::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
