#include <fmt/format.h>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/unfold2d.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/windows.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

Window window_of(const Unfold2dOptions& options) {
  return {options.kernel, options.stride, options.padding, options.dilation};
}

/// Unfold and fold know the same: which window goes over which image.
template <OpId Id>
class Windows : public PrimitiveOf<Id> {
 public:
  Windows(const Unfold2dOptions& options, const Size2d& image, const Size2d& places)
      : options_(options), image_(image), places_(places) {}
  static Reads reads(Wanted) { return reads_nothing; }

  [[nodiscard]] std::string attributes() const override {
    return fmt::format("kernel={}, stride={}, padding={}, dilation={}", to_string(options_.kernel),
                       to_string(options_.stride), to_string(options_.padding), to_string(options_.dilation));
  }

 protected:
  ~Windows() = default;

  /// Elements of a window.
  [[nodiscard]] std::int64_t area() const { return options_.kernel.height * options_.kernel.width; }
  [[nodiscard]] WindowedPlanes planes(const Shape& image) const {
    return windowed_planes(image, places_, window_of(options_));
  }

  Unfold2dOptions options_;
  Size2d image_;
  Size2d places_;
};

class Unfold2d final : public Windows<OpId::unfold2d> {
 public:
  using Windows::Windows;

  [[nodiscard]] Array forward(const Array& x) const {
    const std::int64_t rows = checked_product(op, x.shape, x.shape[1], area());
    const std::int64_t columns = checked_product(op, x.shape, places_.height, places_.width);
    Array out = Array::uninitialized({x.shape[0], rows, columns}, x.dtype);
    unfold_planes(planes(x.shape), x, out);
    return out;
  }
  void vjp(VjpContext& context) const override { context.set(0, fold2d(context.g, image_, options_)); }
};

class Fold2d final : public Windows<OpId::fold2d> {
 public:
  using Windows::Windows;

  [[nodiscard]] Array forward(const Array& columns) const {
    const Shape shape{columns.shape[0], columns.shape[1] / area(), image_.height, image_.width};
    Array out = Array::uninitialized(shape, columns.dtype);
    fold_planes(planes(shape), columns, out);
    return out;
  }
  void vjp(VjpContext& context) const override { context.set(0, unfold2d(context.g, options_)); }
};

}}  // namespace detail

using detail::OpId;

Tensor unfold2d(const Tensor& x, const Unfold2dOptions& options) {
  detail::check_floating(OpId::unfold2d, x);
  const Size2d places = detail::output_size(OpId::unfold2d, x.shape(), detail::window_of(options));
  return detail::apply(detail::Unfold2d(options, {x.shape()[2], x.shape()[3]}, places), x);
}

Tensor fold2d(const Tensor& columns, const Size2d& output, const Unfold2dOptions& options) {
  detail::check_floating(OpId::fold2d, columns);
  const Shape& shape = columns.shape();
  if (shape.rank() != 3) {
    throw ShapeError(fmt::format("fold2d: columns needs 3 dimensions [n, c * kh * kw, places]: columns is {}",
                                 to_string(shape)));
  }
  const detail::Window window = detail::window_of(options);
  detail::check_window(OpId::fold2d, window);
  const std::int64_t area = options.kernel.height * options.kernel.width;
  if (shape[1] % area != 0) {
    throw ShapeError(
        fmt::format("fold2d: the second size of columns must be a multiple of the kernel's {} elements: "
                    "columns is {}, kernel {}",
                    area, to_string(shape), to_string(options.kernel)));
  }
  detail::check_image_size(OpId::fold2d, output, "the output");
  const Shape image{shape[0], shape[1] / area, output.height, output.width};
  const Size2d places = detail::output_size(OpId::fold2d, image, window, false, "the output");
  if (detail::checked_product(OpId::fold2d, image, places.height, places.width) != shape[2]) {
    throw ShapeError(fmt::format("fold2d: the window has {} places on the output: columns is {}, output {}",
                                 to_string(places), to_string(shape), to_string(output)));
  }
  return detail::apply(detail::Fold2d(options, output, places), columns);
}

}  // namespace xtgrad::inline v1
