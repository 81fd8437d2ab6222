// That everything is made by a step, whose repetition gives the same bits, and that a step changes nothing
// that it reads.
#include "xtgrad/autograd/step_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/linear_solvers.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/autograd/testing.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;

namespace {

/// What is wrong with the steps of a call whose one value from outside is x.
template <class F>
std::string faults_of(const Tensor& x, F f) {
  StepList steps;
  steps.set_name("x", x);
  f();
  return steps.run_again();
}

template <class F>
void check_all_steps(F f) {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const Tensor x = full({3}, 0.4, {.dtype = dtype, .requires_grad = true});
    CHECK(faults_of(x, [&] { f(x); }) == "");
  }
}

}  // namespace

TEST_CASE("StepList: jacobian and hessian, their unit rows included, are made by steps") {
  check_all_steps([](const Tensor& x) {
    const Tensor j = jacobian([](const Tensor& v) { return sort(v * v).values; }, x);
    CHECK(j.at({1, 1}) == doctest::Approx(0.8));
    CHECK(j.at({1, 0}) == 0);
  });
  check_all_steps([](const Tensor& x) {
    const Tensor h = hessian([](const Tensor& v) { return sum(v * v * v); }, x);
    CHECK(h.at({2, 2}) == doctest::Approx(2.4));
    CHECK(h.at({0, 2}) == 0);
  });
  check_all_steps([](const Tensor& x) {
    const auto f = [](const Tensor& v) { return v * v * v; };
    static_cast<void>(jvp(f, x, x));
    static_cast<void>(hvp([&](const Tensor& v) { return sum(f(v)); }, x, x));
    // Of no elements, and of no dimension.
    static_cast<void>(jacobian(f, slice(x, {.stop = 0})));
    static_cast<void>(jacobian(f, sum(x)));
  });
}

TEST_CASE("StepList: equations and linear systems are made by steps") {
  check_all_steps([](const Tensor& x) {
    const auto map = [](const Tensor& u, const Tensor& a) { return cos(u * a); };
    const Tensor y = fixed_point(map, zeros_like(x), x);
    static_cast<void>(grad({sum(y)}, {x}));
  });
  check_all_steps([](const Tensor& x) {
    const Tensor y = implicit_root([](const Tensor& u, const Tensor& a) { return u * u - a; },
                                   [](const Tensor& a) { return sqrt(a); }, x);
    static_cast<void>(grad({sum(y)}, {x}));
  });
  check_all_steps([](const Tensor& x) {
    const auto twice = [](const Tensor& v) { return v * 2.0; };
    CHECK(solve_dense(twice, x).at({1}) == doctest::Approx(0.2));
    CHECK(gmres()(twice, x).at({1}) == doctest::Approx(0.2));
  });
}

namespace {

/// That f(stream), which makes a tensor by a step of this name, can be run again, and makes the same tensor
/// as without a list.
template <class F>
void check_made(const std::string& name, F f) {
  CAPTURE(name);
  Random plain(11), watched(11);
  const Tensor expected = f(plain);
  StepList steps;
  steps.set_name("stream", watched.state());
  const Tensor made = f(watched);
  CHECK(steps.run_again() == "");
  CHECK(steps.text().find(" = " + name) != std::string::npos);
  CHECK(made.shape() == expected.shape());
  CHECK(made.dtype() == expected.dtype());
  CHECK(testing::values(made) == testing::values(expected));
}

}  // namespace

TEST_CASE("StepList: every function of creation makes its elements by a step") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const TensorOptions options{.dtype = dtype};
    for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{3, 5}}) {
      CAPTURE(to_string(shape));
      check_made("zeros", [&](Random&) { return zeros(shape, options); });
      check_made("ones", [&](Random&) { return ones(shape, options); });
      check_made("full", [&](Random&) { return full(shape, 0.3, options); });
      check_made("zeros_like", [&](Random&) { return zeros_like(ones(shape, options)); });
      check_made("ones_like", [&](Random&) { return ones_like(zeros(shape, options)); });
      check_made("randn", [&](Random& random) { return randn(shape, random, options); });
      check_made("uniform",
                 [&](Random& random) { return uniform(shape, {.low = -1, .high = 3}, random, options); });
      check_made("bernoulli", [&](Random& random) { return bernoulli(shape, 0.3, random); });
    }
    for (const std::int64_t n : {0, 1, 7}) {
      CAPTURE(n);
      check_made("arange", [&](Random&) { return arange(0.3 * double(n), {.step = 0.3}, options); });
      check_made("linspace", [&](Random&) { return linspace(-1, 2.5, n, options); });
      check_made("eye", [&](Random&) { return eye(n, 3, options); });
      check_made("one_hot", [&](Random&) { return one_hot(arange(n), 7, options); });
      check_made("randperm", [&](Random& random) { return randperm(n, random); });
    }
  }
}

