// Operations that choose elements along an axis.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/indexing.h"
#include "xtgrad/autograd/functions/order.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {

/// Operations whose outputs are elements of x along an axis, and their indices. Self makes both; here is the
/// rule, which needs the indices alone.
template <class Self, OpId Id>
class Selection : public PrimitiveOf<Self, Id> {
 public:
  explicit Selection(std::size_t axis = 0) : axis_(axis) {}

  [[nodiscard]] Counts counts(InputSpecs) const final { return {2, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const final { return 0b10; }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const final {
    this->require_call(in, out, 1);
    require_axis(this->name(), axis_, in[0]->shape);
  }

  void vjp(VjpContext& context) const final {
    const Shape& shape = context.shape(0);
    Shape kept = shape;
    kept[axis_] = selected(shape[axis_]);
    const Tensor g = reshaped(context.g(0), kept);
    const Tensor indices = reshaped(context.output(1), kept);
    context.set(
        0, scatter_add(zeros(shape, {.dtype = g.dtype()}), static_cast<std::int64_t>(axis_), indices, g));
  }

 protected:
  ~Selection() = default;

  /// Elements chosen from `size`.
  [[nodiscard]] virtual std::int64_t selected(std::int64_t size) const = 0;

  void infer_both(const Spec& x, const Shape& shape, OutputSpecs out) const {
    check_numeric(Id, x);
    out[0]->dtype = x.dtype;
    out[1]->dtype = Dtype::int64;
    out[0]->shape = out[1]->shape = shape;
  }

  std::size_t axis_;
};

/// Those that choose one.
template <class Self, OpId Id>
class SelectionOfOne : public Selection<Self, Id> {
 public:
  explicit SelectionOfOne(std::size_t axis = 0, bool keepdim = false)
      : Selection<Self, Id>(axis), keepdim_(keepdim) {}

  void describe(Attributes& a) override {
    a("axis", this->axis_);
    a("keepdim", keepdim_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& x = in[0]->shape;
    const Shape shape = reduced_shape(x, AxisMask{1} << this->axis_, keepdim_);
    if (x[this->axis_] == 0 && shape.numel() != 0) {
      throw ShapeError(fmt::format("{}: no elements to choose from: x is {}, axis={}{}", to_string(Id),
                                   to_string(x), this->axis_, keepdim_ ? ", keepdim" : ""));
    }
    this->infer_both(*in[0], shape, out);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 protected:
  ~SelectionOfOne() = default;
  [[nodiscard]] std::int64_t selected(std::int64_t) const override { return 1; }

 private:
  bool keepdim_;
};

inline ValuesAndIndices apply_selection(const Primitive& primitive, const Tensor& x) {
  const Tensor* const input = &x;
  std::vector<Tensor> both = apply_all(primitive, std::span(&input, 1));
  return {std::move(both[0]), std::move(both[1])};
}

}  // namespace xtgrad::v1::detail
