#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "xtgrad/autograd/check/line_derivative.h"
#include "xtgrad/autograd/check/problem.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/linearize.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::detail {

using Values = std::vector<double>;

/// The elements of a float64 tensor.
Values values_of(const Tensor& x);

/// The sum of products; `b` has as many elements as a.
double dot(const Values& a, const double* b);

/// A cotangent of one output, and the gradients by the rules that belong to it.
struct Cotangent {
  Values u;
  std::vector<Values> gradients;  // in each input
};

/// Where two derivatives are compared.
struct ComparedPlace {
  std::size_t output;
  const Values& u;
  std::size_t input;
  const Values& v;
};

/// <u, J v> from values, <J^T u, v> from the rules, and by how much they may differ.
struct Comparison {
  double numeric;
  double analytic;
  double size;  // of the derivative, or of something that is as good as zero
  double threshold;
  [[nodiscard]] double difference() const;
  [[nodiscard]] bool differs() const { return !(difference() <= threshold); }
  [[nodiscard]] double relative(double value) const { return size > 0 ? value / size : 0; }
};

/// A derivative that is this small beside the values of f may be the rounding error of a zero; that it cannot
/// be measured to `coarsest` of its own size is then no failure.
inline constexpr double zero_size = 1e-6;
/// The numerical error is estimated from three samples; a smaller factor would make unlucky ones false
/// alarms.
inline constexpr double error_safety = 20;

/// One order of derivative at its point: what f and the rules say there, and how f changes beside it.
class OrderPoint {
 public:
  OrderPoint(const CheckProblem& problem, const CheckGradsOptions& options);

  [[nodiscard]] const CheckProblem& problem() const { return problem_; }
  [[nodiscard]] const CheckGradsOptions& options() const { return options_; }
  [[nodiscard]] const Pullback& pullback() const { return pullback_; }
  [[nodiscard]] std::size_t outputs() const { return blocks_.size(); }
  /// Where the values of an output lie in `center`.
  [[nodiscard]] const Block& block(std::size_t output) const { return blocks_[output]; }
  [[nodiscard]] const Values& center() const { return center_; }
  /// Norm of an output's values, but not less than is natural.
  [[nodiscard]] double values_size(std::size_t output) const { return values_sizes_[output]; }
  /// The same of all outputs together.
  [[nodiscard]] double values_size() const { return norm(values_sizes_.data(), values_sizes_.size()); }
  [[nodiscard]] const Shape& input_shape(std::size_t i) const { return problem_.inputs[i].shape(); }
  [[nodiscard]] const Shape& output_shape(std::size_t j) const { return pullback_.outputs()[j].shape(); }

  /// The cotangents that the rules have been asked about.
  [[nodiscard]] const std::vector<Cotangent>& cotangents(std::size_t output) const {
    return cotangents_[output];
  }
  void add_cotangent(std::size_t output, Cotangent cotangent);

  /// J^T u, where u is zero but in one output.
  [[nodiscard]] std::vector<Values> pull(std::size_t output, const Values& u) const;
  /// Values of f at the point with one input moved by t v; by the rules' unrecorded form at higher orders.
  [[nodiscard]] Values evaluate_along(std::size_t input, const Values& v, double t) const;
  /// Norm of the part that a direction has in the gradients of one output by the rules, the largest over the
  /// cotangents.
  [[nodiscard]] double gradient_norm(std::size_t output, std::size_t input, const Values& v) const;
  [[nodiscard]] LineDerivative differentiate(std::size_t input, const Values& v) const;
  [[nodiscard]] Comparison compare(const ComparedPlace& place, const BlockDerivative& derivative,
                                   const Values& gradient) const;

 private:
  const CheckProblem& problem_;
  const CheckGradsOptions& options_;
  Pullback pullback_;
  // The same where it is asked for every entry: recorded, as the first call finds it.
  mutable std::optional<Linearization> map_;
  std::vector<Block> blocks_;
  Values center_;
  Values values_sizes_;
  std::vector<std::vector<Cotangent>> cotangents_;  // of each output
};

}  // namespace xtgrad::v1::detail
