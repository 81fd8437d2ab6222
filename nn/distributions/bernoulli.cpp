#include "xtgrad/nn/distributions/bernoulli.h"

#include <fmt/format.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

namespace {

detail::Parameter one_of(const BernoulliParameters& parameters) {
  if (parameters.probs.defined() == parameters.logits.defined()) {
    throw ValueError(fmt::format("Bernoulli: needs one of probs and logits, got {}",
                                 parameters.probs.defined() ? "both" : "none"));
  }
  if (parameters.probs.defined()) return {"probs", parameters.probs};
  return {"logits", parameters.logits};
}

}  // namespace

Bernoulli::Bernoulli(const BernoulliParameters& parameters)
    : DistributionBase(detail::common_shape("Bernoulli", {one_of(parameters)}), {},
                       one_of(parameters).tensor.dtype()),
      parameter_(parameters.probs.defined() ? detail::checked_probability("Bernoulli", one_of(parameters))
                                            : detail::checked_number("Bernoulli", one_of(parameters))),
      of_logits_(parameters.logits.defined()) {}

Tensor Bernoulli::probs() const { return of_logits_ ? sigmoid(parameter_) : parameter_; }
Tensor Bernoulli::logits() const { return of_logits_ ? parameter_ : logit(parameter_); }
Tensor Bernoulli::log_of_one() const { return of_logits_ ? log_sigmoid(parameter_) : log(parameter_); }
Tensor Bernoulli::log_of_zero() const { return of_logits_ ? log_sigmoid(-parameter_) : log1p(-parameter_); }

Tensor Bernoulli::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return (uniform(extended(sample_shape), {}, random, {.dtype = dtype()}) < probs()).to(dtype());
}

Tensor Bernoulli::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Bernoulli", value);
  const Tensor outside = (x != 0) & (x != 1) & !isnan(x);
  const Tensor inside = where(outside, 0, x);
  const Tensor log_prob = of_logits_ ? xtgrad::detail::weighted(inside, log_of_one()) +
                                           xtgrad::detail::weighted(1 - inside, log_of_zero())
                                     : xlogy(inside, parameter_) + xlog1py(1 - inside, -parameter_);
  return detail::outside_is_impossible(outside, log_prob);
}

Tensor Bernoulli::entropy() const {
  if (!of_logits_) return -(xlogy(parameter_, parameter_) + xlog1py(1 - parameter_, -parameter_));
  return -(xtgrad::detail::weighted(sigmoid(parameter_), log_of_one()) +
           xtgrad::detail::weighted(sigmoid(-parameter_), log_of_zero()));
}

Tensor Bernoulli::mean() const { return of_logits_ ? probs() : alias(parameter_); }

Tensor Bernoulli::variance() const {
  return of_logits_ ? sigmoid(parameter_) * sigmoid(-parameter_) : parameter_ * (1 - parameter_);
}

Tensor Bernoulli::stddev() const { return sqrt(variance()); }

}  // namespace xtgrad::v1::distributions
