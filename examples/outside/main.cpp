// The four operations, treated as if the library had always had them. Exits with 1 and says why if one is
// not.
#include <xtgrad/autograd/creation.h>
#include <xtgrad/autograd/custom_vjp.h>
#include <xtgrad/autograd/errors.h>
#include <xtgrad/autograd/graph.h>
#include <xtgrad/autograd/observe.h>
#include <xtgrad/autograd/ops.h>
#include <xtgrad/autograd/primitive.h>
#include <xtgrad/autograd/step_list.h>
#include <xtgrad/autograd/testing.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "operations.h"

using namespace xtgrad;

namespace {

using testing::Real;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "outside: not so: %s\n", what.c_str());
  std::exit(1);
}

void expect_text(const std::string& text, const std::string& part) {
  expect(text.find(part) != std::string::npos, "\"" + part + "\" is in:\n" + text);
}

const Tensor& point() {
  static const Tensor x = tensor({-1.25, -0.5, 0.125, 0.75, 2, 1.5, 0.3, -2, 0.9}, {.dtype = float64});
  return x;
}

/// Ai and Ai' by Horner's rule, from the recurrence of the coefficients: a_n = a_(n-3) / (n (n - 1)).
std::vector<Real> airy_by_horner(Real x) {
  std::vector<Real> a = {0.355028053887817239260L, -0.258819403792806798405L, 0};
  for (int n = 3; n < 150; ++n) a.push_back(a[static_cast<std::size_t>(n - 3)] / (n * (n - 1)));
  Real value = 0;
  Real slope = 0;
  for (std::size_t n = a.size(); n-- > 0;) {
    slope = slope * x + value;
    value = value * x + a[n];
  }
  return {value, slope};
}

/// Of 0, -0 and NaN it is 0, 0 and NaN.
Real sign_of(Real x) {
  if (x > 0) return 1;
  return x < 0 ? -1 : x + 0;
}

void checks_pass() {
  const testing::Operation polynomial_operation{
      .name = "polynomial",
      .apply =
          [](std::span<const Tensor> in) {
            return std::vector{polynomial(in[0], {1, -2, 0.5, 3, 1})};
          },
      .inputs = {point()},
      .element =
          [](std::span<const Real> in) {
            const Real x = in[0];
            return std::vector{1 + x * (-2 + x * (0.5L + x * (3 + x)))};
          },
      // Eight roundings, of terms that add up to 47 at x = -2 before they cancel.
      .accuracy = {.ulps = 8, .floor = 32},
      .points = {{{0}, 1, {-2}, {1}}, {{1}, 3.5, {12}, {31}}, {{-1}, 1.5, {2}, {-5}}}};
  const testing::Operation sincos_operation{
      .name = "sincos",
      .apply =
          [](std::span<const Tensor> in) {
            auto [s, c] = sincos(in[0]);
            return std::vector{s, c};
          },
      .inputs = {point()},
      .element =
          [](std::span<const Real> x) {
            return std::vector{std::sin(x[0]), std::cos(x[0])};
          },
      .accuracy = {.ulps = 1},
      .points = {{{0}, 0, {1}, {0}}, {.at = {0}, .value = 1, .gradient = {0}, .hessian = {-1}, .output = 1}}};
  const testing::Operation airy_operation{
      .name = "airy",
      .apply =
          [](std::span<const Tensor> in) {
            auto [ai, slope] = airy(in[0]);
            return std::vector{ai, slope};
          },
      .inputs = {tensor({0, 1, -1}, {.dtype = float64})},
      .element = [](std::span<const Real> x) { return airy_by_horner(x[0]); },
      // At x = 3 two series of up to 7 cancel, of a dozen terms each.
      .accuracy = {.ulps = 12, .floor = 8},
      .dtypes = {float64},
      .takes = [](double x) { return std::abs(x) <= 3; },
      .bad_calls = {testing::throws<ValueError>("needs |x| up to 5, got 6",
                                                [] { return airy(tensor({6}, {.dtype = float64})).first; })}};
  for (const testing::Operation& operation : {polynomial_operation, sincos_operation, airy_operation}) {
    const testing::Report report = testing::check_operation(operation);
    expect(report.ok(), report.text());
    std::printf("%s: right to order %d\n", operation.name.c_str(), operation.order);
  }
  // Its rule is not its derivative, on purpose. All else holds of it, and its points say what it promises.
  const testing::Operation sign_operation{
      .name = "straight_through",
      .apply = [](std::span<const Tensor> in) { return std::vector{straight_through(in[0])}; },
      .inputs = {point()},
      .element = [](std::span<const Real> x) { return std::vector{sign_of(x[0])}; },
      .accuracy = {},
      .dtypes = {float32, float64, int64},
      .points = {{{-0.5}, -1, {1}, {0}}, {{0}, 0, {1}, {0}}, {{2}, 1, {1}, {0}}},
      .other_names = {"sign"},
      .names_empty_handles = false};
  for (const testing::Check check : testing::all_checks) {
    const bool passes = testing::check_operation(sign_operation, check).ok();
    expect(passes == (check != testing::Check::derivatives),
           testing::check_operation(sign_operation, check).text());
  }
}

