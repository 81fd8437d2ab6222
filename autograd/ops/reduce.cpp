#include <fmt/format.h>

#include <type_traits>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/reduction.h"
#include "xtgrad/autograd/kernels/levels/largest.h"
#include "xtgrad/autograd/kernels/levels/sum.h"
#include "xtgrad/autograd/kernels/truth.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/row_kernels.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// What reductions share: axes, and a result of the input's dtype.
template <class Self, OpId Id>
class Reduction : public PrimitiveOf<Self, Id> {
 public:
  explicit Reduction(const ReducedAxes& axes = {}) : axes_(axes) {}

  void describe(Attributes& a) override { axes_.describe(a); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    axes_.check_loaded(this->name(), in[0]->shape);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 protected:
  ~Reduction() = default;

  void infer_result(const Spec& x, Spec& out) const {
    out.dtype = x.dtype;
    out.shape = axes_.result(x.shape);
  }

  /// Whether just the last axis is reduced, of a floating dtype.
  [[nodiscard]] bool reduces_rows(const Spec& x) const {
    return x.shape.rank() > 0 && FloatingTypes::contains(x.dtype) &&
           axes_.mask == AxisMask{1} << (x.shape.rank() - 1);
  }

  ReducedAxes axes_;
};

class Sum final : public Reduction<Sum, OpId::sum> {
 public:
  using Reduction::Reduction;

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(op, *in[0]);
    infer_result(*in[0], *out[0]);
  }
  void eval(Inputs in, Outputs out) const override { reduce_axes(*in[0], axes_.mask, sum_axis, *out[0]); }
  [[nodiscard]] RowKernel bind_rows(InputSpecs in) const override {
    return reduces_rows(*in[0]) ? row_sums(in[0]->dtype) : nullptr;
  }
  void vjp(VjpContext& context) const override {
    const Shape& shape = context.shape(0);
    context.set(0, stretched_to(reshaped(context.g(), axes_.kept(shape)), shape));
  }
};

class Mean final : public Reduction<Mean, OpId::mean> {
 public:
  using Reduction::Reduction;

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    infer_result(*in[0], *out[0]);
  }
  void eval(Inputs in, Outputs out) const override {
    reduce_axes(*in[0], axes_.mask, sum_axis, *out[0]);
    const auto count = static_cast<double>(axes_.count(in[0]->shape));
    map_formula<Value>(formulas::MeanOfSum{count}, *out[0], *out[0]);
  }
  [[nodiscard]] RowKernel bind_rows(InputSpecs in) const override {
    if (!reduces_rows(*in[0])) return nullptr;
    return visit_floating(in[0]->dtype, [](auto zero) -> RowKernel { return mean_of_rows<decltype(zero)>; });
  }
  // Divided while it is small, then repeated.
  void vjp(VjpContext& context) const override {
    const Shape& shape = context.shape(0);
    const Tensor share = context.g() / static_cast<double>(axes_.count(shape));
    context.set(0, stretched_to(reshaped(share, axes_.kept(shape)), shape));
  }

 private:
  template <class T>
  static void mean_of_rows(const Primitive&, std::int64_t rows, std::int64_t width, const void* in,
                           void* out) {
    sum_last_axis(dtype_of<T>, in, rows, width, out);
    const formulas::MeanOfSum mean{static_cast<double>(width)};
    const void* const sums = out;
    run_row<formulas::MeanOfSum, Value, T, 1>(mean, rows, &sums, 0, &out);
  }
};

/// As in NumPy, a largest of nothing is an error only where the result would need one.
void check_not_empty(OpId op, const Shape& shape, ReducedAxes axes) {
  if (axes.count(shape) != 0 || axes.result(shape).numel() == 0) return;
  throw ShapeError(fmt::format("{}: no elements to choose from: x is {}, axes={}{}", to_string(op),
                               to_string(shape), to_string(axes.dims()), axes.keepdim ? ", keepdim" : ""));
}

/// The largest or the smallest: Self says how rows of a floating dtype, and axes of any, are searched.
template <class Self, OpId Id>
class Extremum : public Reduction<Self, Id> {
 public:
  using Reduction<Self, Id>::Reduction;
  [[nodiscard]] Reads reads(Wanted) const final { return input_bit(0) | output_bit; }

  void infer(InputSpecs in, OutputSpecs out) const final {
    check_numeric(Id, *in[0]);
    check_not_empty(Id, in[0]->shape, this->axes_);
    this->infer_result(*in[0], *out[0]);
  }
  void eval(Inputs in, Outputs out) const final {
    reduce_axes(*in[0], this->axes_.mask, Self::search_axis(), *out[0]);
  }
  [[nodiscard]] RowKernel bind_rows(InputSpecs in) const final {
    if (!this->reduces_rows(*in[0])) return nullptr;
    return visit_floating(in[0]->dtype, [](auto zero) -> RowKernel {
      return [](const Primitive&, std::int64_t rows, std::int64_t width, const void* from, void* out) {
        Self::search_rows(dtype_of<decltype(zero)>, from, rows, width, out);
      };
    });
  }

