#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/scalar.h"

namespace xtgrad::edges {

using testing::infinity;
using testing::not_a_number;
using testing::Real;

inline constexpr std::int64_t odd = (std::int64_t{1} << 53) + 1;  // what a double rounds to 2^53
inline constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// A C++ number, and the same in the widest type.
struct Number {
  Scalar scalar;
  Real value;
};

/// Around the ends of every dtype, whole and not, in every kind of C++ type.
inline std::vector<Number> edge_numbers() {
  constexpr auto unsigned_most = std::numeric_limits<std::uint64_t>::max();
  return {{0, 0},
          {true, 1},
          {1.0F, 1},
          {2, 2},
          {-1, -1},
          {std::uint8_t{255}, 255},
          {256.0, 256},
          {std::numeric_limits<std::int32_t>::max(), 0x1p31L - 1},
          {0x1p31, 0x1p31L},
          {std::numeric_limits<std::int32_t>::min(), -0x1p31L},
          {std::int64_t{1} << 40, 0x1p40L},
          {odd, 0x1p53L + 1},
          {most, 0x1p63L - 1},
          {least, -0x1p63L},
          {-0x1p63, -0x1p63L},
          {0x1p63, 0x1p63L},
          {unsigned_most, 0x1p64L},
          {0.5, 0.5L},
          {-0.25L, -0.25L},
          {3e38, 3e38L},
          {0x1.fffffefffffffp+127, 0x1.fffffefffffffp+127L},
          {0x1.ffffffp+127, 0x1.ffffffp+127L},
          {1e300, 1e300},
          {-1e300, -1e300},
          {infinity, infinity},
          {-infinity, -infinity},
          {not_a_number, not_a_number}};
}

/// An int64 vector, and its elements again: no double is in between.
inline Tensor integers(std::initializer_list<std::int64_t> elements) {
  return from_vector(std::vector<std::int64_t>(elements));
}

inline std::vector<std::int64_t> exact(const Tensor& x) {
  const auto data = x.data<std::int64_t>();
  return {data.begin(), data.end()};
}

}  // namespace xtgrad::edges
