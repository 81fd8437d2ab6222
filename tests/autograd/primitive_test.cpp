// Operations written against the public headers alone; testing/ has what the shipped checks find in them.
#include "xtgrad/autograd/primitive.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/step_list.h"

using namespace xtgrad;

namespace {

/// x^3. Its attribute has a destructor, and says how many copies there are.
class Cube final : public DifferentiablePrimitive<Cube> {
 public:
  explicit Cube(std::shared_ptr<int> copies = {}) : copies_(std::move(copies)) {}

  [[nodiscard]] std::string_view name() const override { return "cube"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill(in[0]->data<float>(), out[0]->mutable_data<float>(), in[0]->numel());
    } else {
      fill(in[0]->data<double>(), out[0]->mutable_data<double>(), in[0]->numel());
    }
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    context.set(0, context.g() * square(Tensor(context.input(0))) * 3);
  }

 private:
  template <class T>
  static void fill(const T* x, T* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * x[i] * x[i];
  }

  std::shared_ptr<int> copies_;
};

}  // namespace

TEST_CASE("primitive from outside: values, gradients and attributes that are destroyed") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{33}}) {
      const auto copies = std::make_shared<int>();
      {
        const Tensor x = full(shape, 2, {.dtype = dtype, .requires_grad = true});
        const Tensor y = run(Cube(copies), {x});
        CHECK(copies.use_count() == 2);
        CHECK(y.shape() == shape);
        CHECK(sum(y).item() == 8 * static_cast<double>(y.numel()));
        CHECK(sum(grad({sum(y)}, {x})[0]).item() == 12 * static_cast<double>(y.numel()));
      }
      CHECK(copies.use_count() == 1);
    }
  }
}

TEST_CASE("primitive from outside: what run refuses") {
  CHECK_THROWS_WITH_AS(static_cast<void>(run(Cube{}, {Tensor()})), "cube: input 0: the handle is empty",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(run(Cube{}, {ones({2}).to(int64)})),
                       "cube: needs float32 or float64, got int64; convert with to(float32)", DtypeError);
  class Pair final : public ConstantPrimitive<Pair> {
   public:
    [[nodiscard]] std::string_view name() const override { return "pair"; }
    [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 2}; }
    void infer(InputSpecs in, OutputSpecs out) const override {
      require_floating(name(), in);
      *out[0] = *out[1] = *in[0];
    }
    void eval(Inputs in, Outputs out) const override {
      for (Array* array : out) array->mutable_data<float>()[0] = in[0]->data<float>()[0];
    }
  };
  const Tensor x = ones({1}, {.requires_grad = true});
  CHECK_THROWS_WITH_AS(static_cast<void>(run(Pair{}, {x})),
                       "pair: run gives one tensor, and it has 2 outputs: run_all gives them all",
                       ValueError);
  const std::vector<Tensor> both = run_all(Pair{}, {x});
  REQUIRE(both.size() == 2);
  CHECK(both[1].item() == 1);
  CHECK_FALSE(both[1].requires_grad());
  CHECK_THROWS_WITH_AS(static_cast<void>(run_all(Pair{}, {x, ones({1}, {.dtype = float64})})),
                       "pair: dtypes differ: input 0 is float32, input 1 is float64; convert one with to()",
                       DtypeError);
}

TEST_CASE("StepList lists steps by name and runs them again") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  StepList steps;
  steps.set_name("x", x);
  const Tensor y = run(Cube{}, {x});
  CHECK(steps.text() == "%1 = cube(x)  float32 [2]\n");
  CHECK(steps.run_again().empty());
  static_cast<void>(run(Cube{}, {ones({1})}));  // full is a step, so nothing comes from outside
  CHECK(steps.run_again().empty());
}
