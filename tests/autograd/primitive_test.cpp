// Operations written against the public headers alone, and what the shipped checks find wrong in them.
#include "xtgrad/autograd/primitive.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/autograd/testing.h"

using namespace xtgrad;

namespace {

/// What may be wrong with a power of three.
enum class Fault { none, slope, value, unwritten, shape, unnamed, unrecorded };

/// x^3. Its attribute has a destructor, and says how many copies there are.
class Cube final : public DifferentiablePrimitive<Cube> {
 public:
  explicit Cube(Fault fault = Fault::none, std::shared_ptr<int> copies = {})
      : fault_(fault), copies_(std::move(copies)) {}

  [[nodiscard]] std::string_view name() const override { return "cube"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
    if (fault_ == Fault::shape && ++inferences_ > 1) out[0]->shape = {1};
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
    const Tensor x = context.input(0);
    context.set(0, context.g() * square(x) * (fault_ == Fault::slope ? 3.001 : 3));
  }

 private:
  template <class T>
  void fill(const T* x, T* y, std::int64_t n) const {
    if (fault_ == Fault::unwritten && ++evaluations_ > 1) --n;
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = x[i] * x[i] * x[i] + (fault_ == Fault::value ? T(0.01) : T(0));
  }

  Fault fault_;
  std::shared_ptr<int> copies_;
  mutable int inferences_ = 0;
  mutable int evaluations_ = 0;
};

testing::Operation operation(Fault fault) {
  return {.name = "cube",
          .apply =
              [fault](std::span<const Tensor> in) {
                if (fault == Fault::unrecorded) return std::vector{run(Cube{}, {in[0].detach()})};
                if (fault == Fault::unnamed) return std::vector{in[0] * in[0] * in[0]};
                return std::vector{run(Cube(fault), in)};
              },
          .inputs = {tensor({0.5, -2, 1.25}, {.dtype = float64})},
          .reference =
              [](std::span<const Tensor> in) {
                std::vector<double> y;
                for (const double x : in[0].data<double>()) y.push_back(x * x * x);
                return std::vector<std::vector<double>>{y};
              }};
}

/// True if the report of a faulty operation has a failure that begins so.
bool finds(Fault fault, const std::string& beginning) {
  const testing::Report report = testing::check(operation(fault));
  INFO(report.text());
  for (const std::string& failure : report.failures) {
    if (failure.rfind(beginning, 0) == 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("primitive from outside: values, gradients and attributes that are destroyed") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{33}}) {
      const auto copies = std::make_shared<int>();
      {
        const Tensor x = full(shape, 2, {.dtype = dtype, .requires_grad = true});
        const Tensor y = run(Cube(Fault::none, copies), {x});
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

TEST_CASE("testing::check finds nothing wrong with what is right, and every fault") {
  const testing::Report report = testing::check(operation(Fault::none));
  CHECK_MESSAGE(report.ok(), report.text());
  CHECK(finds(Fault::slope, "cube, derivatives: "));
  CHECK(finds(Fault::value, "cube, values: output 0: element 0 is "));
  CHECK(finds(Fault::unwritten, "cube, again: value "));
  CHECK(finds(Fault::unwritten, "cube, again, float32: value "));
  CHECK(finds(Fault::shape, "cube, again: cube: infers float64 [1], made float64 [3]"));
  CHECK(finds(Fault::unnamed, "cube, recorded: made no node of its name"));
  CHECK(finds(Fault::unnamed, "cube, errors: input 0 an empty handle: "));
  CHECK(finds(Fault::unrecorded, "cube, recorded: is not recorded"));
  testing::Operation leaking = operation(Fault::none);
  std::vector<Tensor> kept;
  leaking.apply = [&kept, inner = leaking.apply](std::span<const Tensor> in) {
    kept.push_back(inner(in)[0]);
    return std::vector{kept.back()};
  };
  const std::string text = testing::check(leaking).text();
  CHECK_MESSAGE(text.find("blocks stay alive") != std::string::npos, text);
}

TEST_CASE("testing::check takes a finite value for an infinite one no more than for another") {
  for (const double wanted : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    testing::Operation wrong = operation(Fault::none);
    wrong.reference = [wanted](std::span<const Tensor>) {
      return std::vector<std::vector<double>>{{0.125, -8, wanted}};
    };
    const std::string text = testing::check(wrong).text();
    CHECK_MESSAGE(text.find("cube, values: output 0: element 2 is 1.953125, wanted ") == 0, text);
  }
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
