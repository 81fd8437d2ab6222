#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/kernels/window.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/size3d.h"

namespace xtgrad::inline v1::detail {

// What operations on signals, images and volumes check, in any number of directions, of what is made of
// operations on images: so that a message names what was called, and its own sizes.

/// A number for each of one to three directions, the slowest first.
class PerDirection {
 public:
  PerDirection(std::int64_t length) : count_(1), numbers_{length} {}  // NOLINT: sizes are sizes
  PerDirection(const Size2d& size) : count_(2), numbers_{size.height, size.width} {}  // NOLINT
  PerDirection(const Size3d& size)                                                    // NOLINT
      : count_(3), numbers_{size.depth, size.height, size.width} {}
  /// The sizes of x [n, c, ...] but for the first two.
  explicit PerDirection(const Shape& x);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::int64_t operator[](std::size_t d) const { return numbers_[d]; }
  [[nodiscard]] std::int64_t& operator[](std::size_t d) { return numbers_[d]; }

 private:
  std::size_t count_;
  std::array<std::int64_t, 3> numbers_{};
};
/// "3", "3x5", "1x3x5".
[[nodiscard]] std::string to_string(const PerDirection& numbers);

/// A window as Window, in any number of directions.
struct WindowNd {
  PerDirection kernel, stride, padding, dilation;

  [[nodiscard]] WindowSide side(std::size_t d) const {
    return {kernel[d], stride[d], padding[d], dilation[d]};
  }
};

/// Throws ShapeError unless `x`, called so in the message, is [n, c, l], [n, c, h, w] or [n, c, d, h, w].
void check_directions(OpId op, const Shape& x, std::size_t directions, const char* name = "x");

/// Throws ValueError that names the option unless each number is at least `least` and at most 2^31 - 1.
void check_numbers(OpId op, const char* option, const PerDirection& numbers, std::int64_t least);

/// As check_window: throws ValueError that names the option.
void check_window(OpId op, const WindowNd& window);

/// As check_window, of pooling: padding is at most half the window.
void check_pool_window(OpId op, const WindowNd& window);

enum class EmptySides { refused, padded };
/// How many places the window has in each direction of x [n, c, ...]. Throws ShapeError where it does not fit
/// even once, and for a side without elements unless its padding may have places.
[[nodiscard]] PerDirection places_of(OpId op, const Shape& x, const WindowNd& window, bool ceil_mode,
                                     EmptySides empty);

/// [n, c, ...] with these sides.
[[nodiscard]] Shape with_sides(const Shape& x, const PerDirection& sides);

}  // namespace xtgrad::v1::detail
