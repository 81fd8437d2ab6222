// What the shipped checks of nodes and values find: each its own faults, and no other check finds them.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/autograd/testing/faulty_operations.h"
#include "xtgrad/autograd/creation.h"

using namespace xtgrad;
using namespace xtgrad::testing::faulty;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("testing::check_operation finds nothing wrong with what is right") {
  for (const Operation& operation : {cube(), product()}) {
    const testing::Report report = testing::check_operation(operation);
    CHECK_MESSAGE(report.ok(), report.text());
    CHECK(report.text().empty());
    for (const Check check : testing::all_checks) CHECK(testing::check_operation(operation, check).ok());
  }
  CHECK(std::size(testing::all_checks) == 11);
}

TEST_CASE("testing::check: recorded") {
  Operation composed = cube();
  composed.apply = [](std::span<const Tensor> in) { return std::vector{in[0] * in[0] * in[0]}; };
  composed.dtypes = {float32, float64, int64};
  composed.integers = false;
  composed.other_names = {"mul"};
  composed.names_empty_handles = false;
  finds(composed, Check::recorded, "made a node of mul");
  composed.recorded = testing::Recorded::inner;
  finds(composed, Check::recorded, "made no node of its name");
  composed.recorded = testing::Recorded::others;
  CHECK(testing::check_operation(composed).ok());
  Operation own = cube();
  own.recorded = testing::Recorded::others;
  finds(own, Check::recorded, "is composed of others, but made a node of its own");
  Operation constant = cube();
  constant.order = 0;
  finds(constant, Check::recorded, "is recorded, but has no derivative");
  Operation cut = cube();
  cut.apply = [](std::span<const Tensor> in) { return std::vector{run(Cube({}), {in[0].detach()})}; };
  CHECK(testing::check_operation(cut, Check::recorded).text() == "cube, recorded: is not recorded");
}

TEST_CASE("testing::check: values, in both dtypes") {
  finds(cube({.value = [](const Element& e) { return e.x == 1.25 ? e.y * (1 + 1e-12) : e.y; }}),
        Check::values, "value, float64: element 2 of [3] is 1.9531250000019533, wanted 1.953125 (");
  finds(
      cube({.value =
                [](const Element& e) { return e.dtype == float32 && e.x == 1.25 ? e.y * (1 + 1e-5) : e.y; }}),
      Check::values, "value, float32: element 2 of [3] is 1.95314455, wanted 1.953125 (");
  Operation wide = cube();
  wide.apply = [](std::span<const Tensor> in) {
    return std::vector{run(Cube({}), {in[0].dtype() == float32 ? in[0].to(float64) : in[0]})};
  };
  CHECK(testing::check_operation(wide, Check::values).text() ==
        "cube, values: the result is float64, wanted float32");
}

TEST_CASE("testing::check: values against a reference of whole arrays, of several outputs") {
  Operation operation = cube();
  operation.points = {};
  operation.element = {};
  operation.recorded = testing::Recorded::inner;
  operation.apply = [](std::span<const Tensor> in) {
    const Tensor y = run(Cube({}), in);
    return std::vector{y, y * 2.0};
  };
  operation.reference = [](std::span<const testing::Values> in) {
    std::vector<testing::Values> y(2, in[0]);
    for (std::size_t i = 0; i < in[0].data.size(); ++i) {
      y[0].data[i] *= in[0].data[i] * in[0].data[i];
      y[1].data[i] = 2 * y[0].data[i];
    }
    return y;
  };
  CHECK(testing::check_operation(operation).text().empty());
  const testing::Reference right = operation.reference;
  operation.reference = [right](std::span<const testing::Values> in) {
    std::vector<testing::Values> y = right(in);
    if (in[0].data[2] == 1.25) y[1].data[2] = infinity;
    return y;
  };
  CHECK(testing::check_operation(operation, Check::values).failures[0] ==
        "cube, values: output 1: value, float32: element 2 of [3] is 3.90625, wanted inf (inf ulps, 2 "
        "allowed)");
  operation.reference = [right](std::span<const testing::Values> in) { return std::vector{right(in)[0]}; };
  CHECK(testing::check_operation(operation, Check::values).failures[0] ==
        "cube, values: value, float32: 2 outputs, the reference has 1");
  operation.reference = [right](std::span<const testing::Values> in) {
    std::vector<testing::Values> y = right(in);
    y[0].shape = {1, 3};
    return y;
  };
  CHECK(testing::check_operation(operation, Check::values).failures[0] ==
        "cube, values: output 0: value, float32: shape [3], wanted [1, 3] of 3 elements");
}

TEST_CASE("testing::check: nasty values") {
  finds(cube({.value = [](const Element& e) { return e.x == 0 ? 0.0 : e.y; }}), Check::nasty,
        "nasty value, float32: element 12 of [25] is 0, wanted -0 (");
  finds(cube({.value = [](const Element& e) { return std::isnan(e.x) ? 0.0 : e.y; }}), Check::nasty,
        "nasty value, float32: element 24 of [25] is 0, wanted nan (");
  finds(cube({.value = [](const Element& e) { return std::isinf(e.x) ? e.x / infinity : e.y; }}),
        Check::nasty, "nasty value, float32: element 11 of [25] is ");
  // Of the largest numbers, cubes are infinite.
  finds(cube({.value = [](const Element& e) { return std::isfinite(e.x) && std::isinf(e.y) ? 0 : e.y; }}),
        Check::nasty, "nasty value, float32: element 10 of [25] is 0, wanted ");
  Operation narrow = cube({.value = [](const Element& e) { return std::abs(e.x) > 100 ? 0 : e.y; }});
  narrow.takes = [](double x) { return std::abs(x) <= 100; };
  CHECK_MESSAGE(testing::check_operation(narrow).ok(), testing::check_operation(narrow).text());
}

