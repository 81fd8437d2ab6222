// A primitive around foreign C code.
#include <xtgrad/autograd/errors.h>
#include <xtgrad/autograd/ops.h>
#include <xtgrad/autograd/primitive.h>

#include <cmath>
#include <string>

#include "airy_series.h"
#include "operations.h"

using namespace xtgrad;

namespace {

class Airy final : public DifferentiablePrimitive<Airy> {
 public:
  std::string_view name() const override { return "airy"; }
  Counts counts(InputSpecs) const override { return {.outputs = 2}; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    if (in[0]->dtype != float64) {
      throw DtypeError("airy: needs float64, got " + std::string(to_string(in[0]->dtype)));
    }
    *out[0] = *out[1] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    const double* x = in[0]->data<double>();
    for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
      if (std::abs(x[i]) <= 5) continue;
      throw ValueError("airy: needs |x| up to 5, got " + std::to_string(x[i]));
    }
    for (std::int64_t i = 0; i < in[0]->numel(); ++i)
      airy_series(x[i], out[0]->mutable_data<double>() + i, out[1]->mutable_data<double>() + i);
  }

  Reads reads(Wanted) const override { return input_bit(0); }
  OutputSet reads_outputs() const override { return 0b11; }
  void vjp(VjpContext& context) const override {
    // Airy's equation, Ai'' = x Ai, closes the rule: no other function is needed at any order.
    Tensor sum;
    if (context.g(0).defined()) sum = context.g(0) * context.output(1);
    if (context.g(1).defined()) {
      const Tensor term = context.g(1) * (Tensor(context.input(0)) * context.output(0));
      sum = sum.defined() ? sum + term : term;
    }
    if (sum.defined()) context.set(0, sum);
  }
};

}  // namespace

std::pair<Tensor, Tensor> airy(const Tensor& x) {
  std::vector<Tensor> both = run_all(Airy{}, {x});
  return {std::move(both[0]), std::move(both[1])};
}