Tensor all_of(const Tensor& x) {
  const auto [s, c] = sincos(polynomial(x, {0, 1, 0.5}));
  const auto [ai, slope] = airy(straight_through(x) * s);
  return sum(ai * c + slope);
}

void names_are_seen() {
  const Tensor x = point().detach().set_requires_grad();
  StepList steps;
  Profile profile;
  steps.set_name("x", x);
  const Tensor y = all_of(x);
  const std::string picture = to_dot(graph_of(y));
  y.backward();
  for (const char* name : {"polynomial", "sincos", "airy", "straight_through"}) {
    expect_text(steps.text(), name);
    expect_text(profile.table(), name);
    expect_text(picture, name);
  }
  expect_text(steps.text(), "sign(x)  float64 [9]  in straight_through");
  expect_text(steps.text(), "polynomial[coefficients=[0, 1, 0.5]](x)  float64 [9]");
  expect_text(profile.chrome_trace(), "rule of straight_through");
  const std::string differences = steps.run_again();
  expect(differences.empty(), "run again, the steps give the same bits: " + differences);
  std::printf("%s\n%s\n", steps.text().c_str(), profile.table().c_str());
}

template <class E, class F>
void expect_error(const F& call, const std::string& text) {
  try {
    call();
  } catch (const E& error) {
    return expect_text(error.what(), text);
  }
  expect(false, "an error: " + text);
}

void errors_name_them() {
  expect_error<DtypeError>([] { (void)polynomial(tensor({1}).to(int64), {1}); }, "polynomial: needs float32");
  expect_error<DtypeError>([] { (void)airy(ones({2})); }, "airy: needs float64, got float32");
  expect_error<ValueError>([] { (void)sincos(Tensor()); }, "sincos: input 0: the handle is empty");
  expect_error<NonFiniteError>(
      [] {
        const NanGuard guard;
        (void)polynomial(full({2}, 1e30F), {0, 0, 1});
      },
      "polynomial");
  expect_error<GraphError>(
      [] {
        const Tensor w = ones({2}).set_requires_grad();
        (void)custom_vjp([&](const Tensor& v) { return v * w; },
                         [](const Tensor&, const Tensor&, const Tensor& g) { return g; }, w.detach(),
                         {.name = "leaky"});
      },
      "leaky: the function uses a tensor");
}

/// x itself. Its attribute says how many there are.
class Counted final : public DifferentiablePrimitive<Counted> {
 public:
  Counted() { ++alive; }
  Counted(const Counted& other) : DifferentiablePrimitive(other), text_(other.text_) { ++alive; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }

  [[nodiscard]] std::string_view name() const override { return "counted"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    std::copy_n(in[0]->data<double>(), in[0]->numel(), out[0]->mutable_data<double>());
  }
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }

  static inline int alive = 0;

 private:
  std::string text_ = std::string(100, 'x');  // too long to be stored in the object
};

void attributes_are_destroyed() {
  Tensor x = point().detach().set_requires_grad();
  {
    const Tensor dropped = run(Counted(), {run(Counted(), {x})});
    expect(Counted::alive == 2, "a recorded operation keeps its attributes");
  }
  expect(Counted::alive == 0, "the attributes of a dropped graph are destroyed");
  sum(run(Counted(), {run(Counted(), {x})})).backward();
  expect(Counted::alive == 0, "those of a swept one are");
  {
    const StepList steps;
    (void)run(Counted(), {x.detach()});
    expect(Counted::alive == 1, "a list of steps has a copy");
  }
  expect(Counted::alive == 0, "the attributes of listed steps are destroyed with the list");
}

}  // namespace

int main() {
  checks_pass();
  names_are_seen();
  errors_name_them();
  attributes_are_destroyed();
  std::puts("all is well");
}
