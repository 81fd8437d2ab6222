#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

/// Seed and position of a draw.
struct DrawStream {
  std::uint64_t seed;
  std::uint64_t position;
};

struct DrawRange {
  double low;
  double width;
};

// Numbers from the draw's blocks `first`, `first + 1`, ... on lanes: those of `normal_from`, `unit_interval`
// and std::fma, bit by bit, whatever the processor.

XTGRAD_KERNELS_BEGIN

/// Of each block, whether its number in [0, 1) is below p, which is in [0, 1].
void draw_bernoulli(const DrawStream& stream, std::uint64_t first, double p, std::span<bool> out);
/// low + width * u for the number u in [0, 1) of each block, rounded once, and as a float32 once more; at
/// most `largest`.
void draw_uniform_float32(const DrawStream& stream, std::uint64_t first, const DrawRange& range,
                          float largest, std::span<float> out);
void draw_uniform_float64(const DrawStream& stream, std::uint64_t first, const DrawRange& range,
                          double largest, std::span<double> out);
/// One standard normal number of each block.
void draw_normal_float64(const DrawStream& stream, std::uint64_t first, std::span<double> out);
void draw_normal_float32(const DrawStream& stream, std::uint64_t first, std::span<float> out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(draw_bernoulli)
XTGRAD_KERNEL(draw_uniform_float32)
XTGRAD_KERNEL(draw_uniform_float64)
XTGRAD_KERNEL(draw_normal_float64)
XTGRAD_KERNEL(draw_normal_float32)

}  // namespace xtgrad::v1::detail
