#include "xtgrad/autograd/custom_vjp.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

Tensor straight_through(const Tensor& x) {
  return custom_vjp([](const Tensor& v) { return sign(v); },
                    [](const Tensor&, const Tensor&, const Tensor& g) { return g; }, x,
                    {.name = "straight_through"});
}

/// x^3, whose rule knows the derivative.
Tensor cube(const Tensor& x) {
  return custom_vjp([](const Tensor& v) { return v * v * v; },
                    [](const Tensor& v, const Tensor&, const Tensor& g) { return g * (3 * square(v)); }, x);
}

/// a * b for tensors of one shape, in which the rule reads inputs and gives both cotangents.
Tensor product(const Tensor& a, const Tensor& b) {
  const std::vector<Tensor> inputs{a, b};
  return custom_vjp([](std::span<const Tensor> in) { return in[0] * in[1]; },
                    [](std::span<const Tensor> in, const Tensor&, const Tensor& g) {
                      return std::vector<Tensor>{g * in[1], g * in[0]};
                    },
                    inputs);
}

}  // namespace

TEST_CASE("custom_vjp: the derivative is the rule's") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const Tensor x = tensor({-2, 0, 3}, {.dtype = dtype, .requires_grad = true});
    const Tensor y = straight_through(x);
    CHECK(y.at({0}) == -1);
    CHECK(y.at({1}) == 0);
    const Tensor g = tensor({1, 2, 3}, {.dtype = dtype});
    y.backward({.gradient = g});
    CHECK(x.grad().at({0}) == 1);
    CHECK(x.grad().at({1}) == 2);
    CHECK(x.grad().at({2}) == 3);
  }
  CHECK(graph_of(straight_through(ones({2}, {.requires_grad = true}))).count("straight_through") == 1);
  CHECK(graph_of(cube(ones({2}, {.requires_grad = true}))).count("custom_vjp") == 1);
}

TEST_CASE("custom_vjp: orders 1 to 3 follow from a rule in differentiable functions") {
  const Tensor x = tensor({-1.5, 0.25, 2}, {.dtype = float64});
  CHECK_NOTHROW(require_grads([](const Tensor& v) { return cube(v); }, x, {.order = 3}));
  const Tensor t = full({}, 2, {.dtype = float64, .requires_grad = true});
  const Tensor d1 = grad({cube(t)}, {t}, {.create_graph = true})[0];
  const Tensor d2 = grad({d1}, {t}, {.create_graph = true})[0];
  CHECK(d1.item() == 12);
  CHECK(d2.item() == 12);
  CHECK(grad({d2}, {t})[0].item() == 6);
}

TEST_CASE("custom_vjp: several inputs, empty and 0-d tensors, and inputs without a gradient") {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 3}}) {
    CAPTURE(to_string(shape));
    const Tensor a = full(shape, 3, {.requires_grad = true});
    const Tensor b = full(shape, 5, {.requires_grad = true});
    sum(product(a, b)).backward();
    CHECK(a.grad().shape() == shape);
    if (shape.numel() != 0) {
      CHECK(amax(a.grad()).item() == 5);
      CHECK(amax(b.grad()).item() == 3);
    }
  }
  const Tensor a = ones({2}, {.requires_grad = true}), constant = full({2}, 4);
  sum(product(a, constant)).backward();
  CHECK(a.grad().at({1}) == 4);
  CHECK_FALSE(constant.grad().defined());
  CHECK_FALSE(product(constant, constant).requires_grad());
  const NoGrad no_grad;
  CHECK_FALSE(cube(a).requires_grad());
}

TEST_CASE("custom_vjp: a captured tensor that wants a gradient is an error that names it") {
  const Tensor w = ones({2}, {.requires_grad = true});
  w.set_name("scale");
  const Tensor x = ones({2}, {.requires_grad = true});
  const UnaryVjpRule rule = [](const Tensor&, const Tensor&, const Tensor& g) { return g; };
  CHECK(message_of<GraphError>(
            [&] { static_cast<void>(custom_vjp([&](const Tensor& v) { return v * w; }, rule, x)); }) ==
        "custom_vjp: the function uses a tensor that wants a gradient and is none of its inputs: \"scale\"; "
        "make it an input, or detach() it");
  const Tensor made = exp(w);
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(custom_vjp([&](const Tensor& v) { return v * made; }, rule, x));
        }).find("a result of exp") != std::string::npos);
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(custom_vjp([&](const Tensor&) { return x; }, rule, x));
        }).find("a leaf of shape [2]") != std::string::npos);
  // After a failure the thread records as before.
  CHECK((x * w).requires_grad());
  CHECK_NOTHROW(static_cast<void>(custom_vjp([&](const Tensor& v) { return v * w.detach(); }, rule, x)));
}

