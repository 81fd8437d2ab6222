// Tensors without derivatives, given to what takes derivatives: a DtypeError that names the function and the
// dtype.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/linear_solvers.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;

namespace {

constexpr Dtype not_floating[] = {boolean, uint8, int32, int64};
const std::vector<Shape> shapes = {{}, {0}, {3}};

template <class F>
std::string refusal(F f) {
  return testing::message_of<DtypeError>(f);
}

std::string must_be(const std::string& what, Dtype dtype) {
  return what + " must be float32 or float64: got " + std::string(to_string(dtype));
}

Tensor to_floating(const Tensor& x) { return sum(x.to(float32)); }

}  // namespace

TEST_CASE("transforms of one tensor refuse an x without derivatives") {
  for (const Dtype dtype : not_floating) {
    for (const Shape& shape : shapes) {
      CAPTURE(to_string(shape));
      const Tensor x = ones(shape, {.dtype = dtype});
      CHECK(refusal([&] { return vjp(to_floating, x); }) == must_be("vjp: x", dtype));
      CHECK(refusal([&] { return jvp(to_floating, x, x); }) == must_be("jvp: x", dtype));
      CHECK(refusal([&] { return jacobian(to_floating, x); }) == must_be("jacobian: x", dtype));
      CHECK(refusal([&] { return hessian(to_floating, x); }) == must_be("hessian: x", dtype));
      CHECK(refusal([&] { return hvp(to_floating, x, x); }) == must_be("hvp: x", dtype));
      CHECK(refusal([&] { return check_grads(to_floating, x); }) == must_be("check_grads: x", dtype));
    }
  }
}

TEST_CASE("transforms of one tensor refuse an f(x) without derivatives") {
  for (const Dtype dtype : not_floating) {
    for (const Shape& shape : {Shape{}, Shape{1}}) {
      const Tensor x = ones(shape);
      const auto f = [dtype](const Tensor& t) { return t.to(dtype); };
      CHECK(refusal([&] { return vjp(f, x); }) == must_be("vjp: f(x)", dtype));
      CHECK(refusal([&] { return jvp(f, x, x); }) == must_be("jvp: f(x)", dtype));
      CHECK(refusal([&] { return jacobian(f, x); }) == must_be("jacobian: f(x)", dtype));
      CHECK(refusal([&] { return hessian(f, x); }) == must_be("hessian: f(x)", dtype));
      CHECK(refusal([&] { return hvp(f, x, x); }) == must_be("hvp: f(x)", dtype));
    }
  }
}

TEST_CASE("transforms of many tensors give an empty handle for those without derivatives") {
  const std::vector<Tensor> inputs = {full({2}, 3), tensor({1, 0}).to(int64)};
  const TensorFunction f = [](std::span<const Tensor> in) {
    return std::vector<Tensor>{square(in[0]) * in[1].to(float32), in[1]};
  };
  const std::vector<Tensor> gradients = vjp(f, inputs)(std::vector<Tensor>{ones({2}), Tensor()});
  REQUIRE(gradients.size() == 2);
  CHECK(gradients[0].at({0}) == 6);
  CHECK_FALSE(gradients[1].defined());
  const JvpResult moved = jvp(f, inputs, std::vector<Tensor>{ones({2}), Tensor()});
  CHECK(moved.tangents[0].at({0}) == 6);
  CHECK_FALSE(moved.tangents[1].defined());
}

TEST_CASE("grad and backward refuse what has no derivatives by its dtype") {
  for (const Dtype dtype : not_floating) {
    for (const Shape& shape : shapes) {
      const Tensor x = ones({2}, {.requires_grad = true});
      const Tensor other = ones(shape, {.dtype = dtype});
      CHECK(refusal([&] { return grad({sum(x)}, {x, other}); }) == must_be("grad: input 1", dtype));
      CHECK(refusal([&] { return grad({other}, {x}); }) == must_be("grad: output 0", dtype));
      CHECK(refusal([&] {
              other.backward();
              return 0;
            }) == must_be("backward: output 0", dtype));
    }
  }
}

TEST_CASE("equations and linear systems refuse unknowns without derivatives") {
  const Tensor theta = ones({3}, {.requires_grad = true});
  const auto same = [](const Tensor& x) { return x; };
  for (const Dtype dtype : not_floating) {
    for (const Shape& shape : shapes) {
      const Tensor x = ones(shape, {.dtype = dtype});
      CHECK(refusal([&] {
              return fixed_point([](const Tensor& u, const Tensor&) { return u; }, x, theta);
            }) == must_be("fixed_point: x0", dtype));
      CHECK(refusal([&] {
              return implicit_root([](const Tensor& u, const Tensor&) { return u; },
                                   [&](const Tensor&) { return x; }, theta);
            }) == "implicit_root: x must be float32 or float64: the solver returned " +
                      std::string(to_string(dtype)));
      CHECK(refusal([&] { return solve_dense(same, x); }) == must_be("solve_dense: b", dtype));
      CHECK(refusal([&] { return gmres()(same, x); }) == must_be("gmres: b", dtype));
    }
  }
}

TEST_CASE("a parameter without derivatives is a constant of an equation") {
  for (const Dtype dtype : not_floating) {
    const Tensor a = full({1}, 4, {.dtype = float64, .requires_grad = true});
    const std::vector<Tensor> theta = {a, ones({1}, {.dtype = dtype})};
    const Tensor root = implicit_root(
        [](const Tensor& x, std::span<const Tensor> at) { return x * x - at[0] * at[1].to(float64); },
        [](std::span<const Tensor> at) { return sqrt(at[0]); }, theta);
    CHECK(grad({sum(root)}, {a})[0].item() == doctest::Approx(0.25));
  }
}
