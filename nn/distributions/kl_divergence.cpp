#include "xtgrad/nn/distributions/kl_divergence.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {
namespace {

using xtgrad::detail::weighted;

constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor total(const Tensor& x) { return sum(x, {.axes = {-1}}); }

/// A result in the shape that both batches broadcast to, where a formula may not have read all parameters.
Tensor over_both(const Tensor& x, const DistributionBase& p, const DistributionBase& q) {
  return xtgrad::detail::stretched_to(x, broadcast_shapes("kl_divergence", p.batch_shape(), q.batch_shape()));
}

/// What the mean of log q(x) over draws of p follows from, for the families q below.
struct Moments {
  Tensor mean, variance;
};
template <class P>
Moments moments_of(const P& p) {
  return {p.mean(), p.variance()};
}

// -E[log q(x)].
Tensor cross_entropy(const Moments& p, const Normal& q) {
  return log(q.scale()) + 0.5 * std::log(2 * std::numbers::pi) +
         0.5 * (p.variance + square(p.mean - q.loc())) / square(q.scale());
}
Tensor cross_entropy(const Moments& p, const Exponential& q) { return q.rate() * p.mean - log(q.rate()); }
/// Reads the mean and the mean logarithm.
Tensor cross_entropy_of_gamma(const Tensor& mean, const Tensor& mean_log, const Gamma& q) {
  return lgamma(q.concentration()) - q.concentration() * log(q.rate()) - (q.concentration() - 1) * mean_log +
         q.rate() * mean;
}

/// The mean of log(x) over [low, high], by its antiderivative x log(x) - x.
Tensor mean_log_between(const Tensor& low, const Tensor& high) {
  return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1;
}

}  // namespace

namespace detail {

Tensor infinite_divergence(const DistributionBase& p, const DistributionBase& q) {
  if (p.dtype() != q.dtype()) {
    throw DtypeError(
        fmt::format("kl_divergence: dtypes differ: {} and {}", to_string(p.dtype()), to_string(q.dtype())));
  }
  return full(broadcast_shapes("kl_divergence", p.batch_shape(), q.batch_shape()), infinity,
              {.dtype = p.dtype()});
}

void check_same_dims(std::size_t p, std::size_t q) {
  if (p == q) return;
  throw ShapeError(
      fmt::format("kl_divergence: events of Independent differ: {} dimensions and {} dimensions", p, q));
}

}  // namespace detail

// Each term on its own: a difference of logarithms would be NaN where both probabilities are 0.
Tensor kl_divergence(const Bernoulli& p, const Bernoulli& q) {
  const Tensor one = p.probs(), zero = 1 - one;
  return -p.entropy() - weighted(one, q.log_of_one()) - weighted(zero, q.log_of_zero());
}

Tensor kl_divergence(const Beta& p, const Beta& q) {
  const Tensor &a = p.concentration1(), &b = p.concentration0();
  const Tensor of_p = a + b, of_q = q.concentration1() + q.concentration0();
  return lgamma(q.concentration1()) + lgamma(q.concentration0()) + lgamma(of_p) - lgamma(a) - lgamma(b) -
         lgamma(of_q) + (a - q.concentration1()) * digamma(a) + (b - q.concentration0()) * digamma(b) +
         (of_q - of_p) * digamma(of_p);
}

Tensor kl_divergence(const Categorical& p, const Categorical& q) {
  if (p.categories() != q.categories()) {
    throw ShapeError(fmt::format("kl_divergence: Categorical of {} categories, and of {}", p.categories(),
                                 q.categories()));
  }
  const Tensor probs = p.probs();
  return total(weighted(probs, p.logits()) - weighted(probs, q.logits()));
}

Tensor kl_divergence(const Dirichlet& p, const Dirichlet& q) {
  const Tensor &a = p.concentration(), &b = q.concentration();
  const Tensor all = sum(a, {.axes = {-1}, .keepdim = true});
  return lgamma(total(a)) - lgamma(total(b)) +
         total(lgamma(b) - lgamma(a) + (a - b) * (digamma(a) - digamma(all)));
}

Tensor kl_divergence(const Exponential& p, const Exponential& q) {
  const Tensor ratio = q.rate() / p.rate();
  return ratio - 1 - log(ratio);
}

Tensor kl_divergence(const Gamma& p, const Gamma& q) {
  const Tensor &a = p.concentration(), &b = q.concentration();
  return b * log(p.rate() / q.rate()) + lgamma(b) - lgamma(a) + (a - b) * digamma(a) +
         (q.rate() - p.rate()) * (a / p.rate());
}

Tensor kl_divergence(const Laplace& p, const Laplace& q) {
  const Tensor ratio = p.scale() / q.scale(), apart = abs(p.loc() - q.loc());
  return apart / q.scale() + ratio * exp(-apart / p.scale()) - log(ratio) - 1;
}

Tensor kl_divergence(const LogNormal& p, const LogNormal& q) { return kl_divergence(p.base(), q.base()); }

