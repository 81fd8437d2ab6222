// A fuzzer's bytes as a row of choices, for targets whose input is no file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace fuzz {

/// Each choice takes a byte; where none is left, the first answer is chosen.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  bool flag() { return (byte() & 1) != 0; }
  /// One of the numbers below `count`.
  std::size_t below(std::size_t count) { return byte() % count; }
  template <class T, std::size_t n>
  T among(const std::array<T, n>& all) {
    return all[below(n)];
  }

  /// Mostly a small one; now and then one at an end of the range, where sums and products overflow.
  std::int64_t integer() {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::array<std::int64_t, 8> extremes{most,     -most - 1, most - 1,  -most,
                                                   most / 2, -most / 2, most / 16, 1LL << 61};
    const std::uint8_t choice = byte();
    if (choice >= 248) return extremes[choice - 248U];
    return static_cast<std::int64_t>(choice % 16) - 4;  // -4 to 11
  }

  /// Mostly an ordinary one; the others are where functions have their ends, holes and kinks.
  double number() {
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr std::array<double, 16> special{0,
                                             -0.0,
                                             1,
                                             -1,
                                             inf,
                                             -inf,
                                             std::numeric_limits<double>::quiet_NaN(),
                                             0.5,
                                             1e300,
                                             -1e38,
                                             1e-310,
                                             1e-40,
                                             20,
                                             std::numeric_limits<double>::max(),
                                             700,
                                             -9.2233720368547758e18};
    const std::uint8_t choice = byte();
    if (choice < 64) return special[choice % 16];
    return (static_cast<double>(choice) - 160) / 16;  // -6 to 5.9375
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// A shape of few elements, often with a side of 0 or 1.
inline xtgrad::Shape small_shape(Choices& choices, std::size_t most_rank = 4) {
  xtgrad::Shape shape;
  const std::size_t rank = choices.below(most_rank + 1);
  for (std::size_t i = 0; i < rank; ++i) {
    shape.push_back(static_cast<std::int64_t>(choices.below(5)));
  }
  return shape;
}

}  // namespace fuzz
