#include <fmt/format.h>

#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/windows_nd.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// Where the output divides a side the windows are pooling's, and neither overlap nor differ in size.

void check_adaptive(OpId op, const Tensor& x, const PerDirection& output) {
  check_floating(op, array_of(x));
  check_numbers(op, "output", output, 1);
  check_directions(op, x.shape(), output.count());
  const PerDirection sides(x.shape());
  for (std::size_t d = 0; d < output.count(); ++d) {
    if (sides[d] > 0 && sides[d] <= std::numeric_limits<std::int32_t>::max()) continue;
    throw ShapeError(fmt::format("{}: a side has {} elements: x is {}", to_string(op),
                                 sides[d] == 0 ? "no" : "more than 2^31 - 1", to_string(x.shape())));
  }
}

/// The windows' size along a side that they share evenly; 0 if they do not.
std::int64_t even_window(std::int64_t side, std::int64_t output) {
  return side % output == 0 ? side / output : 0;
}

/// The size of all windows, where each side is shared evenly; 0 elsewhere.
PerDirection even_windows(const Shape& x, const PerDirection& output) {
  PerDirection sizes = output;
  for (std::size_t d = 0; d < output.count(); ++d) sizes[d] = even_window(x[d + 2], output[d]);
  return sizes;
}
bool are_even(const PerDirection& windows) {
  for (std::size_t d = 0; d < windows.count(); ++d) {
    if (windows[d] == 0) return false;
  }
  return true;
}

Size2d size2d_of(const PerDirection& sizes) { return {sizes[0], sizes[1]}; }
Size3d size3d_of(const PerDirection& sizes) { return {sizes[0], sizes[1], sizes[2]}; }

Tensor pool_evenly(const Tensor& x, const PerDirection& kernel, bool largest) {
  if (kernel.count() == 1)
    return largest ? max_pool1d(x, {.kernel = kernel[0]}) : avg_pool1d(x, {.kernel = kernel[0]});
  if (kernel.count() == 2) {
    const Size2d size = size2d_of(kernel);
    return largest ? max_pool2d(x, {.kernel = size}) : avg_pool2d(x, {.kernel = size});
  }
  const Size3d size = size3d_of(kernel);
  return largest ? max_pool3d(x, {.kernel = size}) : avg_pool3d(x, {.kernel = size});
}

/// Means of windows along one side after the other, the fastest last: the mean of a box is that of its rows'
/// means.
Tensor adaptive_mean(OpId op, const Tensor& x, const PerDirection& output) {
  check_adaptive(op, x, output);
  const PerDirection even = even_windows(x.shape(), output);
  if (are_even(even)) return pool_evenly(x, even, false);
  Tensor y = x;
  for (std::size_t d = 0; d < output.count(); ++d) {
    if (even[d] == 1) continue;
    y = resample(y,
                 {.axis = static_cast<std::int64_t>(d) + 2, .size = output[d], .mode = Interpolation::area});
  }
  return y;
}

/// Windows of one size, behind each other along the axis; in the shorter ones the last element is repeated,
/// so that it is no other's rival. Takes the place of the windows' size.
Tensor side_by_side(const Tensor& x, std::int64_t axis, std::int64_t output, std::int64_t& window) {
  const std::int64_t size = x.size(axis);
  // The windows begin at floor(i size / output) and end before ceil((i + 1) size / output).
  const Tensor number = arange(output);
  const Tensor count = full({}, output, {.dtype = int64});
  const Tensor begin = floor_divide(number * size, count);
  const Tensor last = floor_divide(number * size + (size - 1), count);
  const std::int64_t rest = size % output;  // of which a window has at most one element more at each end
  window = size / output + (output % rest == 0 ? 1 : 2);
  const Tensor place = reshape(begin, {output, 1}) + arange(window);
  const Tensor index = minimum(place, reshape(last, {output, 1}));
  return index_select(x, axis, reshaped(index, {output * window}));
}

Tensor adaptive_largest(OpId op, const Tensor& x, const PerDirection& output) {
  check_adaptive(op, x, output);
  PerDirection windows = even_windows(x.shape(), output);
  Tensor y = x;
  for (std::size_t d = 0; d < output.count(); ++d) {
    if (windows[d] == 0) y = side_by_side(y, static_cast<std::int64_t>(d) + 2, output[d], windows[d]);
  }
  return pool_evenly(y, windows, true);
}

}}  // namespace detail

using detail::OpId;

Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output) {
  return detail::adaptive_mean(OpId::adaptive_avg_pool1d, x, output);
}
Tensor adaptive_avg_pool2d(const Tensor& x, const Size2d& output) {
  return detail::adaptive_mean(OpId::adaptive_avg_pool2d, x, output);
}
Tensor adaptive_avg_pool3d(const Tensor& x, const Size3d& output) {
  return detail::adaptive_mean(OpId::adaptive_avg_pool3d, x, output);
}
Tensor adaptive_max_pool1d(const Tensor& x, std::int64_t output) {
  return detail::adaptive_largest(OpId::adaptive_max_pool1d, x, output);
}
Tensor adaptive_max_pool2d(const Tensor& x, const Size2d& output) {
  return detail::adaptive_largest(OpId::adaptive_max_pool2d, x, output);
}
Tensor adaptive_max_pool3d(const Tensor& x, const Size3d& output) {
  return detail::adaptive_largest(OpId::adaptive_max_pool3d, x, output);
}

}  // namespace xtgrad::v1
