#include "xtgrad/autograd/kernels/levels/draw.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/kernels/levels/lanes.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

using Real = Lane<double>;
using Bits = LaneBits<double>;
using Words = Bits::Batch;
constexpr std::size_t lanes = Real::width;
/// Blocks at a time: what they become on the way stays in the first-level cache.
constexpr std::size_t chunk = 256;
static_assert(chunk % (2 * lanes) == 0);

using Halves = std::array<std::uint64_t, chunk>;

/// Philox4x32-10, one block a lane, as `philox` in core/philox.h has it. A word is the lower half of its
/// lane; what the upper half has is never looked at.
class PhiloxLanes {
 public:
  PhiloxLanes(const DrawStream& stream, std::uint64_t first) {
    static constexpr auto numbers = [] {
      std::array<std::uint64_t, lanes> all{};
      for (std::size_t j = 0; j < lanes; ++j) all[j] = j;
      return all;
    }();
    x0_ = Words::load_unaligned(numbers.data()) + Words(first);
    x1_ = x0_ >> 32;
    x2_ = Words(stream.position);
    x3_ = Words(stream.position >> 32);
  }

  void round(std::uint64_t key0, std::uint64_t key1) {
    const Words product0 = product_of_low_halves(x0_, Words(0xD2511F53));
    const Words product1 = product_of_low_halves(x2_, Words(0xCD9E8D57));
    x0_ = (product1 >> 32) ^ x1_ ^ Words(key0);
    x1_ = product1;
    x2_ = (product0 >> 32) ^ x3_ ^ Words(key1);
    x3_ = product0;
  }

  [[nodiscard]] Words low() const { return joined(x0_, x1_); }
  [[nodiscard]] Words high() const { return joined(x2_, x3_); }

 private:
  static Words joined(Words low, Words high) { return (low & Words(0xffffffff)) | (high << 32); }

  Words x0_, x1_, x2_, x3_;
};

/// The halves of the blocks from `first` on, the second ones where `Both`; a block at a time would wait for
/// its multiplications.
template <bool Both>
void draw_halves(const DrawStream& stream, std::uint64_t first, std::size_t count, Halves& low,
                 [[maybe_unused]] Halves* high) {
  constexpr std::size_t rounds = 10;
  std::array<std::uint64_t, 2 * rounds>
      keys;  // in memory, from where they are repeated in a register for nothing
  auto key0 = static_cast<std::uint32_t>(stream.seed), key1 = static_cast<std::uint32_t>(stream.seed >> 32);
  for (std::size_t round = 0; round < rounds; ++round) {
    keys[2 * round] = key0;
    keys[2 * round + 1] = key1;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  for (std::size_t i = 0; i < count; i += 2 * lanes) {
    PhiloxLanes a(stream, first + i), b(stream, first + i + lanes);
    for (std::size_t round = 0; round < rounds; ++round) {
      a.round(keys[2 * round], keys[2 * round + 1]);
      b.round(keys[2 * round], keys[2 * round + 1]);
    }
    a.low().store_unaligned(&low[i]);
    b.low().store_unaligned(&low[i + lanes]);
    if constexpr (Both) {
      a.high().store_unaligned(&(*high)[i]);
      b.high().store_unaligned(&(*high)[i + lanes]);
    }
  }
}

/// Integers up to 2^53 as doubles, exactly: the halves in the digits of 2^84 and 2^52.
Real to_real(Words x) {
  const Real high = Bits::to_lane((x >> 32) | Words(0x4530000000000000));
  const Real low = Bits::to_lane((x & Words(0xffffffff)) | Words(0x4330000000000000));
  return (high - 0x1.00000001p84) + low;
}

/// As `unit_interval`.
Real unit_interval(Words bits) { return to_real(bits >> 11) * 0x1p-53; }

// The two below are polynomials through Chebyshev's points.

/// -2 log(n / 2^53) for integers from 1 to 2^53, to 2^-44 of it.
Real minus_two_log(Real n) {
  constexpr int mantissa = Bits::mantissa;
  const Words sqrt_half(std::bit_cast<std::uint64_t>(0.70710678118654752));
  // n = 2^k m, m in [sqrt(1/2), sqrt(2)); n is a normal number, and k at least 0
  const Words k = (Bits::of(n) - sqrt_half) >> mantissa;
  const Real m = Bits::to_lane(Bits::of(n) - (k << mantissa));
  const Real exponent = Bits::to_lane(k | Words(0x4330000000000000)) - (0x1p52 + 53);
  const Real s = (m - 1) / (m + 1);
  const Real series =
      polynomial(s * s, -3.9999999999998943761, -1.3333333335915851734, -0.79999989783660601333,
                 -0.57144332292204640549, -0.443484998003434421, -0.39216191578836544722);
  return fma(exponent, Real::fill(-2 * std::numbers::ln2), s * series);
}

/// cos(2 pi u) for u in [0, 1), to 2^-40.
Real cos_of_turns(Real u) {
  const Real shifted = 2 * u + Bits::shifter;
  const Real v = u - 0.5 * (shifted - Bits::shifter);  // in [-1/4, 1/4], exact
  const Real cosine = polynomial(v * v, 0.9999999999992479627, -19.739208800999398081, 64.939393720599001955,
                                 -85.456788176740477012, 60.243311766454067985, -26.394948021571439694,
                                 7.5365967350554794574);
  // An odd number of half turns changes the sign.
  return Bits::to_lane(Bits::of(cosine) ^ (Bits::of(shifted) << 63));
}

/// True for lanes that a float has no one answer for: somewhere between y - error and y + error it rounds
/// otherwise.
Words rounds_two_ways(Real y, Real error) {
  constexpr int dropped = 29;  // of a double's digits, in a float
  const Words half(std::uint64_t{1} << (dropped - 1));
  return ((Bits::of(y - error) + half) ^ (Bits::of(y + error) + half)) >> dropped;
}

template <class T>
void draw_uniform(const DrawStream& stream, std::uint64_t first, const DrawRange& range, T largest,
                  std::span<T> out) {
  const auto [low, width] = range;
  int exponent = 0;
  const bool is_power = std::frexp(width, &exponent) == 0.5;  // the product then is exact
  const bool on_lanes = fma_rounds_once || (is_power && exponent > -900);
  Halves bits;
  std::array<double, chunk> numbers;
  for (std::size_t i = 0; i < out.size(); i += chunk) {
    const std::size_t count = std::min(chunk, out.size() - i);
    draw_halves<false>(stream, first + i, count, bits, nullptr);
    for (std::size_t j = 0; j < count; j += lanes) {
      const Real u = unit_interval(Words::load_unaligned(&bits[j]));
      (on_lanes ? fma(Real(width), u, Real(low)) : u).store(&numbers[j]);
    }
    for (std::size_t j = 0; j < count && !on_lanes; ++j) numbers[j] = std::fma(width, numbers[j], low);
    T* const to = out.data() + i;
    for (std::size_t j = 0; j < count; ++j) {
      const T number = static_cast<T>(numbers[j]);
      to[j] = number < largest ? number : largest;
    }
  }
}

}  // namespace

