#include "xtgrad/nn/distributions/multivariate_normal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <optional>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/diagonal.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

namespace {

using Given = MultivariateNormalParameters;

constexpr const char* name = "MultivariateNormal";

/// The matrix that was given, as it is called.
detail::Parameter matrix_of(const Given& given) {
  const detail::Parameter all[] = {
      {"covariance", given.covariance}, {"precision", given.precision}, {"scale_tril", given.scale_tril}};
  const auto is_given = [](const detail::Parameter& one) { return one.tensor.defined(); };
  const auto count = std::count_if(std::begin(all), std::end(all), is_given);
  if (count == 1) return *std::find_if(std::begin(all), std::end(all), is_given);
  throw ValueError(fmt::format("{}: needs one of covariance, precision and scale_tril, got {}", name, count));
}

/// [..., d] of loc, broadcast with the matrices' rows.
Shape vectors_of(const Given& given) {
  const auto [matrix_name, matrix] = matrix_of(given);
  static_cast<void>(detail::common_shape(name, {{"loc", given.loc}}));
  const Shape &loc = given.loc.shape(), &square = matrix.shape();
  if (loc.rank() < 1 || square.rank() < 2 || square.back() != square[square.rank() - 2] ||
      square.back() != loc.back()) {
    throw ShapeError(fmt::format("{}: needs loc [..., d] and {} [..., d, d]: loc is {}, {} is {}", name,
                                 matrix_name, to_string(loc), matrix_name, to_string(square)));
  }
  if (matrix.dtype() != given.loc.dtype()) {
    throw DtypeError(fmt::format("{}: dtypes differ: loc is {}, {} is {}; convert with to()", name,
                                 to_string(given.loc.dtype()), matrix_name, to_string(matrix.dtype())));
  }
  return broadcast_shapes(name, loc, detail::without_last(square, 1));
}

Tensor cholesky_of(const detail::Parameter& matrix) {
  try {
    return cholesky(matrix.tensor);
  } catch (const ValueError& error) {
    throw ValueError(fmt::format("{}: {} must be positive definite: {}", name, matrix.name, error.what()));
  }
}

/// L of L L' = p^-1: of p = U U' for an upper U, which is Cholesky's factor from the last row on, L is the
/// inverse of U'.
Tensor from_precision(const Tensor& precision) {
  const Tensor upper = flip(cholesky_of({"precision", flip(precision, {-2, -1})}), {-2, -1});
  return solve_triangular(transpose(upper),
                          eye(precision.shape().back(), std::nullopt, {.dtype = precision.dtype()}));
}

Tensor scale_of(const Given& given) {
  if (given.covariance.defined()) return cholesky_of({"covariance", given.covariance});
  if (given.precision.defined()) return from_precision(given.precision);
  detail::check_zero(name, {"scale_tril above its diagonal", triu(given.scale_tril, 1)});
  return given.scale_tril;
}

}  // namespace

MultivariateNormal::MultivariateNormal(const MultivariateNormalParameters& parameters)
    : DistributionBase(detail::without_last(vectors_of(parameters), 1),
                       detail::last_of(parameters.loc.shape(), 1), parameters.loc.dtype()),
      loc_(detail::checked_number(name, {"loc", parameters.loc})),
      scale_tril_(scale_of(parameters)),
      diagonal_(detail::checked_positive(name, {"the diagonal of scale_tril", diagonal(scale_tril_)})) {}

Tensor MultivariateNormal::covariance() const {
  const Tensor product = matmul(scale_tril_, scale_tril_, {.transpose_b = true});
  return broadcast_to(product, detail::joined(batch_shape(), detail::last_of(product.shape(), 2)));
}

Tensor MultivariateNormal::precision() const {
  const Tensor unit = eye(event_shape()[0], std::nullopt, {.dtype = dtype()});
  const Tensor inverse = cholesky_solve(scale_tril_, unit);
  return broadcast_to(inverse, detail::joined(batch_shape(), detail::last_of(inverse.shape(), 2)));
}

Tensor MultivariateNormal::rsample(const Shape& sample_shape, Random& random) const {
  const Tensor normal = randn(extended(sample_shape), random, {.dtype = dtype()});
  if (scale_tril_.rank() == 2) return loc_ + matmul(normal, scale_tril_, {.transpose_b = true});
  return loc_ + squeeze(matmul(scale_tril_, unsqueeze(normal, {-1})), {-1});
}

Tensor MultivariateNormal::squared_distance(const Tensor& v) const {
  if (scale_tril_.rank() > 2) {
    return sum(square(solve_triangular(scale_tril_, unsqueeze(v, {-1}))), {.axes = {-2, -1}});
  }
  // All vectors are columns of one matrix, so that L is not repeated.
  const Shape vectors = detail::without_last(v.shape(), 1);
  const Tensor columns = transpose(reshape(v, {vectors.numel(), v.shape().back()}));
  return reshape(sum(square(solve_triangular(scale_tril_, columns)), {.axes = {0}}), vectors);
}

Tensor MultivariateNormal::log_det_scale() const { return sum(log(diagonal_), {.axes = {-1}}); }

Tensor MultivariateNormal::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), name, value);
  const double d = static_cast<double>(event_shape()[0]);
  return -0.5 * squared_distance(x - loc_) - log_det_scale() - 0.5 * d * std::log(2 * std::numbers::pi);
}

Tensor MultivariateNormal::entropy() const {
  const double d = static_cast<double>(event_shape()[0]);
  return over_batch(log_det_scale() + 0.5 * d * (1 + std::log(2 * std::numbers::pi)));
}

Tensor MultivariateNormal::mean() const {
  return broadcast_to(loc_, detail::joined(batch_shape(), event_shape()));
}

Tensor MultivariateNormal::variance() const {
  return broadcast_to(sum(square(scale_tril_), {.axes = {-1}}), detail::joined(batch_shape(), event_shape()));
}

Tensor MultivariateNormal::stddev() const { return sqrt(variance()); }

Tensor MultivariateNormal::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
