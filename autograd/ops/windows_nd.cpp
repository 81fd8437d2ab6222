#include "xtgrad/autograd/ops/windows_nd.h"

#include <fmt/format.h>

#include <limits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops/windows.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();

const char* dimensions(std::size_t directions) {
  return directions == 1 ? "[n, c, l]" : directions == 2 ? "[n, c, h, w]" : "[n, c, d, h, w]";
}

}  // namespace

PerDirection::PerDirection(const Shape& x) : count_(x.rank() - 2) {
  for (std::size_t d = 0; d < count_; ++d) numbers_[d] = x[d + 2];
}

std::string to_string(const PerDirection& numbers) {
  std::string text = std::to_string(numbers[0]);
  for (std::size_t d = 1; d < numbers.count(); ++d) text += "x" + std::to_string(numbers[d]);
  return text;
}

void check_directions(OpId op, const Shape& x, std::size_t directions, const char* name) {
  if (x.rank() == directions + 2) return;
  throw ShapeError(fmt::format("{}: {} needs {} dimensions {}: {} is {}", to_string(op), name, directions + 2,
                               dimensions(directions), name, to_string(x)));
}

void check_numbers(OpId op, const char* option, const PerDirection& numbers, std::int64_t least) {
  for (std::size_t d = 0; d < numbers.count(); ++d) {
    if (numbers[d] < least) {
      throw ValueError(fmt::format("{}: {} must be at least {}, got {}", to_string(op), option, least,
                                   to_string(numbers)));
    }
    if (numbers[d] > largest) {
      throw ValueError(
          fmt::format("{}: {} must be at most 2^31 - 1, got {}", to_string(op), option, to_string(numbers)));
    }
  }
}

void check_window(OpId op, const WindowNd& window) {
  bool is_absent = true;
  for (std::size_t d = 0; d < window.kernel.count(); ++d) is_absent = is_absent && window.kernel[d] == 0;
  if (is_absent) {
    throw ValueError(
        fmt::format("{}: the option kernel is required, such as {{.kernel = 2}}", to_string(op)));
  }
  check_numbers(op, "kernel", window.kernel, 1);
  check_numbers(op, "stride", window.stride, 1);
  check_numbers(op, "padding", window.padding, 0);
  check_numbers(op, "dilation", window.dilation, 1);
}

void check_pool_window(OpId op, const WindowNd& window) {
  check_window(op, window);
  for (std::size_t d = 0; d < window.kernel.count(); ++d) {
    if (window.padding[d] <= window.side(d).extent() / 2) continue;
    throw ValueError(fmt::format(
        "{}: padding must be at most half the window: padding {}, kernel {}, dilation {}", to_string(op),
        to_string(window.padding), to_string(window.kernel), to_string(window.dilation)));
  }
}

PerDirection places_of(OpId op, const Shape& x, const WindowNd& window, bool ceil_mode, EmptySides empty) {
  PerDirection counts = window.kernel;
  for (std::size_t d = 0; d < counts.count(); ++d) {
    if (x[d + 2] > largest) {
      throw ShapeError(fmt::format("{}: more than 2^31 - 1 elements in one direction: x is {}", to_string(op),
                                   to_string(x)));
    }
    if (x[d + 2] == 0 && empty == EmptySides::refused)
      throw ShapeError(fmt::format("{}: a side has no elements: x is {}", to_string(op), to_string(x)));
    counts[d] = places(x[d + 2], window.side(d), ceil_mode);
    if (counts[d] >= 1) continue;
    throw ShapeError(fmt::format("{}: the window does not fit: x is {}, kernel {}, dilation {}, padding {}",
                                 to_string(op), to_string(x), to_string(window.kernel),
                                 to_string(window.dilation), to_string(window.padding)));
  }
  return counts;
}

Shape with_sides(const Shape& x, const PerDirection& sides) {
  Shape shape{x[0], x[1]};
  for (std::size_t d = 0; d < sides.count(); ++d) shape.push_back(sides[d]);
  return shape;
}

}  // namespace xtgrad::v1::detail