TEST_CASE("testing::check: nasty values in one place of operations that are not elementwise") {
  const auto place = [](double x, double wrong) {
    Operation operation = cube({.value = [x, wrong](const Element& e) { return e.x == x ? wrong : e.y; }});
    operation.points = {};
    const testing::ElementReference element = operation.element;
    operation.reference = [element](std::span<const testing::Values> in) {
      testing::Values y{in[0].shape, {}};
      for (const Real value : in[0].data) y.data.push_back(element(std::vector{value})[0]);
      return std::vector{y};
    };
    operation.element = {};
    return operation;
  };
  CHECK(testing::check_operation(place(-7, 0)).ok());
  finds(place(-1000, 3), Check::nasty, "-1000 in input 0, float32: element ");
  finds(place(-infinity, 0), Check::nasty, "-inf in input 0, float32: element ");
}

TEST_CASE("testing::check: nasty values of four inputs, one place at a time, and of masks and indices") {
  Operation four = product();
  four.recorded = testing::Recorded::inner;
  four.linear_in = {};
  const Tensor x = four.inputs[0];
  four.inputs = {x, x, x, x};
  four.accuracy = {.ulps = 3};
  four.element = [](std::span<const Real> in) {
    const Real wrong = in[3] == -1000 ? 1 : 0;
    return std::vector{in[0] * in[1] + in[2] * in[3] + wrong};
  };
  four.apply = [](std::span<const Tensor> in) {
    return std::vector{run(Product({}), {in[0], in[1]}) + run(Product({}), {in[2], in[3]})};
  };
  CHECK(testing::check_operation(four, Check::nasty)
            .failures.at(0)
            .rfind("product, nasty values: -1000 in input 3, float32: element ", 0) == 0);

  Operation choice = cube();
  choice.points = {};
  choice.inputs = {tensor({1, 0, 1}, {.dtype = boolean}), tensor({0, 1, 0}, {.dtype = int64}), x};
  choice.element = [](std::span<const Real> in) { return std::vector{in[0] != 0 ? in[2] : in[1]}; };
  choice.recorded = testing::Recorded::others;
  choice.accuracy = {};
  choice.apply = [](std::span<const Tensor> in) {
    return std::vector{where(in[0], in[2], in[1].to(in[2].dtype()))};
  };
  CHECK(testing::check_operation(choice, Check::nasty).text().empty());
  choice.element = [](std::span<const Real> in) { return std::vector{in[0] != 0 || in[1] == 1 ? in[2] : 0}; };
  CHECK(testing::check_operation(choice, Check::nasty).failures.size() == 7);
}

TEST_CASE("testing::check: exact points") {
  // An ulp is in the accuracy of values, but not at a point where the value is known.
  finds(cube({.value =
                  [](const Element& e) {
                    return e.x != 2 ? e.y : e.y * (1 + (e.dtype == float32 ? 0x1p-23 : 0x1p-52));
                  }}),
        Check::exact, "value, float32: element 1 of [3] is 8.00000095, wanted 8 (");
  const auto wrong_at_two = [](const Tensor&, const Tensor& x, const Tensor& right) {
    return where(equal(x, 2), right * 0.5, right);
  };
  finds(cube({.gradient = wrong_at_two}), Check::exact,
        "gradient 0, float32: element 1 of [3] is 24, wanted 48 (");
  Operation kink = cube();
  kink.points = {{{2}, 8, {12}, {11}}};
  finds(kink, Check::exact, "second derivative 00, float32: element 0 of [1] is 24, wanted 22 (");
  Operation whole = cube();
  whole.exacts = {{.inputs = {tensor({{1, 2}}, {.dtype = float64})},
                   .value = {{1, 2}, {1, 8}},
                   .gradients = {{{1, 2}, {3, 13}}}}};
  finds(whole, Check::exact, "gradient 0, float32: element 1 of [1, 2] is 48, wanted 52 (");
}

TEST_CASE("testing::check: sizes") {
  const auto in_tail = [](const Element& e) { return e.n > 4 && e.i == e.n - 1 && e.n % 4 != 0; };
  finds(cube({.value =
                  [in_tail](const Element& e) {
                    if (!in_tail(e)) return e.y;
                    return e.dtype == float32
                               ? static_cast<double>(std::nextafter(static_cast<float>(e.y), 0.0F))
                               : std::nextafter(e.y, 0.0);
                  }}),
        Check::sizes, "value, float32: element 4 of [5] is -3.37499976, alone it is -3.375");
  finds(cube({.infer =
                  [](InputSpecs in, OutputSpecs out) {
                    require_floating("cube", in);
                    if (in[0]->shape.numel() == 0) throw ValueError("cube: needs elements");
                    *out[0] = *in[0];
                  }}),
        Check::sizes, "threw \"cube: needs elements\"");
  Operation stretched = product();
  stretched.broadcasts = true;
  CHECK(testing::check_operation(stretched, Check::sizes).failures[0] ==
        "product, sizes: threw \"product: needs one shape, got [] and [2, 19]\"");
  const auto position = [](const Tensor&, const Tensor& x, const Tensor& right) {
    return x.numel() == 17 ? right * arange(17, {}, {.dtype = x.dtype()}) : right;
  };
  finds(cube({.gradient = position}), Check::sizes,
        "gradient 0, float32: element 0 of [17] is 0, alone it is ");
}
