#include "xtgrad/autograd/core/philox.h"

#include <cmath>
#include <numbers>

namespace xtgrad::inline v1::detail {

double normal_from(RandomBits bits) {
  // In (0, 1] rather than [0, 1): the logarithm of 0 would be an infinite draw.
  const double u1 = static_cast<double>((bits.low >> 11) + 1) * 0x1p-53;
  const double u2 = unit_interval(bits.high);
  return std::sqrt(-2 * std::log(u1)) * std::cos(2 * std::numbers::pi * u2);
}

std::uint64_t random_below(std::uint64_t n, std::uint64_t seed, std::uint64_t position, std::uint64_t index,
                           std::uint64_t stride) {
  __extension__ using Wide = unsigned __int128;
  Wide product = Wide{random_bits(seed, position, index).low} * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t threshold = (0 - n) % n;  // 2^64 mod n
    while (static_cast<std::uint64_t>(product) < threshold) {
      index += stride;
      product = Wide{random_bits(seed, position, index).low} * n;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

}  // namespace xtgrad::v1::detail