Tensor kl_divergence(const MultivariateNormal& p, const MultivariateNormal& q) {
  if (!(p.event_shape() == q.event_shape())) {
    throw ShapeError(fmt::format("kl_divergence: MultivariateNormal of event shape {}, and of {}",
                                 to_string(p.event_shape()), to_string(q.event_shape())));
  }
  const auto d = static_cast<double>(p.event_shape()[0]);
  const Tensor spread = sum(square(solve_triangular(q.scale_tril(), p.scale_tril())), {.axes = {-2, -1}});
  const Tensor apart = q.squared_distance(q.loc() - p.loc());
  return over_both(q.log_det_scale() - p.log_det_scale() + 0.5 * (spread + apart - d), p, q);
}

Tensor kl_divergence(const Normal& p, const Normal& q) {
  const Tensor ratio = square(p.scale() / q.scale());
  return 0.5 * (ratio + square((p.loc() - q.loc()) / q.scale()) - 1 - log(ratio));
}

Tensor kl_divergence(const OneHotCategorical& p, const OneHotCategorical& q) {
  return kl_divergence(p.category(), q.category());
}

Tensor kl_divergence(const Poisson& p, const Poisson& q) {
  return xlogy(p.rate(), p.rate()) - xlogy(p.rate(), q.rate()) - (p.rate() - q.rate());
}

Tensor kl_divergence(const Uniform& p, const Uniform& q) {
  return where((q.low() > p.low()) | (q.high() < p.high()), infinity, log(q.width() / p.width()));
}

// The mean of log(k!) over 0 and 1 is 0.
Tensor kl_divergence(const Bernoulli& p, const Poisson& q) {
  return q.rate() - weighted(p.probs(), log(q.rate())) - p.entropy();
}

Tensor kl_divergence(const Beta& p, const Exponential& q) {
  return cross_entropy(moments_of(p), q) - p.entropy();
}

Tensor kl_divergence(const Beta& p, const Gamma& q) {
  const Tensor mean_log = digamma(p.concentration1()) - digamma(p.concentration1() + p.concentration0());
  return cross_entropy_of_gamma(p.mean(), mean_log, q) - p.entropy();
}

Tensor kl_divergence(const Beta& p, const Normal& q) { return cross_entropy(moments_of(p), q) - p.entropy(); }

Tensor kl_divergence(const Beta& p, const Uniform& q) {
  return where((q.low() > 0) | (q.high() < 1), infinity, log(q.width()) - p.entropy());
}

Tensor kl_divergence(const Exponential& p, const Gamma& q) {
  return cross_entropy_of_gamma(p.mean(), -log(p.rate()) - std::numbers::egamma, q) - p.entropy();
}

Tensor kl_divergence(const Exponential& p, const Normal& q) {
  return cross_entropy(moments_of(p), q) - p.entropy();
}

Tensor kl_divergence(const Gamma& p, const Exponential& q) {
  return cross_entropy(moments_of(p), q) - p.entropy();
}

Tensor kl_divergence(const Gamma& p, const Normal& q) {
  return cross_entropy(moments_of(p), q) - p.entropy();
}

Tensor kl_divergence(const Laplace& p, const Normal& q) {
  return cross_entropy(moments_of(p), q) - p.entropy();
}

// The mean distance of a normal number from a point is that of the folded normal distribution.
Tensor kl_divergence(const Normal& p, const Laplace& q) {
  const Tensor apart = p.loc() - q.loc(), z = apart / p.scale();
  const Tensor distance = std::sqrt(2 / std::numbers::pi) * p.scale() * exp(-0.5 * square(z)) +
                          apart * erf(std::numbers::sqrt2 / 2 * z);
  return log(2 * q.scale()) + distance / q.scale() - p.entropy();
}

Tensor kl_divergence(const Uniform& p, const Beta& q) {
  const Tensor outside = (p.low() < 0) | (p.high() > 1);
  const Tensor low = where(outside, 0, p.low()), high = where(outside, 1, p.high());
  const Tensor &a = q.concentration1(), &b = q.concentration0();
  const Tensor mean_logs =
      (a - 1) * mean_log_between(low, high) + (b - 1) * mean_log_between(1 - high, 1 - low);
  return where(outside, infinity, lgamma(a) + lgamma(b) - lgamma(a + b) - mean_logs - p.entropy());
}

Tensor kl_divergence(const Uniform& p, const Exponential& q) {
  return where(p.low() < 0, infinity, cross_entropy(moments_of(p), q) - p.entropy());
}

Tensor kl_divergence(const Uniform& p, const Gamma& q) {
  const Tensor outside = p.low() < 0;
  const Tensor low = where(outside, 0, p.low()), high = where(outside, 1, p.high());
  return where(outside, infinity,
               cross_entropy_of_gamma(p.mean(), mean_log_between(low, high), q) - p.entropy());
}

Tensor kl_divergence(const Uniform& p, const Normal& q) {
  return cross_entropy(moments_of(p), q) - p.entropy();
}

}  // namespace xtgrad::v1::distributions
