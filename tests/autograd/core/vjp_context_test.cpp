// Rules that name what their operation does not have.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"

using namespace xtgrad;

namespace {

using Rule = void (*)(VjpContext&);

template <class T>
void copy_elements(const Array& from, Array& to) {
  for (std::int64_t i = 0; i < from.numel(); ++i) to.mutable_data<T>()[i] = from.data<T>()[i];
}
void copy_elements(const Array& from, Array& to) {
  if (from.dtype == float32) {
    copy_elements<float>(from, to);
  } else {
    copy_elements<double>(from, to);
  }
}

/// A copy of its input, with one auxiliary and the rule that it is given.
class Copy final : public DifferentiablePrimitive<Copy> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit Copy(Rule rule) : rule_(rule) {}

  [[nodiscard]] std::string_view name() const override { return "copy"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    for (Spec* spec : out) *spec = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    for (Array* array : out) {
      if (array != nullptr) copy_elements(*in[0], *array);
    }
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override { rule_(context); }

 private:
  Rule rule_;
};

/// Two copies of its input, one auxiliary, and a rule that may read both outputs.
class Twice final : public DifferentiablePrimitive<Twice> {
 public:
  explicit Twice(Rule rule) : rule_(rule) {}

  [[nodiscard]] std::string_view name() const override { return "twice"; }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 2, .auxiliaries = 1}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    for (Spec* spec : out) *spec = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    for (Array* array : out) {
      if (array != nullptr) copy_elements(*in[0], *array);
    }
  }
  [[nodiscard]] OutputSet reads_outputs() const override { return 0b11; }
  void vjp(VjpContext& context) const override { rule_(context); }

 private:
  Rule rule_;
};

/// What the rule of an operation is told, in a sweep to all leaves and in one to given inputs.
template <class P>
std::string told(Rule rule, Dtype dtype, const Shape& shape) {
  const Tensor x = full(shape, 2, {.dtype = dtype, .requires_grad = true});
  const auto loss = [&] { return sum(run_all(P(rule), {x})[0]); };
  const std::string error = testing::message_of<InternalError>([&] {
    loss().backward();
    return 0;
  });
  CHECK(testing::message_of<InternalError>([&] { return grad({loss()}, {x}); }) == error);
  CHECK_FALSE(x.grad().defined());
  return error;
}

const std::string no_input = ": its rule names input 1, but the operation has 1";

}  // namespace

TEST_CASE("a rule that names an input which its operation does not have is told so") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}}) {
      for (const Rule rule :
           {+[](VjpContext& c) { c.set(1, c.g()); }, +[](VjpContext& c) { static_cast<void>(c.input(1)); },
            +[](VjpContext& c) { static_cast<void>(c.wanted(1)); },
            +[](VjpContext& c) { static_cast<void>(c.shape(1)); },
            +[](VjpContext& c) { static_cast<void>(c.dtype(1)); },
            +[](VjpContext& c) { static_cast<void>(c.sum(1)); }}) {
        CHECK(told<Copy>(rule, dtype, shape) == "copy" + no_input);
        CHECK(told<Twice>(rule, dtype, shape) == "twice" + no_input);
      }
      CHECK(told<Copy>([](VjpContext& c) { c.set(~std::size_t{0}, c.g()); }, dtype, shape) ==
            "copy: its rule names input 18446744073709551615, but the operation has 1");
    }
  }
}

TEST_CASE("a rule that names an auxiliary which its operation did not make is told so") {
  const Rule seventh = [](VjpContext& c) { static_cast<void>(c.auxiliary(7)); };
  // What is kept behind them are outputs, which are read as such.
  const Rule second = [](VjpContext& c) { static_cast<void>(c.auxiliary(1)); };
  const Rule first = [](VjpContext& c) {
    CHECK(c.auxiliary().shape == c.shape(0));
    if (c.g().defined()) c.set(0, c.g());
  };
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}}) {
      CHECK(told<Copy>(seventh, dtype, shape) == "copy: its rule names auxiliary 7, but the operation has 1");
      CHECK(told<Twice>(seventh, dtype, shape) ==
            "twice: its rule names auxiliary 7, but the operation has 1");
      CHECK(told<Twice>(second, dtype, shape) ==
            "twice: its rule names auxiliary 1, but the operation has 1");
      const Tensor x = full(shape, 2, {.dtype = dtype, .requires_grad = true});
      CHECK(grad({sum(run_all(Copy(first), {x})[0])}, {x})[0].shape() == shape);
      sum(run_all(Twice(first), {x})[0]).backward();
    }
  }
}

TEST_CASE("a recorded operation of more than 31 inputs is refused, unless it says that it takes them") {
  class Total final : public DifferentiablePrimitive<Total> {
   public:
    [[nodiscard]] std::string_view name() const override { return "total"; }
    void infer(InputSpecs in, OutputSpecs out) const override {
      require_floating(name(), in);
      *out[0] = *in[0];
    }
    void eval(Inputs in, Outputs out) const override { copy_elements(*in.back(), *out[0]); }
    void vjp(VjpContext& context) const override { context.set(context.inputs() - 1, context.g()); }
  };
  for (const Dtype dtype : {float32, float64}) {
    std::vector<Tensor> inputs(31, full({2}, 1, {.dtype = dtype}));
    inputs.push_back(full({2}, 5, {.dtype = dtype}));
    CHECK(run(Total{}, inputs).at({0}) == 5);  // nothing is recorded
    for (const std::size_t wanted : {std::size_t{0}, std::size_t{31}}) {
      std::vector<Tensor> some = inputs;
      some[wanted] = full({2}, 5, {.dtype = dtype, .requires_grad = true});
      const std::string error = "total: a recorded operation takes at most 31 inputs, got 32";
      CHECK(testing::message_of<GraphError>([&] { return run(Total{}, some); }) == error);
      CHECK(testing::message_of<GraphError>([&] { return run_all(Total{}, some); }) == error);
      const NoGrad no_grad;
      CHECK(run(Total{}, some).at({1}) == 5);
    }
    inputs.pop_back();
    inputs.back() = full({2}, 5, {.dtype = dtype, .requires_grad = true});
    CHECK(grad({sum(run(Total{}, inputs))}, {inputs.back()})[0].at({0}) == 1);
  }
}
