// The cross-entropy of softmax with class indices, as one primitive.
#include <fmt/format.h>

#include <array>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/cross_entropy.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/softmax.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The logits' shape without their classes.
Shape runs_of(const Shape& logits, std::size_t axis) {
  Shape runs;
  for (std::size_t d = 0; d < logits.rank(); ++d) {
    if (d != axis) runs.push_back(logits[d]);
  }
  return runs;
}

/// The gradient of the logits in one pass, of g and of what the forward pass left.
class CrossEntropyRule final : public ConstantPrimitive<CrossEntropyRule> {
 public:
  explicit CrossEntropyRule(std::size_t axis = 0) : axis_(axis) {}

  [[nodiscard]] std::string_view name() const override { return "softmax_cross_entropy.rule0"; }
  void describe(Attributes& a) override { a("axis", axis_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b10; }
  void eval(Inputs in, Outputs out) const override {
    if (in[1]->numel() == 0) return;
    softmax_cross_entropy_vjp_axis(*in[0], *in[1], *in[2], AxisView(in[1]->shape, axis_), *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 3);
    require_floating(name(), in.first(2));
    require_axis(name(), axis_, in[1]->shape);
    const Shape runs = runs_of(in[1]->shape, axis_);
    require_spec(name(), "g", *in[0], {runs, in[1]->dtype, {}});
    require_spec(name(), "sums", *in[2], {runs, Dtype::float64, {}});
  }
  /// A product for each logit.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[1]->shape.numel(); }

 private:
  std::size_t axis_;
};

/// Two rules: where nothing records, one kernel of the exponentials that the forward pass has left; the
/// recorded rule is that of log_softmax, of the cotangent at the classes. The walk compares them to a few
/// ulps.
class SoftmaxCrossEntropy final : public PrimitiveOf<SoftmaxCrossEntropy, OpId::softmax_cross_entropy> {
 public:
  static constexpr std::size_t auxiliaries = 2;  // as CrossEntropyParts
  explicit SoftmaxCrossEntropy(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &logits = *in[0], &index = *in[1];
    check_floating(op, logits);
    check_index_dtype(op, index);
    const Shape runs = runs_of(logits.shape, axis_);
    if (!(index.shape == runs)) {
      throw ShapeError(fmt::format(
          "{}: the index needs the logits' shape without axis {}: logits {} need {}, got {}", to_string(op),
          axis_, to_string(logits.shape), to_string(runs), to_string(index.shape)));
    }
    *out[0] = {runs, logits.dtype};
    *out[1] = logits;
    *out[2] = {runs, Dtype::float64};
  }
  void eval(Inputs in, Outputs out) const override {
    const Array& logits = *in[0];
    check_index_range(op, *in[1], {"the logits", axis_, logits.shape[axis_]});
    if (logits.numel() == 0) return;
    const CrossEntropyParts parts{out[1], out[2]};
    softmax_cross_entropy_axis(logits, *in[1], AxisView(logits.shape, axis_), *out[0],
                               out[1] == nullptr ? nullptr : &parts);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_axis(name(), axis_, in[0]->shape);
    if ((out[1] == nullptr) == (out[2] == nullptr)) return;
    throw ValueError(fmt::format("{}: its auxiliaries are wanted together, the {} is left out", name(),
                                 out[1] == nullptr ? "first" : "second"));
  }
  /// Largest, difference, exponential, sum.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }

  void vjp(VjpContext& context) const override {
    if (!context.wanted(0)) return;
    const Tensor& g = context.g();
    if (!thread_state.records() || !(wants_gradient(g) || wants_gradient(context.input(0)))) {
      // Made before it is computed: where it takes the exponentials over, nothing may fail any more.
      Tensor gradient = make_constant(Array());
      compute(CrossEntropyRule(axis_), std::array{&array_of(g), &context.auxiliary(0), &context.auxiliary(1)},
              std::array{&node_of(gradient).array}, context.may_spend(0) ? 0b10 : 0);
      context.set(0, std::move(gradient));
      return;
    }
    const Shape& shape = context.shape(0);
    Shape column = shape;
    column[axis_] = 1;
    const auto axis = static_cast<std::int64_t>(axis_);
    const Tensor at_classes = scatter_add(zeros(shape, {.dtype = g.dtype()}), axis,
                                          reshaped(context.input(1), column), reshaped(neg(g), column));
    context.set(0, log_softmax_vjp(at_classes, log_softmax(context.input(0), axis), axis_));
  }

 private:
  std::size_t axis_;
};

}  // namespace
}  // namespace detail

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& index, std::int64_t axis) {
  using detail::OpId;
  const std::size_t dim = normalize_axis(to_string(OpId::softmax_cross_entropy), axis, logits.rank());
  return detail::apply(detail::SoftmaxCrossEntropy(dim), logits,
                       index.dtype() == Dtype::int32 ? detail::cast(index, Dtype::int64) : index);
}

}  // namespace xtgrad::v1
