// Each shipped check finds what it is there to find, and no other check finds it: operations that are right
// but for one fault.
#include "xtgrad/autograd/testing.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"

using namespace xtgrad;
using testing::Check;
using testing::Operation;
using testing::Real;

namespace {

/// An element that is about to be stored.
struct Element {
  double x;
  double y;
  std::int64_t i;
  std::int64_t n;
  Dtype dtype;
};

/// What may be wrong; nothing where a function is absent.
struct Faults {
  std::function<void(InputSpecs, OutputSpecs)> infer = {};
  std::function<double(const Element&)> value = {};
  /// Gets the cotangent, the input, and the right gradient.
  std::function<Tensor(const Tensor& g, const Tensor& x, const Tensor& right)> gradient = {};
  TileKernel tile = nullptr;
  bool overwrites = false;  // claims that its output may take over its input, which it reads twice
};

/// x^3.
class Cube final : public DifferentiablePrimitive<Cube> {
 public:
  explicit Cube(Faults faults) : faults_(std::move(faults)) {}

  [[nodiscard]] std::string_view name() const override { return "cube"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    if (faults_.infer) return faults_.infer(in, out);
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
  [[nodiscard]] InputSet may_overwrite(int) const override { return faults_.overwrites ? 1 : 0; }
  [[nodiscard]] TileKernel bind(InputSpecs in) const override {
    return in[0]->dtype == float64 ? faults_.tile : nullptr;
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0);
    const Tensor right = context.g() * square(x) * 3;
    context.set(0, faults_.gradient ? faults_.gradient(context.g(), x, right) : right);
  }

 private:
  template <class T>
  void fill(const Array& in, Array& out) const {
    const T* x = in.data<T>();
    T* y = out.mutable_data<T>();
    if (faults_.overwrites) {
      for (std::int64_t i = 0; i < in.numel(); ++i) y[i] = x[i] * x[i];
      for (std::int64_t i = 0; i < in.numel(); ++i) y[i] = y[i] * x[i];
      return;
    }
    for (std::int64_t i = 0; i < in.numel(); ++i) {
      const T right = x[i] * x[i] * x[i];
      y[i] = faults_.value ? static_cast<T>(faults_.value({x[i], right, i, in.numel(), in.dtype})) : right;
    }
  }

  Faults faults_;
};

/// a b, of tensors of one shape. The faulty gradient is that in a.
class Product final : public DifferentiablePrimitive<Product> {
 public:
  using Gradient = std::function<Tensor(const VjpContext&, const Tensor& right)>;
  explicit Product(Gradient gradient) : gradient_(std::move(gradient)) {}

  [[nodiscard]] std::string_view name() const override { return "product"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    if (!(in[0]->shape == in[1]->shape)) {
      throw ShapeError("product: needs one shape, got " + to_string(in[0]->shape) + " and " +
                       to_string(in[1]->shape));
    }
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill<float>(*in[0], *in[1], *out[0]);
    } else {
      fill<double>(*in[0], *in[1], *out[0]);
    }
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1); }
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) {
      const Tensor right = context.g() * Tensor(context.input(1));
      context.set(0, gradient_ ? gradient_(context, right) : right);
    }
    if (context.wanted(1)) context.set(1, context.g() * Tensor(context.input(0)));
  }

 private:
  template <class T>
  static void fill(const Array& a, const Array& b, Array& y) {
    for (std::int64_t i = 0; i < a.numel(); ++i) y.mutable_data<T>()[i] = a.data<T>()[i] * b.data<T>()[i];
  }

  Gradient gradient_;
};

Operation cube(const Faults& faults = {}) {
  return {.name = "cube",
          .apply = [faults](std::span<const Tensor> in) { return std::vector{run(Cube(faults), in)}; },
          .inputs = {tensor({0.5, -1.5, 1.25}, {.dtype = float64})},
          .element = [](std::span<const Real> x) { return std::vector{x[0] * x[0] * x[0]}; },
          .accuracy = {.ulps = 2},
          .points = {{{0}, 0, {0}, {0}}, {{2}, 8, {12}, {12}}, {{-1}, -1, {3}, {-6}}}};
}

Operation product(const Product::Gradient& gradient = {}) {
  return {.name = "product",
          .apply = [gradient](std::span<const Tensor> in) { return std::vector{run(Product(gradient), in)}; },
          .inputs = {tensor({0.5, -1.5, 1.25}, {.dtype = float64}), tensor({2.5, 1, -3}, {.dtype = float64})},
          .element = [](std::span<const Real> x) { return std::vector{x[0] * x[1]}; },
          .accuracy = {.ulps = testing::correctly_rounded},
          .linear_in = {0, 1}};
}

/// The check reports a failure with `text`, and no other check reports any.
void finds(const Operation& operation, Check check, const std::string& text) {
  const testing::Report report = testing::check(operation);
  const std::string beginning = operation.name + ", " + std::string(to_string(check)) + ": ";
  INFO(report.text());
  REQUIRE_FALSE(report.ok());
  CHECK(report.failures[0].rfind(beginning + text, 0) == 0);
  for (const std::string& failure : report.failures) CHECK(failure.rfind(beginning, 0) == 0);
  CHECK(testing::check(operation, check).failures == report.failures);
}

Operation without_points(Operation operation) {
  operation.points = {};
  return operation;
}

