#include "polynomials.h"

#include <algorithm>
#include <cstddef>
#include <numbers>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/polynomial_features.h"

namespace gallery {

Tensor truth(const Tensor& x) { return sin(std::numbers::pi * x); }

Data measure() {
  const auto measured_at = [](const Tensor& x) { return Points{x, truth(x) + noise * randn(x.shape())}; };
  const auto anywhere = [](std::int64_t n) { return uniform({n, 1}, {.low = -1, .high = 1}); };
  Data data;
  data.training = measured_at(reshape(linspace(-1, 1, 20), {20, 1}));
  data.validation = measured_at(anywhere(40));
  data.test = measured_at(anywhere(1000));
  return data;
}

nn::LinearFit fit_polynomial(const Points& points, std::int64_t degree, double lambda) {
  // A polynomial is linear in its weights: the powers of x are features like any others.
  const Tensor powers = nn::polynomial_features(points.x, degree);  // [n, degree]
  const auto n = static_cast<double>(points.x.size(0));
  return nn::least_squares(powers, points.y, {.l2 = n * lambda});  // of the sum of errors, n times their mean
}

Tensor predict(const nn::LinearFit& polynomial, const Tensor& x) {
  const Tensor powers = nn::polynomial_features(x, polynomial.weight.size(1));
  return matmul(powers, polynomial.weight, {.transpose_b = true}) + polynomial.bias;
}

double error(const nn::LinearFit& polynomial, const Points& points) {
  return nn::mse_loss(predict(polynomial, points.x), points.y).item();
}

void Errors::add(double degree_or_lambda, const nn::LinearFit& polynomial, const Data& data) {
  at.push_back(degree_or_lambda);
  training.push_back(error(polynomial, data.training));
  validation.push_back(error(polynomial, data.validation));
}

double Errors::best() const {
  const auto least = std::min_element(validation.begin(), validation.end());
  return at[static_cast<std::size_t>(least - validation.begin())];
}

}  // namespace gallery
