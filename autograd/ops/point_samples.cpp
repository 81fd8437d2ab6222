#include "xtgrad/autograd/ops/point_samples.h"
#include "xtgrad/autograd/ops/batching.h"

#include <array>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/kernels/point_samples.h"

namespace xtgrad::inline v1::detail {
namespace {

// The values times a cotangent g, added up, are linear in g, weights and images, and the three primitives
// here are that sum's derivatives by each: so the rule of each is the other two, at every order.

void describe_boxes(Attributes& a, PixelBoxes& boxes) {
  a("sides", boxes.sides);
  a("box", boxes.box_side);
  auto beyond = static_cast<std::int64_t>(boxes.padding);
  a("padding", beyond);
  boxes.padding = static_cast<GridPadding>(beyond);
  a("align_corners", boxes.align_corners, false);
}

/// Pixels of a box.
std::int64_t box_size(const PixelBoxes& boxes) {
  std::int64_t size = 1;
  for (std::size_t d = 0; d < boxes.sides.rank(); ++d) size *= boxes.box_side;
  return size;
}

/// The images of values [n, c, points].
Shape images_of(const PixelBoxes& boxes, const Shape& values) {
  Shape shape{values[0], values[1]};
  for (const std::int64_t side : boxes.sides) shape.push_back(side);
  return shape;
}

PointSamples samples_of(const PixelBoxes& boxes, const Shape& values) {
  PointSamples at{.n = values[0],
                  .c = values[1],
                  .points = values[2],
                  .directions = boxes.sides.rank(),
                  .box_side = boxes.box_side,
                  .padding = boxes.padding,
                  .align_corners = boxes.align_corners};
  for (std::size_t d = 0; d < boxes.sides.rank(); ++d) at.sides[d] = boxes.sides[d];
  return at;
}

/// What a file may have wrong of them.
void check_boxes(std::string_view name, const PixelBoxes& boxes) {
  const auto rank = static_cast<std::int64_t>(boxes.sides.rank()), side = boxes.box_side;
  require_attribute(rank == 2 || rank == 3, name, "sides", "of two or three directions", rank);
  for (const std::int64_t one : boxes.sides) require_attribute(one >= 1, name, "sides", "at least 1", one);
  require_attribute(side == 1 || side == 2 || (side == 4 && rank == 2), name, "box", "1, 2, or for images 4",
                    side);
  const auto beyond = static_cast<std::int64_t>(boxes.padding);
  require_attribute(beyond >= 0 && beyond <= 2, name, "padding", "from 0 to 2", beyond);
}

/// Values [n, c, points] of images, weights and corners.
class PointsTaken final : public DifferentiablePrimitive<PointsTaken> {
 public:
  explicit PointsTaken(const PixelBoxes& boxes = {}) : boxes_(boxes) {}

