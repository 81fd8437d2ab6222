#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xtgrad::inline v1::detail {

/// Seed and position of a draw.
struct DrawStream {
  std::uint64_t seed;
  std::uint64_t position;
};

// Numbers from the draw's blocks `first`, `first + 1`, ... on lanes: those of `normal_from`, `unit_interval`
// and std::fma, bit by bit, whatever the processor.

/// Of each block, whether its number in [0, 1) is below p, which is in [0, 1].
void draw_bernoulli(const DrawStream& stream, std::uint64_t first, double p, std::span<bool> out);
/// low + width * u for the number in [0, 1) of each block, rounded once.
void draw_uniform(const DrawStream& stream, std::uint64_t first, double low, double width,
                  std::span<double> out);
/// One standard normal number of each block.
void draw_normal(const DrawStream& stream, std::uint64_t first, std::span<double> out);
void draw_normal(const DrawStream& stream, std::uint64_t first, std::span<float> out);

}  // namespace xtgrad::v1::detail
