#include "xtgrad/autograd/functions/padding.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/arrange.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/concat.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/slice.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// Each is its parts, joined: one pass over memory, as a kernel of its own would be, and on the way back the
// slices' gradients add to one sum.

/// The options checked, with an axis that counts from the front.
PadEdgeOptions checked(OpId op, const Tensor& x, const PadEdgeOptions& options, std::int64_t most,
                       std::string_view limit) {
  if (options.low < 0 || options.high < 0) {
    throw ValueError(
        fmt::format("{}: low and high must not be negative, got {} and {}; slice removes elements",
                    to_string(op), options.low, options.high));
  }
  const std::int64_t size = x.shape()[static_cast<std::size_t>(options.axis)];
  if (options.low <= most && options.high <= most) return options;
  throw ShapeError(
      fmt::format("{}: low and high must be {}: axis {} of {} has size {}, low is {}, high is {}",
                  to_string(op), limit, options.axis, to_string(x.shape()), size, options.low, options.high));
}

PadEdgeOptions from_front(OpId op, const Tensor& x, PadEdgeOptions options) {
  options.axis = static_cast<std::int64_t>(normalize_axis(to_string(op), options.axis, x.rank()));
  return options;
}

Tensor part(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  return sliced(x, {.axis = axis, .start = start, .stop = stop});
}

Tensor joined_around(const Tensor& x, const Tensor& before, const Tensor& after, std::int64_t axis) {
  std::vector<Tensor> parts;
  if (before.defined()) parts.push_back(before);
  parts.push_back(x);
  if (after.defined()) parts.push_back(after);
  return parts.size() == 1 ? alias(x) : concat(parts, axis);
}

}}  // namespace detail

using detail::OpId;

Tensor pad_reflect(const Tensor& x, const PadEdgeOptions& options) {
  const PadEdgeOptions to = detail::from_front(OpId::pad_reflect, x, options);
  const std::int64_t size = x.shape()[static_cast<std::size_t>(to.axis)];
  const auto [axis, low, high] =
      detail::checked(OpId::pad_reflect, x, to, size == 0 ? 0 : size - 1, "below the size of the axis");
  Tensor before, after;
  if (low > 0) before = flip(detail::part(x, axis, 1, 1 + low), axis);
  if (high > 0) after = flip(detail::part(x, axis, size - 1 - high, size - 1), axis);
  return detail::joined_around(x, before, after, axis);
}

Tensor pad_replicate(const Tensor& x, const PadEdgeOptions& options) {
  const PadEdgeOptions to = detail::from_front(OpId::pad_replicate, x, options);
  const std::int64_t size = x.shape()[static_cast<std::size_t>(to.axis)];
  const std::int64_t most = size == 0 ? 0 : std::numeric_limits<std::int64_t>::max();
  const auto [axis, low, high] =
      detail::checked(OpId::pad_replicate, x, to, most, "0 where there is nothing to replicate");
  Shape edge = x.shape();
  const auto stretched = [&, axis = axis](std::int64_t place, std::int64_t count) {
    edge[static_cast<std::size_t>(axis)] = count;
    return detail::stretched_to(detail::part(x, axis, place, place + 1), edge);
  };
  Tensor before, after;
  if (low > 0) before = stretched(0, low);
  if (high > 0) after = stretched(size - 1, high);
  return detail::joined_around(x, before, after, axis);
}

Tensor pad_circular(const Tensor& x, const PadEdgeOptions& options) {
  const PadEdgeOptions to = detail::from_front(OpId::pad_circular, x, options);
  const std::int64_t size = x.shape()[static_cast<std::size_t>(to.axis)];
  const auto [axis, low, high] =
      detail::checked(OpId::pad_circular, x, to, size, "at most the size of the axis");
  Tensor before, after;
  if (low > 0) before = detail::part(x, axis, size - low, size);
  if (high > 0) after = detail::part(x, axis, 0, high);
  return detail::joined_around(x, before, after, axis);
}

}  // namespace xtgrad::v1