  [[nodiscard]] std::string_view name() const override { return "take_points"; }
  void describe(Attributes& a) override { describe_boxes(a, boxes_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1) | input_bit(2); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {Shape{in[0]->shape[0], in[0]->shape[1], in[1]->shape[2]}, in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    take_points(samples_of(boxes_, out[0]->shape), *in[0], *in[1], *in[2], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return 2 * box_size(boxes_) * out[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override;
  void vjp(VjpContext& context) const override;

 private:
  PixelBoxes boxes_;
};

/// Images of values, weights and corners.
class PointsPut final : public DifferentiablePrimitive<PointsPut> {
 public:
  explicit PointsPut(const PixelBoxes& boxes = {}) : boxes_(boxes) {}

  [[nodiscard]] std::string_view name() const override { return "put_points"; }
  void describe(Attributes& a) override { describe_boxes(a, boxes_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1) | input_bit(2); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {images_of(boxes_, in[0]->shape), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    put_points(samples_of(boxes_, in[0]->shape), *in[0], *in[1], *in[2], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * box_size(boxes_) * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override;
  void vjp(VjpContext& context) const override;

 private:
  PixelBoxes boxes_;
};

/// Weights of images, values and corners.
class PointsDotted final : public DifferentiablePrimitive<PointsDotted> {
 public:
  explicit PointsDotted(const PixelBoxes& boxes = {}) : boxes_(boxes) {}

  [[nodiscard]] std::string_view name() const override { return "dot_points"; }
  void describe(Attributes& a) override { describe_boxes(a, boxes_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1) | input_bit(2); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& g = in[1]->shape;
    *out[0] = {Shape{g[0], box_size(boxes_), g[2]}, in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    dot_points(samples_of(boxes_, in[1]->shape), *in[0], *in[1], *in[2], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * box_size(boxes_) * in[1]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override;
  void vjp(VjpContext& context) const override;

 private:
  PixelBoxes boxes_;
};

Tensor put(const PixelBoxes& boxes, const Tensor& g, const Tensor& weights, const Tensor& corners) {
  return apply_any(PointsPut(boxes), std::array{&g, &weights, &corners});
}
Tensor dotted(const PixelBoxes& boxes, const Tensor& x, const Tensor& g, const Tensor& corners) {
  return apply_any(PointsDotted(boxes), std::array{&x, &g, &corners});
}

/// Corners are whole numbers, which do not move.
void keep_corners(VjpContext& context) {
  if (context.wanted(2)) context.set(2, zeros(context.shape(2), {.dtype = context.g().dtype()}));
}

void PointsTaken::vjp(VjpContext& context) const {
  const Tensor &g = context.g(), corners = context.input(2);
  if (context.wanted(0)) context.set(0, put(boxes_, g, context.input(1), corners));
  if (context.wanted(1)) context.set(1, dotted(boxes_, context.input(0), g, corners));
  keep_corners(context);
}

void PointsPut::vjp(VjpContext& context) const {
  const Tensor &u = context.g(), corners = context.input(2);
  if (context.wanted(0)) context.set(0, values_at(boxes_, u, context.input(1), corners));
  if (context.wanted(1)) context.set(1, dotted(boxes_, u, context.input(0), corners));
  keep_corners(context);
}

void PointsDotted::vjp(VjpContext& context) const {
  const Tensor &v = context.g(), corners = context.input(2);
  if (context.wanted(0)) context.set(0, put(boxes_, context.input(1), v, corners));
  if (context.wanted(1)) context.set(1, values_at(boxes_, context.input(0), v, corners));
  keep_corners(context);
}

/// Operands of a loaded step: images [n, c, sides...], values [n, c, points] and weights, where there are
/// any.
struct LoadedOperands {
  const Spec* images;
  const Spec* values;
  const Spec* weights;
  const Spec* corners;
};

/// n, c and the number of points are those of the operands that there are.
void check_operands(std::string_view name, const PixelBoxes& boxes, const LoadedOperands& of) {
  check_boxes(name, boxes);
  const Spec& first = of.images != nullptr ? *of.images : *of.values;
  require_floating(name, std::array{&first});
  if (first.shape.rank() < 3) require_axis(name, 2, first.shape);
  const Shape of_values = of.values != nullptr ? of.values->shape : of.weights->shape;
  if (of_values.rank() < 3) require_axis(name, 2, of_values);
  const Shape values{first.shape[0], first.shape[1], of_values[2]};
  const auto directions = static_cast<std::int64_t>(boxes.sides.rank());
  const auto with_shape = [&](const Shape& shape) { return Spec{shape, first.dtype, {}}; };
  if (of.images != nullptr)
    require_spec(name, "the images", *of.images, with_shape(images_of(boxes, values)));
  if (of.values != nullptr) require_spec(name, "the values", *of.values, with_shape(values));
  if (of.weights != nullptr)
    require_spec(name, "the weights", *of.weights, with_shape({values[0], box_size(boxes), values[2]}));
  require_spec(name, "the corners", *of.corners, with_shape({values[0], directions, values[2]}));
}

void PointsTaken::check_loaded(InputSpecs in, InputSpecs out) const {
  require_call(in, out, 3);
  check_operands(name(), boxes_, {.images = in[0], .values = nullptr, .weights = in[1], .corners = in[2]});
}
void PointsPut::check_loaded(InputSpecs in, InputSpecs out) const {
  require_call(in, out, 3);
  check_operands(name(), boxes_, {.images = nullptr, .values = in[0], .weights = in[1], .corners = in[2]});
}
void PointsDotted::check_loaded(InputSpecs in, InputSpecs out) const {
  require_call(in, out, 3);
  check_operands(name(), boxes_, {.images = in[0], .values = in[1], .weights = nullptr, .corners = in[2]});
}

}  // namespace

Tensor values_at(const PixelBoxes& boxes, const Tensor& x, const Tensor& weights, const Tensor& corners) {
  return apply_any(PointsTaken(boxes), std::array{&x, &weights, &corners});
}

}  // namespace xtgrad::v1::detail
