#include "xtgrad/autograd/ops/normalize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {

void check_eps(OpId op, double eps) {
  if (eps >= 0 && eps < std::numeric_limits<double>::infinity()) return;
  throw ValueError(fmt::format("{}: eps must be finite and not negative, got {}", to_string(op), eps));
}

std::int64_t rows_before(const Shape& x, const Shape& end) {
  if (x.numel() == 0) return 0;
  std::int64_t rows = 1;
  for (std::size_t d = 0; d < x.rank() - end.rank(); ++d) rows *= x[d];
  return rows;
}

Tensor inverse_deviation(const Tensor& deviation, const std::function<Tensor(const Tensor&)>& average,
                         const RunVariances& runs) {
  const std::int64_t count = runs.shape.numel();
  return visit_floating(deviation.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const double least = std::sqrt(static_cast<double>(std::numeric_limits<T>::min()));
    const bool is_safe = std::all_of(runs.variances, runs.variances + count,
                                     [&](double v) { return !(v + runs.eps < least) && !(v > 1 / least); });
    if (is_safe) return 1 / sqrt(average(square(deviation)) + runs.eps);
    Array factors = Array::uninitialized(runs.shape, deviation.dtype());
    Array rest = Array::uninitialized(runs.shape, deviation.dtype());
    for (std::int64_t i = 0; i < count; ++i) {
      const double sum = runs.variances[i] + runs.eps;
      constexpr int most = std::numeric_limits<T>::max_exponent - 1;
      const int exponent = sum > 0 && std::isfinite(sum) ? std::clamp(std::ilogb(sum) / 2, -most, most) : 0;
      factors.mutable_data<T>()[i] = static_cast<T>(std::ldexp(1, -exponent));
      rest.mutable_data<T>()[i] = static_cast<T>(away_from_zero<T>(std::ldexp(runs.eps, -2 * exponent)));
    }
    const Tensor factor = make_constant(std::move(factors));
    const Tensor share = average(square(deviation * factor)) + make_constant(std::move(rest));
    return 1 / sqrt(share) * factor;
  });
}

}  // namespace xtgrad::v1::detail