TEST_CASE("custom_vjp: the function may take derivatives inside, of what it was given") {
  const Tensor matrix = tensor({{1, -2}, {0.5, 3}}, {.dtype = float64});
  // Rules that read operands and results: of a sum in `plain`, of more in `softplus`, of products.
  const auto slope = [&](const Tensor& v) {
    return vjp([&](const Tensor& w) { return mean(softplus(matmul(matrix, w * w))); },
               v)(ones({}, {.dtype = float64}));
  };
  const Tensor x = tensor({0.5, -1.25}, {.dtype = float64, .requires_grad = true});
  const Tensor y = custom_vjp(
      slope, [&](const Tensor& v, const Tensor&, const Tensor& g) { return vjp(slope, v)(g); }, x);
  CHECK(testing::same_bits(y.detach(), slope(x).detach()));
  CHECK_NOTHROW(require_grads(
      [&](const Tensor& v) {
        return custom_vjp(
            slope, [&](const Tensor& at, const Tensor&, const Tensor& g) { return vjp(slope, at)(g); }, v);
      },
      x.detach(), {.order = 2}));
  const auto second = [&](const Tensor& v) {
    return hessian([](const Tensor& w) { return sum(softplus(w * w)); }, v);
  };
  CHECK_NOTHROW(static_cast<void>(custom_vjp(
      second, [](const Tensor& v, const Tensor&, const Tensor&) { return zeros_like(v); }, x)));
  // With a history of its own, which the rule stands for.
  const Tensor z = custom_vjp(
      [](const Tensor& v) {
        const EnableGrad record;
        return v.detach().set_requires_grad() * 2;
      },
      [](const Tensor&, const Tensor&, const Tensor& g) { return g * 5; }, x);
  CHECK(grad(sum(z), x).at({0}) == 5);
}

TEST_CASE("custom_vjp: what is captured is refused inside of derivatives, too, whatever thread made it") {
  const UnaryVjpRule rule = [](const Tensor&, const Tensor&, const Tensor& g) { return g; };
  const auto refuses = [&](const Tensor& x, const Tensor& w) {
    const auto inside = [&](const Tensor& v) {
      return vjp([&](const Tensor& u) { return sum(u * u * w); }, v)(ones({}));
    };
    const auto nested = [&](const Tensor& v) {
      return vjp(
          [&](const Tensor& u) { return sum(custom_vjp([&](const Tensor& t) { return t * u; }, rule, u)); },
          v)(ones({}));
    };
    const auto message = [&](const UnaryTensorFunction& f) {
      return message_of<GraphError>([&] { static_cast<void>(custom_vjp(f, rule, x)); });
    };
    CHECK(message(inside).find("a leaf of shape [2]") != std::string::npos);
    CHECK(message(nested).find("none of its inputs: a leaf of shape [2]") != std::string::npos);
  };
  Tensor x, w;
  // This thread's numbers are far behind those of another.
  std::thread([&] {
    for (int i = 0; i < 100000; ++i) static_cast<void>(ones({}));
    w = ones({2}, {.requires_grad = true});
  }).join();
  x = ones({2}, {.requires_grad = true});
  refuses(x, w);
  refuses(w, x);
}

TEST_CASE("custom_vjp: what the rule gives is checked") {
  const Tensor x = ones({2}, {.requires_grad = true});
  const auto swept = [&](UnaryVjpRule rule) {
    sum(custom_vjp([](const Tensor& v) { return v * 2; }, std::move(rule), x)).backward();
  };
  CHECK(message_of<ShapeError>([&] {
          swept([](const Tensor&, const Tensor&, const Tensor& g) { return sum(g); });
        }) == "custom_vjp: the rule's cotangent of input 0 has shape [], the input has [2]");
  CHECK(message_of<DtypeError>([&] {
          swept([](const Tensor&, const Tensor&, const Tensor& g) { return g.to(float64); });
        }) == "custom_vjp: the rule's cotangent of input 0 is float64, the input is float32");
  CHECK(message_of<ValueError>([&] {
          sum(custom_vjp(
                  [](std::span<const Tensor> in) { return in[0] * 2; },
                  [](std::span<const Tensor>, const Tensor&, const Tensor&) { return std::vector<Tensor>{}; },
                  std::span(&x, 1)))
              .backward();
        }) == "custom_vjp: the rule gave 0 cotangents for 1 inputs; an empty handle stands for none");
  CHECK(message_of<ValueError>([&] { swept(UnaryVjpRule()); }) ==
        "custom_vjp: needs a function and a rule, got an empty function");
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(custom_vjp([](const Tensor&) { return Tensor(); },
                                       [](const Tensor&, const Tensor&, const Tensor& g) { return g; }, x));
        }) == "custom_vjp: the function returned an empty handle");
}

