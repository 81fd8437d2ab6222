#pragma once

#include <cstddef>
#include <vector>

#include "xtgrad/autograd/check/failure.h"
#include "xtgrad/autograd/check/order_point.h"

namespace xtgrad::inline v1::detail {

/// Checks one order of derivative; the first thing found wrong goes into the report.
class OrderCheck {
 public:
  OrderCheck(const CheckProblem& problem, const CheckGradsOptions& options, Random& random,
             CheckGradsReport& report);

  void run();
  [[nodiscard]] std::vector<Shape> output_shapes() const;
  /// Norm of all values, or what it would naturally be.
  [[nodiscard]] double values_size() const { return point_.values_size(); }

 private:
  // The checks, in the order in which they are made; false once the report says what is wrong.
  bool inputs_are_finite();
  bool values_are_finite();
  bool values_repeat();
  bool take_gradients();
  bool gradients_are_finite(std::size_t output, const std::vector<Values>& gradients);
  bool check_input(std::size_t input);
  bool check_direction(std::size_t input, const Values& v, std::vector<double>& noticed);
  bool check_zero_cotangent();

  const CheckProblem& problem_;
  const CheckGradsOptions& options_;
  Random& random_;
  CheckGradsReport& report_;
  OrderPoint point_;
  FailureReport failure_;
};

}  // namespace xtgrad::v1::detail
