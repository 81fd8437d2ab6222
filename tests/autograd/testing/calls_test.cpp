// What the shipped checks of errors, of what stays alive and of running again find, and how they report it.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/testing/faulty_operations.h"
#include "xtgrad/autograd/creation.h"

using namespace xtgrad;
using namespace xtgrad::testing::faulty;

TEST_CASE("testing::check: errors") {
  finds(cube({.infer =
                  [](InputSpecs in, OutputSpecs out) {
                    if (!is_floating(in[0]->dtype)) {
                      throw DtypeError("no " + std::string(to_string(in[0]->dtype)));
                    }
                    *out[0] = *in[0];
                  }}),
        Check::errors, "bool inputs: the message does not begin with the operation's name: \"no bool\"");
  finds(cube({.infer =
                  [](InputSpecs in, OutputSpecs out) {
                    if (!is_floating(in[0]->dtype)) throw DtypeError("cube: not so");
                    *out[0] = *in[0];
                  }}),
        Check::errors, "bool inputs: the message does not say \"bool\": \"cube: not so\"");
  Operation converts = cube();
  converts.apply = [](std::span<const Tensor> in) {
    return std::vector{
        run(Cube({}), {in[0].defined() && in[0].dtype() == int64 ? in[0].to(float64) : in[0]})};
  };
  finds(converts, Check::errors,
        "int64 inputs: the message does not begin with the operation's name: \"no error\"");
  Operation handles = cube();
  handles.apply = [](std::span<const Tensor> in) {
    return std::vector{run(Cube({}), {in[0].dtype() == int64 ? in[0] : in[0]})};
  };
  finds(handles, Check::errors,
        "input 0 an empty handle: the message does not begin with the operation's name: \"Tensor: ");
  handles.names_empty_handles = false;
  CHECK(testing::check_operation(handles).ok());
  Operation mixed = product();
  mixed.apply = [](std::span<const Tensor> in) {
    const bool both = in[0].defined() && in[1].defined() && is_floating(in[1].dtype());
    return std::vector{run(Product({}), {in[0], both ? in[1].to(in[0].dtype()) : in[1]})};
  };
  finds(mixed, Check::errors,
        "input 0 float32, the others float64: the message does not begin with the operation's name: \"no "
        "error\"");
  mixed.apply = [](std::span<const Tensor> in) {
    const bool whole =
        in[0].defined() && in[1].defined() && in[1].dtype() == int64 && is_floating(in[0].dtype());
    return std::vector{run(Product({}), {in[0], whole ? in[1].to(in[0].dtype()) : in[1]})};
  };
  finds(mixed, Check::errors,
        "input 1 int64, the others float64: the message does not begin with the operation's name: \"no "
        "error\"");
  Operation any_shape = product();
  any_shape.apply = [](std::span<const Tensor> in) {
    const bool differ = in[0].defined() && in[1].defined() && !(in[0].shape() == in[1].shape());
    return std::vector{differ ? in[0] : run(Product({}), in)};
  };
  finds(any_shape, Check::errors,
        "[2, 3] up to input 0, [4] after it: the message does not begin with the operation's name: \"no "
        "error\"");
  Operation bad_call = cube();
  bad_call.bad_calls = {testing::throws<DtypeError>(
      "needs float32", [] { return run(Cube({}), {ones({1}, {.dtype = int64})}); })};
  CHECK(testing::check_operation(bad_call).ok());
  bad_call.bad_calls = {testing::throws<ValueError>("", [] { return run(Cube({}), {ones({1})}); })};
  finds(bad_call, Check::errors,
        "a bad call: the message does not begin with the operation's name: \"no error\"");
}

TEST_CASE("testing::check: release") {
  Operation leaking = cube();
  std::vector<Tensor> kept;
  leaking.apply = [&kept](std::span<const Tensor> in) {
    kept.push_back(run(Cube({}), in));
    return std::vector{kept.back()};
  };
  CHECK(testing::check_operation(leaking, Check::release).failures.size() == 1);
  finds(leaking, Check::release, "");
  CHECK(testing::check_operation(leaking, Check::release).text().find("blocks stay alive") !=
        std::string::npos);
}

namespace {

void double_tile(const Primitive&, std::int64_t n, const void* const* in, InputSet, void* const* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = static_cast<const double*>(in[0])[i];
    static_cast<double*>(out[0])[i] = x * x * x * (1 + 1e-15);
  }
}

}  // namespace

TEST_CASE("testing::check: again") {
  // The state of one primitive: each call of `apply` makes another.
  const auto counted = [](auto fault) {
    Operation operation = cube();
    operation.apply = [fault](std::span<const Tensor> in) {
      return std::vector{run(Cube(fault(std::make_shared<int>(0))), in)};
    };
    return operation;
  };
  finds(counted([](const std::shared_ptr<int>& count) {
          return Faults{.infer = [count](InputSpecs in, OutputSpecs out) {
            require_floating("cube", in);
            *out[0] = *in[0];
            if (++*count > 1) out[0]->shape = {1};
          }};
        }),
        Check::again, "float32: cube: infers float32 [1], made float32 [3]");
  finds(counted([](const std::shared_ptr<int>& count) {
          return Faults{
              .value = [count](const Element& e) { return e.i == 2 && ++*count > 1 ? e.y * 2 : e.y; }};
        }),
        Check::again, "float32: value ");
  Operation beside = cube();
  beside.apply = [](std::span<const Tensor> in) {
    if (in[0].defined() && in[0].dtype() == float64) {
      const auto data = in[0].data<double>();
      static_cast<void>(run(Cube({}), {from_span(data, in[0].shape())}));
    }
    return std::vector{run(Cube({}), in)};
  };
  finds(beside, Check::again, "float64: a value is neither an input nor made by a step");
  Operation tiled = cube({.tile = double_tile});
  finds(tiled, Check::again, "cube: a tile has other bits than the whole");
  finds(cube({.overwrites = true}), Check::again,
        "cube: output 0 has other bits where it is written over input 0");
}

TEST_CASE("testing::check_operation keeps the first failures of each check, and counts the others") {
  Operation wrong = cube();
  wrong.inputs = {arange(9, {}, {.dtype = float64}) + 1.5};
  wrong.element = [](std::span<const Real>) { return std::vector<Real>{7}; };
  const testing::Report report = testing::check_operation(wrong, Check::values);
  REQUIRE(report.failures.size() == 7);
  CHECK(report.failures[6] == "cube, values: and 12 more");
  wrong.attributes = "scale=2";
  CHECK(testing::check_operation(wrong, Check::values)
            .failures[0]
            .rfind("cube(scale=2), values: value, float32", 0) == 0);
}

TEST_CASE("testing::check_operation takes no operation that it can say nothing about") {
  const auto refuses = [](auto change, const char* message) {
    Operation operation = cube();
    change(operation);
    CHECK_THROWS_WITH_AS(static_cast<void>(testing::check_operation(operation)), message, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(testing::check_operation(operation, Check::values)), message,
                         ValueError);
  };
  refuses([](Operation& o) { o.name.clear(); }, "check_operation: an operation needs a name");
  refuses([](Operation& o) { o.apply = {}; }, "check_operation: cube needs a function `apply`");
  refuses([](Operation& o) { o.dtypes = {int64}; },
          "check_operation: cube needs float32 or float64 among its dtypes");
  refuses([](Operation& o) { o.inputs = {Tensor()}; }, "check_operation: cube: input 0 is an empty handle");
  refuses([](Operation& o) { o.inputs = {ones({2})}; },
          "check_operation: cube: input 0 must be float64 to be converted to each dtype, got float32");
}
