#include "xtgrad/autograd/kernels/gamma_draws.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::uint64_t block_of(std::uint64_t element, std::uint64_t purpose) {
  return element + (purpose << 48);
}

/// A power of a normal number, scaled, that is taken or refused: Marsaglia and Tsang, "A simple method for
/// generating gamma variables", 2000.
class Candidates {
 public:
  explicit Candidates(double alpha) : d_(alpha - 1.0 / 3), c_(1 / std::sqrt(9 * d_)) {}

  /// The draw, or 0 for a refusal.
  [[nodiscard]] double from(double normal, double uniform) const {
    const double cube_root = c_ * normal;
    if (cube_root <= -1) return 0;
    const double w = cube_root * (3 + cube_root * (3 + cube_root));  // (1 + c x)^3 - 1
    const double square = normal * normal;
    if (uniform >= 1 - 0.0331 * square * square &&
        !(std::log(uniform) < 0.5 * square + d_ * (std::log1p(w) - w))) {
      return 0;
    }
    return d_ * (1 + w);
  }
  [[nodiscard]] double typical() const { return d_; }

 private:
  double d_, c_;
};

/// What follows a refusal, which one in twenty meets at most: 64 in a row have a chance of 1e-83.
double draw_on(const DrawStream& stream, std::uint64_t element, const Candidates& candidates) {
  constexpr std::uint64_t attempts = 64;
  for (std::uint64_t k = 1; k < attempts; ++k) {
    const double normal =
        normal_from(random_bits(stream.seed, stream.position, block_of(element, 2 * k + 1)));
    const double uniform =
        unit_interval(random_bits(stream.seed, stream.position, block_of(element, 2 * k + 2)).low);
    const double drawn = candidates.from(normal, uniform);
    if (drawn > 0) return drawn;
  }
  return candidates.typical();
}

/// The draw of alpha + 1 and log(u) / alpha, by the sum of whose logarithms an alpha below 1 is drawn.
double log_of_power(const DrawStream& stream, std::uint64_t element, double alpha) {
  const std::uint64_t bits = random_bits(stream.seed, stream.position, block_of(element, 0)).low;
  return std::log(static_cast<double>((bits >> 11) + 1) * 0x1p-53) / alpha;
}

template <class T>
void draw_part(const DrawStream& stream, std::uint64_t first, std::span<const T> alpha, bool log_space,
               T* out) {
  constexpr std::size_t chunk = 256;
  std::array<double, chunk> normals, uniforms;
  for (std::size_t begin = 0; begin < alpha.size(); begin += chunk) {
    const std::size_t count = std::min(chunk, alpha.size() - begin);
    const std::uint64_t block = first + begin;
    draw_normal_float64(stream, block_of(block, 1), std::span(normals.data(), count));
    draw_uniform_float64(stream, block_of(block, 2), {.low = 0, .width = 1}, 1,
                         std::span(uniforms.data(), count));
    for (std::size_t i = 0; i < count; ++i) {
      const auto a = static_cast<double>(alpha[begin + i]);
      const Candidates candidates(a < 1 ? a + 1 : a);
      double drawn = candidates.from(normals[i], uniforms[i]);
      if (!(drawn > 0)) drawn = draw_on(stream, block + i, candidates);
      const double log_power = a < 1 ? log_of_power(stream, block + i, a) : 0;
      if (log_space) {
        out[begin + i] = static_cast<T>(std::log(drawn) + log_power);
      } else {
        if (a < 1) drawn *= std::exp(log_power);
        out[begin + i] = std::max(static_cast<T>(drawn), std::numeric_limits<T>::min());
      }
    }
  }
}

}  // namespace

void draw_gamma(const DrawStream& stream, const Array& alpha, bool log_space, Array& out) {
  visit_floating(alpha.dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr std::int64_t tile_size = 1 << 12;
    const std::int64_t n = alpha.numel();
    const T* const from = alpha.data<T>();
    T* const to = out.mutable_data<T>();
    for_each_tile((n + tile_size - 1) / tile_size, [&](std::int64_t tile) {
      const std::int64_t first = tile * tile_size;
      const auto size = static_cast<std::size_t>(std::min(tile_size, n - first));
      draw_part(stream, static_cast<std::uint64_t>(first), std::span<const T>(from + first, size), log_space,
                to + first);
    });
  });
}

}  // namespace xtgrad::v1::detail
