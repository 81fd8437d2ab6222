#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/check/line_derivative.h"
#include "xtgrad/autograd/check/problem.h"
#include "xtgrad/autograd/check_grads.h"

namespace xtgrad::inline v1::detail {

using Values = std::vector<double>;

/// The elements of a float64 tensor.
Values values_of(const Tensor& x);

/// The number for a message: every NaN as "nan", for its sign means nothing.
double printable(double x);

/// Checks one order of derivative; the first thing found wrong goes into the report.
class OrderCheck {
 public:
  OrderCheck(const CheckProblem& problem, const CheckGradsOptions& options, Random& random,
             CheckGradsReport& report);

  void run();
  [[nodiscard]] std::vector<Shape> output_shapes() const;
  /// Norm of all values, or what it would naturally be.
  [[nodiscard]] double values_size() const { return norm(values_sizes_.data(), values_sizes_.size()); }

 private:
  /// A cotangent of one output, and the gradients by the rules that belong to it.
  struct Cotangent {
    Values u;
    std::vector<Values> gradients;  // in each input
  };
  /// Where two derivatives are compared.
  struct Place {
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

  // The checks, in the order in which they are made; false once the report says what is wrong.
  bool inputs_are_finite();
  bool values_are_finite();
  bool values_repeat();
  bool take_gradients();
  bool gradients_are_finite(std::size_t output, const std::vector<Values>& gradients);
  bool check_input(std::size_t input);
  bool check_direction(std::size_t input, const Values& v, std::vector<double>& noticed);
  bool check_zero_cotangent();

  /// J^T u, where u is zero but in one output.
  [[nodiscard]] std::vector<Values> pull(std::size_t output, const Values& u) const;
  /// Values of f at the point with one input moved by t v; by the rules' unrecorded form at higher orders.
  [[nodiscard]] Values evaluate_along(std::size_t input, const Values& v, double t) const;

  /// Norm of the part that a direction has in the gradients of one output by the rules, the largest over the
  /// cotangents.
  [[nodiscard]] double gradient_norm(std::size_t output, std::size_t input, const Values& v) const;
  [[nodiscard]] LineDerivative differentiate(std::size_t input, const Values& v) const;
  [[nodiscard]] Comparison compare(const Place& place, const BlockDerivative& derivative,
                                   const Values& gradient) const;

  // What goes into the report (failure.cpp); all return false.
  bool fail(CheckGradsReport::Result result, const std::string& what);
  bool report_wrong(const Place& where, const BlockDerivative& derivative, const Comparison& found);
  bool report_irregular(std::size_t input, const Values& v, std::size_t output, const Irregularity& found);
  bool report_inconclusive(std::size_t input, std::size_t output, double noticed);
  void set_output_place(std::size_t output, std::size_t element);
  void set_input_place(std::size_t input, std::size_t element);
  [[nodiscard]] std::string output_place() const;
  [[nodiscard]] std::string input_place() const;

  [[nodiscard]] const Shape& input_shape(std::size_t i) const { return problem_.inputs[i].shape(); }
  [[nodiscard]] const Shape& output_shape(std::size_t j) const { return pullback_.outputs()[j].shape(); }

  const CheckProblem& problem_;
  const CheckGradsOptions& options_;
  Random& random_;
  CheckGradsReport& report_;
  Pullback pullback_;
  std::vector<Block> blocks_;  // where each output's values lie in `center_`
  Values center_;
  Values values_sizes_;  // of each output: the norm of its values, but not less than is natural
  std::vector<std::vector<Cotangent>> cotangents_;  // of each output
};

}  // namespace xtgrad::v1::detail
