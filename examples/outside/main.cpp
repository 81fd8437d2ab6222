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

using Elements = std::vector<std::vector<double>>;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "outside: not so: %s\n", what.c_str());
  std::exit(1);
}

void expect_text(const std::string& text, const std::string& part) {
  expect(text.find(part) != std::string::npos, "\"" + part + "\" is in:\n" + text);
}

std::vector<double> elements_of(const Tensor& x) {
  const auto data = x.data<double>();
  return {data.begin(), data.end()};
}

const Tensor& point() {
  static const Tensor x = tensor({-1.25, -0.5, 0.125, 0.75, 2, 1.5, 0.3, -2, 0.9}, {.dtype = float64});
  return x;
}

void checks_pass() {
  const testing::Operation polynomial_operation{
      .name = "polynomial",
      .apply =
          [](std::span<const Tensor> in) {
            return std::vector{polynomial(in[0], {1, -2, 0.5, 3, 1})};
          },
      .inputs = {point()},
      .reference =
          [](std::span<const Tensor> in) {
            std::vector<double> y;
            for (const double x : elements_of(in[0]))
              y.push_back(
                  static_cast<double>(1 - 2.0L * x + 0.5L * x * x + 3.0L * x * x * x + 1.0L * x * x * x * x));
            return Elements{y};
          },
      .ulps = 64};  // its terms cancel
  const testing::Operation sincos_operation{.name = "sincos",
                                            .apply =
                                                [](std::span<const Tensor> in) {
                                                  auto [s, c] = sincos(in[0]);
                                                  return std::vector{s, c};
                                                },
                                            .inputs = {point()},
                                            .reference =
                                                [](std::span<const Tensor> in) {
                                                  Elements y(2);
                                                  for (const double x : elements_of(in[0])) {
                                                    y[0].push_back(std::sin(x));
                                                    y[1].push_back(std::cos(x));
                                                  }
                                                  return y;
                                                }};
  const testing::Operation airy_operation{
      .name = "airy",
      .apply =
          [](std::span<const Tensor> in) {
            auto [ai, slope] = airy(in[0]);
            return std::vector{ai, slope};
          },
      .inputs = {tensor({0, 1, -1}, {.dtype = float64})},
      .reference =
          [](std::span<const Tensor>) {
            return Elements{{0.355028053887817239, 0.135292416312881416, 0.535560883292352076},
                            {-0.258819403792806798, -0.159147441296793211, -0.0101605671166452094}};
          },
      .ulps = 128,
      .takes_float32 = false};
  for (const testing::Operation& operation : {polynomial_operation, sincos_operation, airy_operation}) {
    const testing::Report report = testing::check(operation);
    expect(report.ok(), report.text());
    std::printf("%s: right to order %d\n", operation.name.c_str(), operation.order);
  }
  // Its rule is not its derivative, on purpose; what it promises is checked by hand.
  Tensor x = tensor({-0.5, 2}, {.dtype = float64, .requires_grad = true});
  sum(straight_through(x) * tensor({3, 4}, {.dtype = float64})).backward();
  expect(elements_of(x.grad()) == std::vector<double>{3, 4}, "the gradient passes straight through");
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
  expect_text(steps.text(), "polynomial[c0=0, c1=1, c2=0.5](x)  float64 [9]");
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