TEST_CASE("StepList: creation of integers is made by steps") {
  for (const Dtype dtype : {boolean, uint8, int32, int64}) {
    CAPTURE(to_string(dtype));
    check_made("full", [&](Random&) { return full({2, 3}, 1, {.dtype = dtype}); });
    check_made("zeros", [&](Random&) { return zeros({2, 3}, {.dtype = dtype}); });
    if (dtype == boolean) continue;
    check_made("arange", [&](Random&) { return arange(9, {.start = 1, .step = 2}, {.dtype = dtype}); });
    check_made("eye", [&](Random&) { return eye(3, 2, {.dtype = dtype}); });
  }
}

TEST_CASE("StepList: a generator that is split off has a state made by a step") {
  Random watched(7);
  Random plain(7);
  const Tensor direct = randn({4}, plain);
  Random plain_child = plain.split();
  Tensor drawn;
  Tensor after;
  StepList steps;
  steps.set_name("stream", watched.state());
  CHECK(randn({4}, watched).at({3}) == direct.at({3}));
  Random child = watched.split();
  drawn = randn({4}, child);
  after = randn({4}, watched);
  CHECK(steps.run_again() == "");
  CHECK(steps.text().find(" = split_stream(") != std::string::npos);
  // The same generators, watched or not.
  CHECK(child.seed() == plain_child.seed());
  CHECK(child.position() == 1);
  CHECK(drawn.at({2}) == randn({4}, plain_child).at({2}));
  CHECK(after.at({2}) == randn({4}, plain).at({2}));
}

namespace {

/// A copy of its input, whose `eval` writes to what it reads.
class WritesToItsInput final : public DifferentiablePrimitive<WritesToItsInput> {
 public:
  [[nodiscard]] std::string_view name() const override { return "writes_to_its_input"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      spoil_and_copy<float>(*in[0], *out[0]);
    } else {
      spoil_and_copy<double>(*in[0], *out[0]);
    }
  }
  void vjp(VjpContext& context) const override { context.set(0, context.g() * 1.0); }

 private:
  template <class T>
  static void spoil_and_copy(const Array& in, Array& out) {
    const T* from = in.data<T>();
    if (in.numel() > 0) const_cast<T*>(from)[0] = T(0.5);  // the same, however often it runs
    for (std::int64_t i = 0; i < in.numel(); ++i) out.mutable_data<T>()[i] = from[i];
  }
};

}  // namespace

TEST_CASE("StepList: an eval that writes to what it reads is found") {
  for (const Dtype dtype : {float32, float64}) {
    const std::string found = "value 0 has other bits when the steps are run again\n";
    const auto spoil = [](const Tensor& x) { static_cast<void>(run(WritesToItsInput{}, {x})); };
    const Tensor named = full({2}, 1.25, {.dtype = dtype});
    CHECK(faults_of(named, [&] { spoil(named); }) == found);
    // A value that another step made, too, and one that nobody named.
    const Tensor x = full({2}, 1.25, {.dtype = dtype});
    CHECK(faults_of(x, [&] { spoil(x + 1.0); }).find("value 1 has other bits") == 0);
    const Tensor unnamed = full({2}, 1.25, {.dtype = dtype});
    CHECK(faults_of(x, [&] { spoil(unnamed); }).find("value 1 has other bits") == 0);
    // Nothing to write to.
    const Tensor empty = full({0}, 1.25, {.dtype = dtype});
    CHECK(faults_of(empty, [&] { spoil(empty); }) == "");
  }
  const testing::Report report = testing::check_operation(
      {.name = "writes_to_its_input",
       .apply = [](std::span<const Tensor> in) { return std::vector{run(WritesToItsInput{}, in)}; },
       .inputs = {tensor({1.1, 2.2}, {.dtype = float64})}});
  CHECK_FALSE(report.ok());
}
