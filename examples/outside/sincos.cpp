// A primitive of two outputs.
#include <xtgrad/autograd/ops.h>
#include <xtgrad/autograd/primitive.h>

#include <cmath>

#include "operations.h"

using namespace xtgrad;

namespace {

class SinCos final : public DifferentiablePrimitive<SinCos> {
 public:
  std::string_view name() const override { return "sincos"; }
  Counts counts(InputSpecs) const override { return {.outputs = 2}; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *out[1] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill<float>(*in[0], *out[0], *out[1]);
    } else {
      fill<double>(*in[0], *out[0], *out[1]);
    }
  }

  OutputSet reads_outputs() const override { return 0b11; }
  void vjp(VjpContext& context) const override {
    // An output that nothing came from has no cotangent, which is not a zero.
    Tensor sum;
    if (context.g(0).defined()) sum = context.g(0) * context.output(1);
    if (context.g(1).defined()) {
      const Tensor term = -context.g(1) * context.output(0);
      sum = sum.defined() ? sum + term : term;
    }
    if (sum.defined()) context.set(0, sum);
  }

 private:
  template <class T>
  static void fill(const Array& x, Array& sine, Array& cosine) {
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      sine.mutable_data<T>()[i] = std::sin(x.data<T>()[i]);
      cosine.mutable_data<T>()[i] = std::cos(x.data<T>()[i]);
    }
  }
};

}  // namespace

std::pair<Tensor, Tensor> sincos(const Tensor& x) {
  std::vector<Tensor> both = run_all(SinCos{}, {x});
  return {std::move(both[0]), std::move(both[1])};
}
