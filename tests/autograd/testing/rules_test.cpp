// What the shipped checks of rules find.
#include <doctest/doctest.h>

#include <string>

#include "tests/autograd/testing/faulty_operations.h"
#include "xtgrad/autograd/creation.h"

using namespace xtgrad;
using namespace xtgrad::testing::faulty;

namespace {

Operation without_points(Operation operation) {
  operation.points = {};
  return operation;
}

/// `right`, and a little more where x is the last element of the point, which no other check asks for.
Tensor spoiled(const Tensor& x, const Tensor& right, double factor) {
  return where(equal(x, 1.25), right * factor, right);
}

}  // namespace

TEST_CASE("testing::check: derivatives of every order, and in float32") {
  finds(without_points(cube(
            {.gradient = [](const Tensor&, const Tensor&, const Tensor& right) { return right * 1.001; }})),
        Check::derivatives, "check_grads: cube: wrong gradient at order 1");
  finds(without_points(cube({.gradient = [](const Tensor& g, const Tensor& x,
                                            const Tensor&) { return g * square(x.detach()) * 3; }})),
        Check::derivatives, "check_grads: cube: wrong gradient at order 2");
  finds(without_points(cube({.gradient =
                                 [](const Tensor&, const Tensor&, const Tensor& right) {
                                   return right.dtype() == float32 ? right * 1.0001 : right;
                                 }})),
        Check::derivatives, "gradient 0, float32 against float64: element ");
  Operation narrow = cube();
  narrow.dtypes = {float32};
  CHECK(testing::check_operation(narrow, Check::derivatives).text() ==
        "cube, derivatives: it takes no float64, in which alone they can be compared with numerical ones");
}

TEST_CASE("testing::check: evaluators") {
  finds(cube({.gradient =
                  [](const Tensor& g, const Tensor& x, const Tensor& right) {
                    return g.requires_grad() ? spoiled(x, right, 1 + 1e-12) : right;
                  }}),
        Check::evaluators, "gradient 0, plain against recorded, float64: element 2 of [3] is ");
  Operation alone = product([](const VjpContext& context, const Tensor& right) {
    return context.wanted(1) ? right : right * (1 + 1e-12);
  });
  alone.linear_in = {};
  finds(alone, Check::evaluators, "gradient 0 alone against all together: element ");
}

TEST_CASE("testing::check: adjoint, and the tangent of a linear operation") {
  // Too little for numerical derivatives to see.
  finds(product([](const VjpContext&, const Tensor& right) { return right * (1 + 1e-9); }), Check::adjoint,
        "input 0, float64: <Ax, y> is ");
  finds(product([](const VjpContext& context, const Tensor& right) {
          if (right.dtype() == float32) return right;
          return right + (context.g() - context.g().detach()) * 1e-9;
        }),
        Check::adjoint, "tangent of input 0, float64: element ");
  Operation curved = cube();
  curved.linear_in = {0};
  curved.linear_exactly = false;
  finds(curved, Check::adjoint, "input 0, float32: <Ax, y> is ");
  Operation cut = product([](const VjpContext&, const Tensor&) { return Tensor(); });
  CHECK(testing::check_operation(cut, Check::adjoint).failures[0] ==
        "product, adjoint: input 0 gets no gradient");
}
