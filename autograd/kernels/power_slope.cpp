#include "xtgrad/autograd/kernels/power_slope.h"

#include <cmath>
#include <limits>

namespace xtgrad::inline v1::detail {
namespace {

/// R without the logarithm: what is left of it at x = 1.
double factor_without_log(PowerOrder order, double y) {
  const auto [n, m] = order;
  if (n == 0) return m == 0 ? 1 : 0;
  const double r = (y - (n - 1)) * factor_without_log({n - 1, m}, y);
  return m == 0 ? r : r + m * factor_without_log({n - 1, m - 1}, y);
}

/// R's sign where the logarithm is infinite, of the sign of `log_sign`.
double leading_sign(PowerOrder order, double y, double log_sign) {
  const auto sign = [](double v) { return v > 0 ? 1.0 : v < 0 ? -1.0 : 0.0; };
  const auto power = [log_sign](int m) { return m % 2 == 0 ? 1.0 : log_sign; };
  if (const double f = sign(factor_without_log({order.in_x, 0}, y)); f != 0) return f * power(order.in_y);
  return order.in_y == 0 ? 0 : sign(factor_without_log({order.in_x, 1}, y)) * power(order.in_y - 1);
}

bool is_odd(double v) { return !std::isfinite(v) || std::fmod(v, 2) != 0; }

}  // namespace

double power_slope_at_edge(PowerOrder order, double x, double y) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto [n, m] = order;
  if (std::isnan(y)) return y;
  // 0^0 and NaN^0 are constant in the base. So are the last derivatives of a polynomial.
  if (n > 0 && y == 0 && (x == 0 || std::isnan(x))) return 0;
  if (std::isnan(x))
    return m == 0 && (y == n || leading_sign(order, y, 1) == 0) ? factor_without_log(order, y) : x;
  const bool integer = std::floor(y) == y;
  if (x < 0 && m > 0) return std::numeric_limits<double>::quiet_NaN();
  const double a = std::abs(x);
  if (a == 1) return factor_without_log(order, y);
  const double lead = leading_sign(order, y, a > 1 ? 1 : -1);
  // The power at the edge is 0, 1 or infinite. Where it is 1 the logarithm's is left, but in the exponent's
  // own derivatives of 0^0, which are 0 as those of 0^y above it.
  if (y == n && (a == 0 || a == inf)) {
    if (m == 0) return factor_without_log(order, y);
    return n == 0 && a == 0 ? 0 : lead * inf;
  }
  const bool grows = (a > 1) == (y > n);
  if (!grows || lead == 0) return 0;
  // -0 counts as 0 beside the logarithm, whose power has no sign.
  const bool flips = m == 0 && std::signbit(x) && integer && is_odd(y) != is_odd(n);
  return flips ? -lead * inf : lead * inf;
}

}  // namespace xtgrad::v1::detail
