#include "tests/autograd/testing/faulty_operations.h"

#include <doctest/doctest.h>

#include <vector>

#include "xtgrad/autograd/creation.h"

namespace xtgrad::inline v1::testing::faulty {

Operation cube(const Faults& faults) {
  return {.name = "cube",
          .apply = [faults](std::span<const Tensor> in) { return std::vector{run(Cube(faults), in)}; },
          .inputs = {tensor({0.5, -1.5, 1.25}, {.dtype = float64})},
          .element = [](std::span<const Real> x) { return std::vector{x[0] * x[0] * x[0]}; },
          .accuracy = {.ulps = 2},
          .points = {{{0}, 0, {0}, {0}}, {{2}, 8, {12}, {12}}, {{-1}, -1, {3}, {-6}}}};
}

Operation product(const Product::Gradient& gradient) {
  return {.name = "product",
          .apply = [gradient](std::span<const Tensor> in) { return std::vector{run(Product(gradient), in)}; },
          .inputs = {tensor({0.5, -1.5, 1.25}, {.dtype = float64}), tensor({2.5, 1, -3}, {.dtype = float64})},
          .element = [](std::span<const Real> x) { return std::vector{x[0] * x[1]}; },
          .accuracy = {.ulps = testing::correctly_rounded},
          .linear_in = {0, 1}};
}

void finds(const Operation& operation, Check check, const std::string& text) {
  const testing::Report report = testing::check_operation(operation);
  const std::string beginning = operation.name + ", " + std::string(to_string(check)) + ": ";
  INFO(report.text());
  REQUIRE_FALSE(report.ok());
  CHECK(report.failures[0].rfind(beginning + text, 0) == 0);
  for (const std::string& failure : report.failures) CHECK(failure.rfind(beginning, 0) == 0);
  CHECK(testing::check_operation(operation, check).failures == report.failures);
}

}  // namespace xtgrad::v1::testing::faulty
