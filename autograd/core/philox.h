#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace xtgrad::inline v1::detail {

/// Philox4x32-10 on `Width` neighbouring blocks at once, word by word, so that its rounds become SIMD code.
/// The counter is (index, position), the key is the seed, each low word first; `words[k][j]` is word k of
/// block `first + j`. Constants and rounds: Salmon et al., SC 2011, section 3.3.
template <std::size_t Width>
inline void philox(std::uint64_t seed, std::uint64_t position, std::uint64_t first,
                   std::array<std::array<std::uint32_t, Width>, 4>& words) {
  constexpr std::uint64_t multiplier0 = 0xD2511F53;
  constexpr std::uint64_t multiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t weyl0 = 0x9E3779B9;  // golden ratio
  constexpr std::uint32_t weyl1 = 0xBB67AE85;  // sqrt(3) - 1
  for (std::size_t j = 0; j < Width; ++j) {
    const std::uint64_t index = first + j;
    words[0][j] = static_cast<std::uint32_t>(index);
    words[1][j] = static_cast<std::uint32_t>(index >> 32);
    words[2][j] = static_cast<std::uint32_t>(position);
    words[3][j] = static_cast<std::uint32_t>(position >> 32);
  }
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t j = 0; j < Width; ++j) {
      const std::uint64_t product0 = multiplier0 * words[0][j];
      const std::uint64_t product1 = multiplier1 * words[2][j];
      words[0][j] = static_cast<std::uint32_t>(product1 >> 32) ^ words[1][j] ^ key0;
      words[1][j] = static_cast<std::uint32_t>(product1);
      words[2][j] = static_cast<std::uint32_t>(product0 >> 32) ^ words[3][j] ^ key1;
      words[3][j] = static_cast<std::uint32_t>(product0);
    }
    key0 += weyl0;
    key1 += weyl1;
  }
}

/// A block's two 64-bit halves.
struct RandomBits {
  std::uint64_t low, high;
};

inline RandomBits random_bits(std::uint64_t seed, std::uint64_t position, std::uint64_t index) {
  std::array<std::array<std::uint32_t, 1>, 4> words;
  philox<1>(seed, position, index, words);
  return {words[0][0] | std::uint64_t{words[1][0]} << 32, words[2][0] | std::uint64_t{words[3][0]} << 32};
}

/// The 53 leading bits as a number in [0, 1).
inline double unit_interval(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// Box and Muller's transform of a block: one standard normal number.
double normal_from(RandomBits bits);

/// A number in [0, n), n > 0, without bias, from the block `index`; the rare draw that would favour some
/// numbers is replaced by the block `stride` further on. Lemire, "Fast random integer generation in an
/// interval", 2019.
std::uint64_t random_below(std::uint64_t n, std::uint64_t seed, std::uint64_t position, std::uint64_t index,
                           std::uint64_t stride);

}  // namespace xtgrad::v1::detail