TEST_CASE("custom_vjp: a name is seen wherever the function is") {
  const Tensor x = tensor({-2, 3}, {.requires_grad = true});
  const CustomVjpOptions named{.name = "round \"up\""};
  StepList steps;
  const Profile profile;
  steps.set_name("x", x);
  const Tensor y = custom_vjp([](const Tensor& v) { return sign(v); },
                              [](const Tensor&, const Tensor&, const Tensor& g) { return g * 2; }, x, named);
  sum(y).backward();
  CHECK(graph_of(y).count(named.name) == 1);
  CHECK(to_dot(graph_of(y)).find("round \\\"up\\\"") != std::string::npos);
  // Its own operations bear its name, those of its rule are nobody's.
  CHECK(steps.text().find("= sign(x)  float32 [2]  in round \"up\"\n") != std::string::npos);
  CHECK(steps.text().find("= sum") != std::string::npos);
  CHECK(profile.table().find("\nround \"up\"/sign ") != std::string::npos);
  CHECK(profile.chrome_trace().find("rule of round \\\"up\\\"") != std::string::npos);
  CHECK(steps.run_again().empty());
}

TEST_CASE("custom_vjp: errors bear the name") {
  const Tensor x = tensor({-2, 3}, {.requires_grad = true}), w = ones({2}, {.requires_grad = true});
  const UnaryVjpRule pass = [](const Tensor&, const Tensor&, const Tensor& g) { return g; };
  const CustomVjpOptions named{.name = "shrink"};
  CHECK(message_of<ShapeError>([&] {
          sum(custom_vjp([](const Tensor& v) { return v * 2; },
                         [](const Tensor&, const Tensor&, const Tensor& g) { return sum(g); }, x, named))
              .backward();
        }) == "shrink: the rule's cotangent of input 0 has shape [], the input has [2]");
  CHECK(message_of<GraphError>([&] {
          return custom_vjp([&](const Tensor& v) { return v * w; }, pass, x, named);
        }).find("shrink: the function uses a tensor that wants a gradient") == 0);
  CHECK(message_of<GraphError>([&] {
          return custom_vjp([](const Tensor&) { return Tensor(); }, pass, x, named);
        }) == "shrink: the function returned an empty handle");
  CHECK(message_of<ValueError>([&] {
          return custom_vjp([](const Tensor& v) { return v; }, UnaryVjpRule(), x, named);
        }) == "shrink: needs a function and a rule, got an empty function");
  CHECK(message_of<ValueError>([&] {
          return custom_vjp([](const Tensor& v) { return v; }, pass, x, {.name = ""});
        }) == "custom_vjp: the name is empty; leave it out for none");
  const NanGuard guard;
  CHECK(message_of<NonFiniteError>([&] {
          return custom_vjp([](const Tensor& v) { return log(v); }, pass, x, named);
        }).find("nan_guard: log, in shrink, gave nan at [0]") == 0);
}

TEST_CASE("custom_vjp: the rule lives as long as its node") {
  const auto alive = std::make_shared<int>(1);
  const Tensor x = ones({2}, {.requires_grad = true});
  {
    const Tensor y = custom_vjp([](const Tensor& v) { return v * 2; },
                                [alive](const Tensor&, const Tensor&, const Tensor& g) { return g * 2; }, x);
    CHECK(alive.use_count() == 2);
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("custom_vjp: an input that gets no cotangent gets none, whatever the rule before gave") {
  const Tensor w = tensor({1, 2}, {.requires_grad = true});
  const Tensor v = tensor({3, 4}, {.requires_grad = true});
  const Tensor u = tensor({5, 6}, {.requires_grad = true});
  const Tensor inputs[] = {u, v};
  const Tensor y = custom_vjp([](std::span<const Tensor> in) { return in[0] * in[1]; },
                              [](std::span<const Tensor>, const Tensor&, const Tensor& g) {
                                return std::vector<Tensor>{g, Tensor()};
                              },
                              inputs);
  // From the end: w gets a first cotangent, then a second, as input 1, and then y's rule runs.
  const Tensor first = y * w;
  const Tensor second = first * w;
  sum(second).backward();
  CHECK_FALSE(v.grad().defined());
  CHECK(u.grad().at({0}) == 1);
  CHECK(u.grad().at({1}) == 4);
}
