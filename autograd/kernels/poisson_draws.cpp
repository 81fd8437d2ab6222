#include "xtgrad/autograd/kernels/poisson_draws.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The first k that the sum of probabilities up to k reaches the uniform number at.
double draw_by_sums(double rate, double uniform) {
  double term = std::exp(-rate), sum = term, k = 0;
  while (uniform >= sum) {
    ++k;
    term *= rate / k;
    if (sum + term == sum) break;  // the numbers have no more digits
    sum += term;
  }
  return k;
}

/// log(rate^k e^-rate / k!), without the difference of terms as large as k log(rate).
double log_probability(double rate, double k) {
  if (k < 10) {
    double product = 1;
    for (double i = 2; i <= k; ++i) product *= i;
    return k * std::log(rate) - rate - std::log(product);
  }
  const double w = (rate - k) / k, inverse = 1 / k, square = inverse * inverse;
  const double stirling = inverse * (1.0 / 12 - square * (1.0 / 360 - square / 1260));
  return k * (std::log1p(w) - w) - 0.5 * std::log(2 * std::numbers::pi * k) - stirling;
}

/// PTRS of Hoermann, "The transformed rejection method for generating Poisson random variables", 1993, for
/// rates from 10 on. Nine in ten attempts are taken; 64 refusals have a chance of 1e-40 at most.
double draw_by_rejection(double rate, const DrawStream& stream, std::uint64_t element) {
  const double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), squeeze = 0.9277 - 3.6224 / (b - 2);
  constexpr std::uint64_t attempts = 64;
  for (std::uint64_t attempt = 0; attempt < attempts; ++attempt) {
    const RandomBits bits = random_bits(stream.seed, stream.position, element + (attempt << 48));
    const double u = unit_interval(bits.low) - 0.5, v = unit_interval(bits.high);
    const double left = 0.5 - std::abs(u);
    if (left == 0) continue;
    const double k = std::floor((2 * a / left + b) * u + rate + 0.43);
    if (left >= 0.07 && v <= squeeze) return k;
    if (k < 0 || v == 0 || (left < 0.013 && v > left)) continue;
    if (std::log(v * inverse_alpha / (a / (left * left) + b)) <= log_probability(rate, k)) return k;
  }
  return std::floor(rate);
}

}  // namespace

void draw_poisson(const DrawStream& stream, const Array& rate, Array& out) {
  visit_floating(rate.dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr std::int64_t tile_size = 1 << 12;
    const std::int64_t n = rate.numel();
    const T* const rates = rate.data<T>();
    T* const to = out.mutable_data<T>();
    for_each_tile((n + tile_size - 1) / tile_size, [&](std::int64_t tile) {
      const std::int64_t end = std::min(n, (tile + 1) * tile_size);
      for (std::int64_t i = tile * tile_size; i < end; ++i) {
        const auto mean = static_cast<double>(rates[i]);
        const auto element = static_cast<std::uint64_t>(i);
        to[i] = static_cast<T>(
            mean < 10
                ? draw_by_sums(mean, unit_interval(random_bits(stream.seed, stream.position, element).low))
                : draw_by_rejection(mean, stream, element));
      }
    });
  });
}

}  // namespace xtgrad::v1::detail
