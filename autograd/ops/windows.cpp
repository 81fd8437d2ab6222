#include "xtgrad/autograd/ops/windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::int64_t largest_option = std::numeric_limits<std::int32_t>::max();

void check_option(OpId op, const char* name, const Size2d& size, std::int64_t least) {
  if (size.height < least || size.width < least) {
    throw ValueError(
        fmt::format("{}: {} must be at least {}, got {}", to_string(op), name, least, to_string(size)));
  }
  if (size.height > largest_option || size.width > largest_option) {
    throw ValueError(
        fmt::format("{}: {} must be at most 2^31 - 1, got {}", to_string(op), name, to_string(size)));
  }
}

[[noreturn]] void throw_too_large(OpId op, const Shape& x) {
  throw ShapeError(
      fmt::format("{}: more than 2^63 - 1 elements in one dimension: x is {}", to_string(op), to_string(x)));
}

}  // namespace

std::int64_t places(std::int64_t size, const WindowSide& side, bool ceil_mode) {
  const std::int64_t room = size + 2 * side.padding - side.extent();
  // In ceil mode a part of a step counts as one; a window larger than the side may hang over, too.
  const std::int64_t reach = room + (ceil_mode ? side.stride - 1 : 0);
  if (reach < 0) return 0;
  const std::int64_t count = reach / side.stride + 1;
  const bool starts_past_end = ceil_mode && (count - 1) * side.stride >= size + side.padding;
  return starts_past_end ? count - 1 : count;
}

void check_window(OpId op, const Window& window) {
  if (window.kernel == Size2d(0)) {
    throw ValueError(
        fmt::format("{}: the option kernel is required, such as {{.kernel = 2}}", to_string(op)));
  }
  check_option(op, "kernel", window.kernel, 1);
  check_option(op, "stride", window.stride, 1);
  check_option(op, "padding", window.padding, 0);
  check_option(op, "dilation", window.dilation, 1);
}

void check_image(OpId op, const Shape& x, const char* name) {
  if (x.rank() == 4) return;
  throw ShapeError(fmt::format("{}: {} needs 4 dimensions [n, c, h, w]: {} is {}", to_string(op), name, name,
                               to_string(x)));
}

void check_image_size(OpId op, const Size2d& size, const char* name) {
  if (size.height >= 0 && size.width >= 0) return;
  throw ValueError(fmt::format("{}: {} must not be negative, got {}", to_string(op), name, to_string(size)));
}

Size2d output_size(OpId op, const Shape& x, const Window& window, bool ceil_mode, const char* name) {
  check_window(op, window);
  check_image(op, x, name);
  if (x[2] == 0 || x[3] == 0) {
    throw ShapeError(
        fmt::format("{}: the image has no rows or no columns: {} is {}", to_string(op), name, to_string(x)));
  }
  return padded_output_size(op, x, window, ceil_mode, name);
}

Size2d padded_output_size(OpId op, const Shape& x, const Window& window, bool ceil_mode, const char* name) {
  check_window(op, window);
  check_image(op, x, name);
  // Only an empty tensor has such sizes; without padding and stride they stay clear of int64's end.
  if (std::max(x[2], x[3]) > std::numeric_limits<std::int64_t>::max() - 4 * largest_option)
    throw_too_large(op, x);
  const Size2d size(places(x[2], window.rows(), ceil_mode), places(x[3], window.columns(), ceil_mode));
  if (size.height < 1 || size.width < 1) {
    throw ShapeError(fmt::format("{}: the window does not fit: {} is {}, kernel {}, dilation {}, padding {}",
                                 to_string(op), name, to_string(x), to_string(window.kernel),
                                 to_string(window.dilation), to_string(window.padding)));
  }
  return size;
}

WindowedPlanes windowed_planes(const Shape& x, const Size2d& places, const Window& window) {
  return {.planes = x[0] * x[1], .image = {x[2], x[3]}, .places = places, .window = window};
}

std::int64_t checked_product(OpId op, const Shape& x, std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw_too_large(op, x);
  return product;
}

}  // namespace xtgrad::v1::detail
