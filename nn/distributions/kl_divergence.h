#pragma once

#include <cstddef>
#include <type_traits>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/bernoulli.h"
#include "xtgrad/nn/distributions/beta.h"
#include "xtgrad/nn/distributions/categorical.h"
#include "xtgrad/nn/distributions/dirichlet.h"
#include "xtgrad/nn/distributions/exponential.h"
#include "xtgrad/nn/distributions/gamma.h"
#include "xtgrad/nn/distributions/independent.h"
#include "xtgrad/nn/distributions/laplace.h"
#include "xtgrad/nn/distributions/log_normal.h"
#include "xtgrad/nn/distributions/multivariate_normal.h"
#include "xtgrad/nn/distributions/normal.h"
#include "xtgrad/nn/distributions/one_hot_categorical.h"
#include "xtgrad/nn/distributions/poisson.h"
#include "xtgrad/nn/distributions/uniform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

// The divergence of Kullback and Leibler, the mean of log p(x) - log q(x) over draws x of p: how much worse q
// tells draws of p than p itself. Of the batch shapes, which broadcast. Exact, from closed forms, for these
// pairs; others do not compile.

// Of one family. A Chi2 is a Gamma.
[[nodiscard]] Tensor kl_divergence(const Bernoulli& p, const Bernoulli& q);
[[nodiscard]] Tensor kl_divergence(const Beta& p, const Beta& q);
[[nodiscard]] Tensor kl_divergence(const Categorical& p, const Categorical& q);
[[nodiscard]] Tensor kl_divergence(const Dirichlet& p, const Dirichlet& q);
[[nodiscard]] Tensor kl_divergence(const Exponential& p, const Exponential& q);
[[nodiscard]] Tensor kl_divergence(const Gamma& p, const Gamma& q);
[[nodiscard]] Tensor kl_divergence(const Laplace& p, const Laplace& q);
[[nodiscard]] Tensor kl_divergence(const LogNormal& p, const LogNormal& q);
[[nodiscard]] Tensor kl_divergence(const MultivariateNormal& p, const MultivariateNormal& q);
[[nodiscard]] Tensor kl_divergence(const Normal& p, const Normal& q);
[[nodiscard]] Tensor kl_divergence(const OneHotCategorical& p, const OneHotCategorical& q);
[[nodiscard]] Tensor kl_divergence(const Poisson& p, const Poisson& q);
[[nodiscard]] Tensor kl_divergence(const Uniform& p, const Uniform& q);

// Of two families.
[[nodiscard]] Tensor kl_divergence(const Bernoulli& p, const Poisson& q);
[[nodiscard]] Tensor kl_divergence(const Beta& p, const Exponential& q);
[[nodiscard]] Tensor kl_divergence(const Beta& p, const Gamma& q);
[[nodiscard]] Tensor kl_divergence(const Beta& p, const Normal& q);
[[nodiscard]] Tensor kl_divergence(const Beta& p, const Uniform& q);
[[nodiscard]] Tensor kl_divergence(const Exponential& p, const Gamma& q);
[[nodiscard]] Tensor kl_divergence(const Exponential& p, const Normal& q);
[[nodiscard]] Tensor kl_divergence(const Gamma& p, const Exponential& q);
[[nodiscard]] Tensor kl_divergence(const Gamma& p, const Normal& q);
[[nodiscard]] Tensor kl_divergence(const Laplace& p, const Normal& q);
[[nodiscard]] Tensor kl_divergence(const Normal& p, const Laplace& q);
[[nodiscard]] Tensor kl_divergence(const Uniform& p, const Beta& q);
[[nodiscard]] Tensor kl_divergence(const Uniform& p, const Exponential& q);
[[nodiscard]] Tensor kl_divergence(const Uniform& p, const Gamma& q);
[[nodiscard]] Tensor kl_divergence(const Uniform& p, const Normal& q);

namespace detail {

/// Infinity of both batch shapes. Throws DtypeError unless both are of one dtype.
[[nodiscard]] Tensor infinite_divergence(const DistributionBase& p, const DistributionBase& q);
/// Throws ShapeError unless both give the same number of dimensions to the event.
void check_same_dims(std::size_t p, std::size_t q);

template <class D, class... Others>
inline constexpr bool is_one_of = (std::is_same_v<D, Others> || ...);

/// Some draws of P are none of any Q.
template <class P, class Q>
inline constexpr bool leaves_support = (is_one_of<P, Exponential, Gamma> && is_one_of<Q, Beta, Uniform>) ||
                                       (is_one_of<P, Laplace, Normal> &&
                                        is_one_of<Q, Beta, Exponential, Gamma, Uniform>) ||
                                       (std::is_same_v<P, Poisson> && std::is_same_v<Q, Bernoulli>);

}  // namespace detail

/// Infinite, of p with draws that q has not: of a normal p and a gamma q, say.
template <class P, class Q>
requires detail::leaves_support<P, Q>
[[nodiscard]] Tensor kl_divergence(const P& p, const Q& q) { return detail::infinite_divergence(p, q); }

/// The sum of the divergences of what is independent.
template <class P, class Q>
[[nodiscard]] Tensor kl_divergence(const Independent<P>& p, const Independent<Q>& q) {
  detail::check_same_dims(p.dims(), q.dims());
  return detail::sum_of_last(kl_divergence(p.base(), q.base()), p.dims());
}

}}}  // namespace xtgrad::v1::distributions
