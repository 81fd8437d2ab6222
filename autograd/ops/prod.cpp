#include <cstdint>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/functions/scan.h"
#include "xtgrad/autograd/kernels/levels/moments.h"
#include "xtgrad/autograd/kernels/reduced_rows.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/merged_axes.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Prod final : public PrimitiveOf<Prod, OpId::prod> {
 public:
  explicit Prod(const ReducedAxes& axes = {}) : axes_(axes) {}

  void describe(Attributes& a) override { axes_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(op, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = axes_.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    const auto [elements, rows, width] = reduced_rows(*in[0], axes_.mask);
    product_rows(elements, rows, width, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    axes_.check_loaded(name(), in[0]->shape);
  }

  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  /// The product of the others, before and behind: y / x would be 0 / 0 where x is 0.
  void vjp(VjpContext& context) const override {
    const Shape& shape = context.shape(0);
    const Tensor x = with_merged_axes(context.input(0), axes_.mask);
    Shape kept = x.shape();
    kept[kept.rank() - 1] = 1;
    const Tensor before = cumprod(x, {.exclusive = true});
    const Tensor behind = cumprod(x, {.reverse = true, .exclusive = true});
    const Tensor g = reshaped(context.g(), kept);
    context.set(0, with_parted_axes(g * (before * behind), shape, axes_.mask));
  }

 private:
  ReducedAxes axes_;
};

}}  // namespace detail

Tensor prod(const Tensor& x, const ReduceOptions& options) {
  using detail::OpId;
  return detail::apply(
      detail::Prod(detail::reduced_axes(OpId::prod, x.shape(), options.axes, options.keepdim)), x);
}

}  // namespace xtgrad::v1