  // Who ties is piecewise constant: to the rule's own derivatives x and y are constants.
  void vjp(VjpContext& context) const final {
    const Self& self = static_cast<const Self&>(*this);
    const Tensor x = make_constant(context.input(0).array());
    const Shape kept = this->axes_.kept(x.shape());
    const Tensor y = make_constant(context.output().array().with_shape(kept));
    const Tensor winners = apply_constant(RuleOf<Self, 1, 2>(self), x, y);
    const Tensor ties = apply(Sum({this->axes_.mask, true}), winners);
    context.set(0, evaluate<0>(self, reshaped(context.g(), kept), x, y, ties));
  }

  [[nodiscard]] static formulas::Extremum formula() { return {}; }
  template <int K>
  using RulePart = std::conditional_t<K == 0, RuleA, RuleB>;

 protected:
  ~Extremum() = default;
};

class Amax final : public Extremum<Amax, OpId::amax> {
 public:
  using Extremum::Extremum;
  static AxisKernel search_axis() { return max_axis; }
  static void search_rows(Dtype dtype, const void* in, std::int64_t rows, std::int64_t width, void* out) {
    max_last_axis(dtype, in, rows, width, out);
  }
};

class Amin final : public Extremum<Amin, OpId::amin> {
 public:
  using Extremum::Extremum;
  static AxisKernel search_axis() { return min_axis; }
  static void search_rows(Dtype dtype, const void* in, std::int64_t rows, std::int64_t width, void* out) {
    min_last_axis(dtype, in, rows, width, out);
  }
};

/// Where the largest or the smallest is: `Find` gives both.
template <OpId Id, class Find>
class IndexOfExtremum final : public ConstantPrimitive<IndexOfExtremum<Id, Find>> {
 public:
  explicit IndexOfExtremum(std::size_t axis = 0, bool keepdim = false) : axis_(axis), keepdim_(keepdim) {}

  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void describe(Attributes& a) override {
    a("axis", axis_);
    a("keepdim", keepdim_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(Id, *in[0]);
    const ReducedAxes axes{AxisMask{1} << axis_, keepdim_};
    check_not_empty(Id, in[0]->shape, axes);
    out[0]->dtype = Dtype::int64;
    out[0]->shape = axes.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    Array best = Array::uninitialized(out[0]->shape, in[0]->dtype);
    Find::run(*in[0], AxisView(in[0]->shape, axis_), best, *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    require_axis(name(), axis_, in[0]->shape);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 private:
  std::size_t axis_;
  bool keepdim_;
};

struct FindLargest {
  static void run(const Array& x, const AxisView& view, Array& best, Array& index) {
    find_largest(x, view, best, index);
  }
};
struct FindSmallest {
  static void run(const Array& x, const AxisView& view, Array& best, Array& index) {
    find_smallest(x, view, best, index);
  }
};
using Argmax = IndexOfExtremum<OpId::argmax, FindLargest>;
using Argmin = IndexOfExtremum<OpId::argmin, FindSmallest>;

/// Whether some element, or each, is other than 0.
template <OpId Id>
class Truth final : public ConstantPrimitive<Truth<Id>> {
 public:
  explicit Truth(const ReducedAxes& axes = {}) : axes_(axes) {}

  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void describe(Attributes& a) override { axes_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = Dtype::boolean;
    out[0]->shape = axes_.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    reduce_axes(truth_of(*in[0]), axes_.mask, Id == OpId::any ? any_axis : all_axis, *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    axes_.check_loaded(name(), in[0]->shape);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 private:
  ReducedAxes axes_;
};

template <class P>
P reduction(const Tensor& x, const ReduceOptions& options, OpId op) {
  return P(reduced_axes(op, x.shape(), options.axes, options.keepdim));
}

}}  // namespace detail

using detail::OpId;

Tensor sum(const Tensor& x, const ReduceOptions& options) {
  return detail::apply(detail::reduction<detail::Sum>(x, options, OpId::sum), x);
}

Tensor mean(const Tensor& x, const ReduceOptions& options) {
  return detail::apply(detail::reduction<detail::Mean>(x, options, OpId::mean), x);
}

Tensor amax(const Tensor& x, const ReduceOptions& options) {
  return detail::apply(detail::reduction<detail::Amax>(x, options, OpId::amax), x);
}

Tensor amin(const Tensor& x, const ReduceOptions& options) {
  return detail::apply(detail::reduction<detail::Amin>(x, options, OpId::amin), x);
}

Tensor any(const Tensor& x, const ReduceOptions& options) {
  return detail::apply_constant(detail::reduction<detail::Truth<OpId::any>>(x, options, OpId::any), x);
}

Tensor all(const Tensor& x, const ReduceOptions& options) {
  return detail::apply_constant(detail::reduction<detail::Truth<OpId::all>>(x, options, OpId::all), x);
}

Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim) {
  const std::size_t dim = normalize_axis(to_string(OpId::argmax), axis, x.rank());
  return detail::apply_constant(detail::Argmax(dim, keepdim), x);
}

Tensor argmin(const Tensor& x, std::int64_t axis, bool keepdim) {
  const std::size_t dim = normalize_axis(to_string(OpId::argmin), axis, x.rank());
  return detail::apply_constant(detail::Argmin(dim, keepdim), x);
}

}  // namespace xtgrad::v1