/// `right`, and a little more where x is the last element of the point, which no other check asks for.
Tensor spoiled(const Tensor& x, const Tensor& right, double factor) {
  return where(equal(x, 1.25), right * factor, right);
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("testing::check finds nothing wrong with what is right") {
  for (const Operation& operation : {cube(), product()}) {
    const testing::Report report = testing::check(operation);
    CHECK_MESSAGE(report.ok(), report.text());
    CHECK(report.text().empty());
    for (const Check check : testing::all_checks) CHECK(testing::check(operation, check).ok());
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
  CHECK(testing::check(composed).ok());
  Operation own = cube();
  own.recorded = testing::Recorded::others;
  finds(own, Check::recorded, "is composed of others, but made a node of its own");
  Operation constant = cube();
  constant.order = 0;
  finds(constant, Check::recorded, "is recorded, but has no derivative");
  Operation cut = cube();
  cut.apply = [](std::span<const Tensor> in) { return std::vector{run(Cube({}), {in[0].detach()})}; };
  CHECK(testing::check(cut, Check::recorded).text() == "cube, recorded: is not recorded");
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
  CHECK(testing::check(wide, Check::values).text() == "cube, values: the result is float64, wanted float32");
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
  CHECK(testing::check(operation).text().empty());
  const testing::Reference right = operation.reference;
  operation.reference = [right](std::span<const testing::Values> in) {
    std::vector<testing::Values> y = right(in);
    if (in[0].data[2] == 1.25) y[1].data[2] = infinity;
    return y;
  };
  CHECK(testing::check(operation, Check::values).failures[0] ==
        "cube, values: output 1: value, float32: element 2 of [3] is 3.90625, wanted inf (inf ulps, 2 "
        "allowed)");
  operation.reference = [right](std::span<const testing::Values> in) { return std::vector{right(in)[0]}; };
  CHECK(testing::check(operation, Check::values).failures[0] ==
        "cube, values: value, float32: 2 outputs, the reference has 1");
  operation.reference = [right](std::span<const testing::Values> in) {
    std::vector<testing::Values> y = right(in);
    y[0].shape = {1, 3};
    return y;
  };
  CHECK(testing::check(operation, Check::values).failures[0] ==
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
  CHECK_MESSAGE(testing::check(narrow).ok(), testing::check(narrow).text());
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
  CHECK(testing::check(place(-7, 0)).ok());
  finds(place(-1000, 3), Check::nasty, "-1000 in input 0, float32: element ");
  finds(place(-infinity, 0), Check::nasty, "-inf in input 0, float32: element ");
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
  CHECK(testing::check(cut, Check::adjoint).failures[0] == "product, adjoint: input 0 gets no gradient");
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
  CHECK(testing::check(stretched, Check::sizes).failures[0] ==
        "product, sizes: threw \"product: needs one shape, got [] and [2, 19]\"");
  const auto position = [](const Tensor&, const Tensor& x, const Tensor& right) {
    return x.numel() == 17 ? right * arange(17, {}, {.dtype = x.dtype()}) : right;
  };
  finds(cube({.gradient = position}), Check::sizes,
        "gradient 0, float32: element 0 of [17] is 0, alone it is ");
}

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
  CHECK(testing::check(handles).ok());
  Operation mixed = product();
  mixed.apply = [](std::span<const Tensor> in) {
    const bool both = in[0].defined() && in[1].defined() && is_floating(in[1].dtype());
    return std::vector{run(Product({}), {in[0], both ? in[1].to(in[0].dtype()) : in[1]})};
  };
  finds(mixed, Check::errors,
        "input 0 float32, the others float64: the message does not begin with the operation's name: \"no "
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
  CHECK(testing::check(bad_call).ok());
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
  CHECK(testing::check(leaking, Check::release).failures.size() == 1);
  finds(leaking, Check::release, "");
  CHECK(testing::check(leaking, Check::release).text().find("blocks stay alive") != std::string::npos);
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

TEST_CASE("testing::check keeps the first failures of each check, and counts the others") {
  Operation wrong = cube();
  wrong.inputs = {arange(9, {}, {.dtype = float64}) + 1.5};
  wrong.element = [](std::span<const Real>) { return std::vector<Real>{7}; };
  const testing::Report report = testing::check(wrong, Check::values);
  REQUIRE(report.failures.size() == 7);
  CHECK(report.failures[6] == "cube, values: and 12 more");
  wrong.attributes = "scale=2";
  CHECK(testing::check(wrong, Check::values).failures[0].rfind("cube(scale=2), values: value, float32", 0) ==
        0);
}

TEST_CASE("testing::check takes no operation that it can say nothing about") {
  const auto refuses = [](auto change, const char* message) {
    Operation operation = cube();
    change(operation);
    CHECK_THROWS_WITH_AS(static_cast<void>(testing::check(operation)), message, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(testing::check(operation, Check::values)), message, ValueError);
  };
  refuses([](Operation& o) { o.name.clear(); }, "testing::check: an operation needs a name");
  refuses([](Operation& o) { o.apply = {}; }, "testing::check: cube needs a function `apply`");
  refuses([](Operation& o) { o.dtypes = {int64}; },
          "testing::check: cube needs float32 or float64 among its dtypes");
  refuses([](Operation& o) { o.inputs = {Tensor()}; }, "testing::check: cube: input 0 is an empty handle");
  refuses([](Operation& o) { o.inputs = {ones({2})}; },
          "testing::check: cube: input 0 must be float64 to be converted to each dtype, got float32");
}
