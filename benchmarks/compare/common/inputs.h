#pragma once

#include <cstdint>
#include <vector>

namespace bench {

// The inputs of every workload, in every engine: a formula of a stream's number and an element's index, so
// that C++ and Python (peers/inputs.py) compute the same bits without a file between them.

/// 24 random bits over 2^24: in [0, 1), and exact in float32. The finalizer of splitmix64 (Steele, Lea,
/// Flood, "Fast splittable pseudorandom number generators", 2014) of a counter.
inline double unit_number(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t z = ((stream << 40U) + index + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return static_cast<double>((z ^ (z >> 31U)) >> 40U) * 0x1p-24;
}

/// Uniform numbers in [low, high), rounded to float32 once.
inline std::vector<float> numbers(std::uint64_t stream, std::int64_t count, double low = -1,
                                  double high = 1) {
  std::vector<float> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<float>(low + (high - low) * unit_number(stream, i));
  return result;
}

/// Classes, or rows of a table: integers in [0, end).
inline std::vector<std::int64_t> integers(std::uint64_t stream, std::int64_t count, std::int64_t end) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<std::int64_t>(unit_number(stream, i) * static_cast<double>(end));
  return result;
}

}  // namespace bench
