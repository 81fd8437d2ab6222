#include "xtgrad/autograd/kernels/levels/moments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/levels/pairwise_sums.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Elements that one unit of work reads.
constexpr std::int64_t unit_elements = 1 << 15;

/// Calls `body(row)` for all rows, on several threads where there is much to read.
template <class F>
void for_each_of(std::int64_t rows, std::int64_t width, F&& body) {
  const std::int64_t per_tile = std::max<std::int64_t>(1, unit_elements / std::max<std::int64_t>(1, width));
  for_each_tile((rows + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(rows, (tile + 1) * per_tile);
    for (std::int64_t row = tile * per_tile; row < last; ++row) body(row);
  });
}

/// The squares of what differs from the mean, of a row multiplied by a power of two.
double scaled_squares(const double* x, std::int64_t n, double scale) {
  const double about =
      sums_of<1>(n, [=](std::int64_t i) { return std::array{x[i] * scale}; })[0] / static_cast<double>(n);
  const auto [rest, squares] = sums_of<2>(n, [=](std::int64_t i) {
    const double d = x[i] * scale - about;
    return std::array{d, d * d};
  });
  return squares - rest * (rest / static_cast<double>(n));
}

/// The variance of a row whose squares have left the range of double, or have digits below it. Or its root.
double scaled_variance(const double* x, std::int64_t n, double divisor, double squares, bool root) {
  const auto all_of_row = [=](auto holds) { return std::all_of(x, x + n, holds); };
  if (!all_of_row([](double v) { return std::isfinite(v); })) return std::numeric_limits<double>::quiet_NaN();
  double scale = 1;
  if (!(squares < 1)) {
    scale = 0x1p-560;
  } else if (all_of_row([](double v) { return std::abs(v) < 0x1p-400; })) {
    scale = 0x1p560;
  }
  const double variance = scaled_squares(x, n, scale) / divisor;
  return root ? std::sqrt(variance) / scale : variance / scale / scale;
}

template <class T>
double variance(const T* x, std::int64_t n, double divisor, bool root) {
  const double squares = moments_of(x, n).squares;
  if constexpr (std::is_same_v<T, double>) {
    if (!(squares < 0x1p1000) || squares < 0x1p-900) [[unlikely]]
      return scaled_variance(x, n, divisor, squares, root);
  }
  return root ? std::sqrt(squares / divisor) : squares / divisor;
}

/// With exponents apart, so that no product of some of them leaves the range.
template <class T>
double product_of_parts(const T* x, std::int64_t n) {
  double mantissa = 1;
  std::int64_t exponent = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    int of_factor = 0, of_product = 0;
    mantissa = std::frexp(mantissa * std::frexp(static_cast<double>(x[i]), &of_factor), &of_product);
    if (mantissa == 0 || !std::isfinite(mantissa)) of_factor = of_product = 0;
    exponent += of_factor + of_product;
  }
  constexpr std::int64_t far = 4000;  // beyond any double
  return std::ldexp(mantissa, static_cast<int>(std::clamp(exponent, -far, far)));
}

template <class T>
T product(const T* x, std::int64_t n) {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  std::array<Wide, 8> lanes;
  lanes.fill(Wide(1));
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) lanes[k] *= static_cast<Wide>(x[i + static_cast<std::int64_t>(k)]);
  }
  for (std::size_t k = 0; i < n; ++i, ++k) lanes[k] *= static_cast<Wide>(x[i]);
  for (std::size_t half = 4; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) lanes[k] *= lanes[k + half];
  }
  if constexpr (std::is_floating_point_v<T>) {
    // A part of the product may have left the range, where the whole is in it. Also of a 0, which may be one.
    const auto is_moderate = [](double v) { return std::abs(v) > 0x1p-1000 && std::abs(v) < 0x1p1000; };
    if (!is_moderate(lanes[0])) [[unlikely]]
      return static_cast<T>(product_of_parts(x, n));
  }
  return static_cast<T>(lanes[0]);
}

}  // namespace

void variance_rows(const Array& x, std::int64_t rows, std::int64_t width, double divisor, bool root,
                   Array& out) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* const to = out.mutable_data<T>();
    if (width == 0) return static_cast<void>(std::fill_n(to, rows, std::numeric_limits<T>::quiet_NaN()));
    const T* const from = x.data<T>();
    for_each_of(rows, width, [=](std::int64_t row) {
      to[row] = static_cast<T>(variance(from + row * width, width, divisor, root));
    });
  });
}

void product_rows(const Array& x, std::int64_t rows, std::int64_t width, Array& out) {
  const auto run = [&](const auto* from, auto* to) {
    for_each_of(rows, width, [=](std::int64_t row) { to[row] = product(from + row * width, width); });
  };
  if (x.dtype == Dtype::int64) return run(x.data<std::uint64_t>(), out.mutable_data<std::uint64_t>());
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    run(x.data<T>(), out.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
