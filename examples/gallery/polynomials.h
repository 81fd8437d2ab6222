#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/least_squares.h"

// Noisy measurements of a curve, and polynomials fitted to them.

namespace gallery {

using namespace xtgrad;

/// Points in the plane, x and y both [n, 1].
struct Points {
  Tensor x;
  Tensor y;
};

/// The curve that all points are about, and that no fit is told of: sin(pi x).
[[nodiscard]] Tensor truth(const Tensor& x);

/// Deviation of the noise, whose square is the mean squared error of the truth itself.
inline constexpr double noise = 0.2;

/// Measurements in three parts: the truth plus normal noise at several x.
struct Data {
  Points training;    ///< what weights are fitted to; x from -1 to 1, evenly spaced
  Points validation;  ///< what degree and lambda are chosen by; x anywhere between
  Points test;        ///< what the chosen ones are judged by, once; x anywhere between
};
/// New ones with each call, from the thread's random stream.
[[nodiscard]] Data measure();

/// The polynomial w1 x + w2 x^2 + ... + b that has the least
///
///   mean squared error + lambda (w1^2 + w2^2 + ...)
[[nodiscard]] nn::LinearFit fit_polynomial(const Points& points, std::int64_t degree, double lambda);

/// The polynomial's values at each x, [n, 1].
[[nodiscard]] Tensor predict(const nn::LinearFit& polynomial, const Tensor& x);

/// Its mean squared error.
[[nodiscard]] double error(const nn::LinearFit& polynomial, const Points& points);

/// The errors of several fits to the training points, each at its degree or lambda.
struct Errors {
  std::vector<double> at;
  std::vector<double> training;
  std::vector<double> validation;

  void add(double degree_or_lambda, const nn::LinearFit& polynomial, const Data& data);
  /// The degree or lambda that the validation points choose.
  [[nodiscard]] double best() const;
};

}  // namespace gallery
