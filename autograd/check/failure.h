#pragma once

#include <cstddef>
#include <string>

#include "xtgrad/autograd/check/order_point.h"

namespace xtgrad::inline v1::detail {

/// The number for a message: every NaN as "nan", for its sign means nothing.
double printable(double x);

/// Writes what was found wrong at one order into the report, down to the element. What returns a bool returns
/// false, for whoever ends a check by it.
class FailureReport {
 public:
  FailureReport(const OrderPoint& point, CheckGradsReport& report) : point_(point), report_(report) {}

  bool fail(CheckGradsReport::Result result, const std::string& what);
  bool wrong(const ComparedPlace& where, const BlockDerivative& derivative, const Comparison& found);
  bool irregular(std::size_t input, const Values& v, std::size_t output, const Irregularity& found);
  bool inconclusive(std::size_t input, std::size_t output, double noticed);

  void set_output_place(std::size_t output, std::size_t element);
  void set_input_place(std::size_t input, std::size_t element);
  [[nodiscard]] std::string output_place() const;
  [[nodiscard]] std::string input_place() const;

 private:
  const OrderPoint& point_;
  CheckGradsReport& report_;
};

}  // namespace xtgrad::v1::detail
