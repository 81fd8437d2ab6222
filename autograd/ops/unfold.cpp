#include <fmt/format.h>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/unfold2d.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/windows.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

Window window_of(const Unfold2dOptions& options) {
  return {options.kernel, options.stride, options.padding, options.dilation};
}

/// What unfold and its adjoint share.
template <class Self, OpId Id>
class Windows : public PrimitiveOf<Self, Id> {
 public:
  explicit Windows(const Unfold2dOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("kernel", options_.kernel);
    a("stride", options_.stride);
    a("padding", options_.padding);
    a("dilation", options_.dilation);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 1); }

 protected:
  ~Windows() = default;

  /// Elements of a window.
  [[nodiscard]] std::int64_t area() const { return options_.kernel.height * options_.kernel.width; }
  [[nodiscard]] WindowedPlanes planes(const Shape& image) const {
    const Window window = window_of(options_);
    return windowed_planes(image, output_size(Id, image, window), window);
  }

  Unfold2dOptions options_;
};

class Unfold2d final : public Windows<Unfold2d, OpId::unfold2d> {
 public:
  using Windows::Windows;

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& x = in[0]->shape;
    check_floating(op, *in[0]);
    const Size2d places = output_size(op, x, window_of(options_));
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = {x[0], checked_product(op, x, x[1], area()),
                     checked_product(op, x, places.height, places.width)};
  }
  void eval(Inputs in, Outputs out) const override { unfold_planes(planes(in[0]->shape), *in[0], *out[0]); }
  void vjp(VjpContext& context) const override {
    const Shape& x = context.shape(0);
    context.set(0, fold2d(context.g(), {x[2], x[3]}, options_));
  }
};

class Fold2d final : public Windows<Fold2d, OpId::fold2d> {
 public:
  explicit Fold2d(const Unfold2dOptions& options = {}, const Size2d& output = 0)
      : Windows(options), output_(output) {}

  void describe(Attributes& a) override {
    a("output", output_);
    Windows::describe(a);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    const Shape& columns = in[0]->shape;
    if (columns.rank() != 3) {
      throw ShapeError(fmt::format(
          "fold2d: columns needs 3 dimensions [n, c * kh * kw, places]: columns is {}", to_string(columns)));
    }
    const Window window = window_of(options_);
    check_window(op, window);
    if (columns[1] % area() != 0) {
      throw ShapeError(
          fmt::format("fold2d: the second size of columns must be a multiple of the kernel's {} elements: "
                      "columns is {}, kernel {}",
                      area(), to_string(columns), to_string(options_.kernel)));
    }
    check_image_size(op, output_, "the output");
    const Shape image{columns[0], columns[1] / area(), output_.height, output_.width};
    const Size2d places = output_size(op, image, window, false, "the output");
    if (checked_product(op, image, places.height, places.width) != columns[2]) {
      throw ShapeError(fmt::format("fold2d: the window has {} places on the output: columns is {}, output {}",
                                   to_string(places), to_string(columns), to_string(output_)));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = image;
  }
  void eval(Inputs in, Outputs out) const override { fold_planes(planes(out[0]->shape), *in[0], *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  void vjp(VjpContext& context) const override { context.set(0, unfold2d(context.g(), options_)); }

 private:
  Size2d output_;
};

}}  // namespace detail

Tensor unfold2d(const Tensor& x, const Unfold2dOptions& options) {
  return detail::apply(detail::Unfold2d(options), x);
}

Tensor fold2d(const Tensor& unfolded, const Size2d& output, const Unfold2dOptions& options) {
  return detail::apply(detail::Fold2d(options, output), unfolded);
}

}  // namespace xtgrad::v1
