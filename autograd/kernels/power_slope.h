// What the derivatives of x^y are where no lane need know: at 0, infinity and NaN.
#pragma once

namespace xtgrad::inline v1::detail {

/// Which derivative of x^y: `in_x` times in x, `in_y` times in y. It is x^(y - in_x) R(y, log x), where R is
/// a polynomial: y in the first of x, log x in the first of y, 1 + y log x in the mixed one.
struct PowerOrder {
  int in_x = 0, in_y = 0;
};

/// Of 0, infinity, NaN and endless exponents: limits, and the conventions of pow where there is none.
double power_slope_at_edge(PowerOrder order, double x, double y);

}  // namespace xtgrad::v1::detail
