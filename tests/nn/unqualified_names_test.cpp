// What a forward calls by its plain name is the library's function: no name of a module's bases hides it.

#include <doctest/doctest.h>

#include <vector>

#include "xtgrad/autograd/primitive.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

/// 3 x, written outside of the library.
class Triple final : public DifferentiablePrimitive<Triple> {
 public:
  [[nodiscard]] std::string_view name() const override { return "triple"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill<float>(*in[0], *out[0]);
    } else {
      fill<double>(*in[0], *out[0]);
    }
  }
  void vjp(VjpContext& context) const override { context.set(0, context.g() * 3); }

 private:
  template <class T>
  static void fill(const Array& x, Array& y) {
    for (std::int64_t i = 0; i < x.numel(); ++i) y.mutable_data<T>()[i] = 3 * x.data<T>()[i];
  }
};

struct UsesPrimitive : nn::Module {
  Tensor forward(const Tensor& x) override { return run(Triple{}, {x}); }
};

struct UsesAll : nn::ModuleOf<std::vector<Tensor>(const Tensor&, double)> {
  std::vector<Tensor> forward(const Tensor& x, double factor) override {
    return run_all(Triple{}, std::vector{x * factor});
  }
};

}  // namespace

TEST_CASE("a primitive from outside runs in a module's forward") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({1, -2}, {.dtype = dtype, .requires_grad = true});
    UsesPrimitive module;
    const Tensor y = module(x);
    CHECK(y.at({1}) == -6);
    sum(y).backward();
    CHECK(x.grad().at({0}) == 3);
    UsesAll several;
    CHECK(several(x, 2)[0].at({0}) == 6);
  }
}
