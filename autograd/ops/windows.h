#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/kernels/window.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/size2d.h"

namespace xtgrad::inline v1::detail {

// What convolution, pooling and unfolding check of their windows, and how many places these have.

/// Places of a window on a side of `size` elements, 0 if it does not fit once. In ceil mode a last window may
/// hang over the end of the padding, if it starts inside the side or its padding before it. For a window that
/// `check_window` has passed.
[[nodiscard]] std::int64_t places(std::int64_t size, const WindowSide& side, bool ceil_mode = false);

/// Throws ValueError that names the option unless kernel, stride and dilation are at least 1 and padding is
/// not negative; none may pass 2^31 - 1, so that sums and products of them fit int64.
void check_window(OpId op, const Window& window);

/// Throws ShapeError unless `x`, called so in the message, is [n, c, h, w].
void check_image(OpId op, const Shape& x, const char* name = "x");

/// Throws ValueError if a size is negative.
void check_image_size(OpId op, const Size2d& size, const char* name);

/// Places of a window on the image x [n, c, h, w]: the output's height and width. Makes the checks above, and
/// throws ShapeError for an image without rows or columns, or where the window does not fit even once.
[[nodiscard]] Size2d output_size(OpId op, const Shape& x, const Window& window, bool ceil_mode = false,
                                 const char* name = "x");

/// The same, but an image without rows or columns has the places that its padding has.
[[nodiscard]] Size2d padded_output_size(OpId op, const Shape& x, const Window& window, bool ceil_mode = false,
                                        const char* name = "x");

/// The same window as the kernels take it, on the planes of x [n, c, h, w].
[[nodiscard]] WindowedPlanes windowed_planes(const Shape& x, const Size2d& places, const Window& window);

/// The product of two sizes; throws ShapeError that names the operation and x if int64 cannot hold it.
[[nodiscard]] std::int64_t checked_product(OpId op, const Shape& x, std::int64_t a, std::int64_t b);

}  // namespace xtgrad::v1::detail
