#include <fmt/format.h>

#include <array>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/largest.h"
#include "xtgrad/autograd/kernels/order.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Operations whose outputs are elements of x along an axis, and their indices. Self makes both; here is the
/// rule, which needs the indices alone.
template <class Self, OpId Id>
class Selection : public PrimitiveOf<Self, Id> {
 public:
  explicit Selection(std::size_t axis = 0) : axis_(axis) {}

  [[nodiscard]] Counts counts(InputSpecs) const final { return {2, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const final { return 0b10; }
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

template <class Self, OpId Id>
class Extreme : public Selection<Self, Id> {
 public:
  explicit Extreme(std::size_t axis = 0, bool keepdim = false)
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
  ~Extreme() = default;
  [[nodiscard]] std::int64_t selected(std::int64_t) const override { return 1; }

 private:
  bool keepdim_;
};

class Max final : public Extreme<Max, OpId::max> {
 public:
  using Extreme::Extreme;
  void eval(Inputs in, Outputs out) const override {
    find_largest(*in[0], AxisView(in[0]->shape, axis_), *out[0], *out[1]);
  }
};

class Min final : public Extreme<Min, OpId::min> {
 public:
  using Extreme::Extreme;
  void eval(Inputs in, Outputs out) const override {
    find_smallest(*in[0], AxisView(in[0]->shape, axis_), *out[0], *out[1]);
  }
};

class Sort final : public Selection<Sort, OpId::sort> {
 public:
  explicit Sort(std::size_t axis = 0, bool descending = false) : Selection(axis), descending_(descending) {}

  void describe(Attributes& a) override {
    a("axis", axis_);
    a("descending", descending_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { infer_both(*in[0], in[0]->shape, out); }
  void eval(Inputs in, Outputs out) const override {
    const AxisView view(in[0]->shape, axis_);
    order_axis(*in[0], view, view.axis, descending_, *out[0], *out[1]);
  }

 private:
  [[nodiscard]] std::int64_t selected(std::int64_t size) const override { return size; }

  bool descending_;
};

class Topk final : public Selection<Topk, OpId::topk> {
 public:
  explicit Topk(std::size_t axis = 0, std::int64_t k = 0, bool largest = true)
      : Selection(axis), k_(k), largest_(largest) {}

  void describe(Attributes& a) override {
    a("k", k_);
    a("axis", axis_);
    a("largest", largest_, true);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    Shape shape = in[0]->shape;
    if (k_ < 0 || k_ > shape[axis_]) {
      throw ValueError(
          fmt::format("topk: k must be from 0 to the size of the axis: k is {}, axis {} of x has "
                      "size {}",
                      k_, axis_, shape[axis_]));
    }
    shape[axis_] = k_;
    infer_both(*in[0], shape, out);
  }
  void eval(Inputs in, Outputs out) const override {
    order_axis(*in[0], AxisView(in[0]->shape, axis_), k_, largest_, *out[0], *out[1]);
  }

 private:
  [[nodiscard]] std::int64_t selected(std::int64_t) const override { return k_; }

  std::int64_t k_;
  bool largest_;
};

ValuesAndIndices apply_selection(const Primitive& primitive, const Tensor& x) {
  const Tensor* const input = &x;
  std::vector<Tensor> both = apply_all(primitive, std::span(&input, 1));
  return {std::move(both[0]), std::move(both[1])};
}

}}  // namespace detail

using detail::OpId;

ValuesAndIndices max(const Tensor& x, std::int64_t axis, bool keepdim) {
  return detail::apply_selection(detail::Max(normalize_axis(to_string(OpId::max), axis, x.rank()), keepdim),
                                 x);
}

ValuesAndIndices min(const Tensor& x, std::int64_t axis, bool keepdim) {
  return detail::apply_selection(detail::Min(normalize_axis(to_string(OpId::min), axis, x.rank()), keepdim),
                                 x);
}

ValuesAndIndices sort(const Tensor& x, const SortOptions& options) {
  const std::size_t axis = normalize_axis(to_string(OpId::sort), options.axis, x.rank());
  return detail::apply_selection(detail::Sort(axis, options.descending), x);
}

ValuesAndIndices topk(const Tensor& x, std::int64_t k, const TopkOptions& options) {
  const std::size_t axis = normalize_axis(to_string(OpId::topk), options.axis, x.rank());
  return detail::apply_selection(detail::Topk(axis, k, options.largest), x);
}

}  // namespace xtgrad::v1