void draw_bernoulli(const DrawStream& stream, std::uint64_t first, double p, std::span<bool> out) {
  // The number is an integer divided by 2^53, so integers are compared.
  const auto below = static_cast<std::uint64_t>(std::ceil(p * 0x1p53));
  Halves bits;
  for (std::size_t i = 0; i < out.size(); i += chunk) {
    const std::size_t count = std::min(chunk, out.size() - i);
    draw_halves<false>(stream, first + i, count, bits, nullptr);
    bool* const to = out.data() + i;
    for (std::size_t j = 0; j < count; ++j) to[j] = bits[j] >> 11 < below;
  }
}

void draw_uniform_float32(const DrawStream& stream, std::uint64_t first, const DrawRange& range,
                          float largest, std::span<float> out) {
  draw_uniform(stream, first, range, largest, out);
}
void draw_uniform_float64(const DrawStream& stream, std::uint64_t first, const DrawRange& range,
                          double largest, std::span<double> out) {
  draw_uniform(stream, first, range, largest, out);
}

void draw_normal_float64(const DrawStream& stream, std::uint64_t first, std::span<double> out) {
  Halves low, high;
  for (std::size_t i = 0; i < out.size(); i += chunk) {
    const std::size_t count = std::min(chunk, out.size() - i);
    draw_halves<true>(stream, first + i, count, low, &high);
    for (std::size_t j = 0; j < count; ++j) out[i + j] = normal_from({low[j], high[j]});
  }
}

// A float has 29 digits less than what `normal_from` rounds to it. So all but one in some thousands are known
// from fewer digits than a double has; the rest are computed as that one computes them.
void draw_normal_float32(const DrawStream& stream, std::uint64_t first, std::span<float> out) {
  constexpr double error = 0x1p-38;  // of the radius: what is rough here and what that one rounds, four times
  Halves low, high, unsure;
  std::array<double, chunk> numbers;
  for (std::size_t i = 0; i < out.size(); i += chunk) {
    const std::size_t count = std::min(chunk, out.size() - i);
    draw_halves<true>(stream, first + i, count, low, &high);
    Words any(0);
    for (std::size_t j = 0; j < count; j += lanes) {
      const Real n = to_real((Words::load_unaligned(&low[j]) >> 11) + Words(1));
      const Real radius = sqrt(minus_two_log(n));
      const Real y = radius * cos_of_turns(unit_interval(Words::load_unaligned(&high[j])));
      y.store(&numbers[j]);
      const Words two_ways = rounds_two_ways(y, radius * error);
      two_ways.store_unaligned(&unsure[j]);
      any = any | two_ways;
    }
    float* to = out.data() + i;
    for (std::size_t j = 0; j < count; ++j) to[j] = static_cast<float>(numbers[j]);
    if (is_zero(any)) continue;
    for (std::size_t j = 0; j < count; ++j) {
      if (unsure[j] != 0) to[j] = static_cast<float>(normal_from({low[j], high[j]}));
    }
  }
}

}  // namespace xtgrad::v1::detail
