#include "xtgrad/autograd/assignment.h"

#include <fmt/format.h>

#include <string_view>
#include <type_traits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {

namespace {

void check_rebinds(std::string_view name, const Tensor& x) {
  if (!x.is_leaf() || !x.requires_grad()) return;
  throw GraphError(
      fmt::format("operator{}: x, of shape {}, is a leaf that wants a gradient, and the handle would be "
                  "that of another tensor, which gets none: give the result a handle of its own",
                  name, to_string(x.shape())));
}

/// The shape that x and y broadcast to must be x's.
void check_keeps_shape(std::string_view name, const Tensor& x, const Tensor& y) {
  if (x.shape() == y.shape() ||
      broadcast_shapes(fmt::format("operator{}", name), x.shape(), y.shape()) == x.shape())
    return;
  throw ShapeError(fmt::format("operator{}: y does not stretch to x's shape: x is {}, y is {}", name,
                               to_string(x.shape()), to_string(y.shape())));
}

template <class F, class Y>
Tensor& assign(std::string_view name, Tensor& x, const Y& y, F function) {
  check_rebinds(name, x);
  if constexpr (std::is_same_v<Y, Tensor>) check_keeps_shape(name, x, y);
  return x = function(x, y);
}

}  // namespace

Tensor& operator+=(Tensor& x, const Tensor& y) {
  return assign("+=", x, y, [](const Tensor& a, const Tensor& b) { return add(a, b); });
}

Tensor& operator-=(Tensor& x, const Tensor& y) {
  return assign("-=", x, y, [](const Tensor& a, const Tensor& b) { return sub(a, b); });
}

Tensor& operator*=(Tensor& x, const Tensor& y) {
  return assign("*=", x, y, [](const Tensor& a, const Tensor& b) { return mul(a, b); });
}

Tensor& operator/=(Tensor& x, const Tensor& y) {
  return assign("/=", x, y, [](const Tensor& a, const Tensor& b) { return div(a, b); });
}

Tensor& operator+=(Tensor& x, Scalar number) {
  return assign("+=", x, number, [](const Tensor& a, Scalar b) { return add(a, b); });
}

Tensor& operator-=(Tensor& x, Scalar number) {
  return assign("-=", x, number, [](const Tensor& a, Scalar b) { return sub(a, b); });
}

Tensor& operator*=(Tensor& x, Scalar number) {
  return assign("*=", x, number, [](const Tensor& a, Scalar b) { return mul(a, b); });
}

Tensor& operator/=(Tensor& x, Scalar number) {
  return assign("/=", x, number, [](const Tensor& a, Scalar b) { return div(a, b); });
}

}  // namespace xtgrad::v1
