#include "xtgrad/autograd/hooks.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;
using xtgrad::testing::message_of;
using xtgrad::testing::values;

namespace {

using Values = std::vector<double>;

GradientHook times(double factor) {
  return [factor](const Tensor& g) { return g * factor; };
}

/// Looks, and leaves the gradient as it is.
GradientHook into(std::vector<Values>& seen) {
  return [&seen](const Tensor& g) {
    seen.push_back(values(g));
    return Tensor();
  };
}

}  // namespace

TEST_CASE(
    "a hook on a computed tensor sees the complete gradient once, before the rule, and may replace it") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({1, 2}, {.dtype = dtype, .requires_grad = true});
    const Tensor h = x * 3;
    std::vector<Values> seen;
    on_gradient(h, into(seen));
    on_gradient(h, times(10));
    on_gradient(h, into(seen));
    sum(h * 2 + square(h)).backward();  // 2 + 2 h
    CHECK(seen == std::vector<Values>{{8, 14}, {80, 140}});
    CHECK(values(x.grad()) == Values{240, 420});
    CHECK(x.grad().dtype() == dtype);
  }
}

TEST_CASE("a hook on a leaf sees what one sweep adds, before it is added") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  std::vector<Values> seen;
  on_gradient(x, into(seen));
  Hook doubling = on_gradient(x, times(2));
  sum(x * 3 + x).backward();
  CHECK(values(x.grad()) == Values{8, 8});
  sum(x).backward();
  CHECK(seen == std::vector<Values>{{4, 4}, {1, 1}});
  CHECK(values(x.grad()) == Values{10, 10});
  CHECK(doubling.active());
  doubling.remove();
  CHECK_FALSE(doubling.active());
  doubling.remove();
  sum(x).backward();
  CHECK(values(x.grad()) == Values{11, 11});
}

TEST_CASE("hooks see empty tensors and tensors of no dimension") {
  std::vector<Shape> shapes;
  const auto look = [&](const Tensor& g) {
    shapes.push_back(g.shape());
    return Tensor();
  };
  const Tensor empty = zeros({0, 3}, {.requires_grad = true});
  const Tensor h = empty * 2;
  on_gradient(h, look);
  on_gradient(empty, look);
  sum(h).backward();
  const Tensor number = full({}, 2, {.requires_grad = true});
  on_gradient(number, look);
  square(number).backward();
  CHECK(shapes == std::vector<Shape>{{0, 3}, {0, 3}, {}});
}

TEST_CASE("hooks run once in grad: on inputs, on what lies on a way to them, and on nothing else") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor w = tensor({3, 4}, {.requires_grad = true});
  const auto check = [&](bool keep) {
    CAPTURE(keep);
    const Tensor h = x * w;
    const Tensor y = sum(square(h));
    std::vector<Values> on_h, on_x, on_w;
    std::vector<Hook> hooks{on_gradient(h, into(on_h)), on_gradient(h, times(0.5)),
                            on_gradient(x, into(on_x)), on_gradient(x, times(100)),
                            on_gradient(w, into(on_w))};
    CHECK(values(grad({y}, {x}, {.keep_graph = keep})[0]) == Values{900, 3200});
    CHECK(on_h == std::vector<Values>{{6, 16}});
    CHECK(on_x == std::vector<Values>{{9, 32}});
    CHECK(on_w.empty());
    if (keep) {
      // A computed input, with its rule and without; one leaf twice.
      const std::vector<Tensor> both = grad({y}, {h, x, x}, {.keep_graph = true});
      CHECK(values(both[0]) == Values{3, 8});
      CHECK(values(both[1]) == Values{900, 3200});
      CHECK(values(both[2]) == Values{900, 3200});
      CHECK(values(grad({y}, {h}, {.keep_graph = true})[0]) == Values{3, 8});
      CHECK(values(grad({h}, {h}, {.cotangents = {ones({2})}, .keep_graph = true})[0]) == Values{0.5, 0.5});
      CHECK(on_h.size() == 4);
      CHECK(on_x.size() == 2);
    }
    for (Hook& hook : hooks) hook.remove();
  };
  check(false);
  check(true);
}

TEST_CASE("hooks run once where grad finds only on the way that it needs a plan") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor w = tensor({3, 4}, {.requires_grad = true});
  const Tensor a = x * 2;  // its origin is x
  const Tensor b = w * a;  // its origin is w: a plan is made here
  const Tensor y = sum(square(b + 0.0 * x) + a);
  std::vector<Values> seen;
  on_gradient(a, into(seen));
  on_gradient(b, into(seen));
  on_gradient(y, into(seen));
  on_gradient(x, into(seen));
  CHECK(values(grad({y}, {x})[0]) == Values{74, 258});
  CHECK(seen == std::vector<Values>{{1}, {12, 32}, {37, 129}, {74, 258}});
}

TEST_CASE("hooks run in pullbacks, in each row of a Jacobian, and in Hessians") {
  int calls = 0;
  const auto f = [&](const Tensor& x) {
    Tensor h = x * x;
    on_gradient(h, [&](const Tensor& g) {
      ++calls;
      return g * 2;
    });
    on_gradient(x, times(3));
    return h;
  };
  const Tensor x = tensor({1, 2}, {.dtype = float64});
  CHECK(values(vjp(f, x)(tensor({1, 1}, {.dtype = float64}))) == Values{12, 24});
  CHECK(calls == 1);
  CHECK(values(jacobian(f, x)) == Values{12, 0, 0, 24});
  CHECK(calls == 3);
  // 3 * 2 * 2 x by the hooks; its own derivative passes the outer x's hook, which is the same function's.
  const auto sum_of = [&](const Tensor& v) {
    Tensor h = v * v;
    on_gradient(h, times(2));
    return sum(h);
  };
  CHECK(values(hessian(sum_of, x)) == Values{4, 0, 0, 4});
}

TEST_CASE("what a hook makes of a gradient has derivatives where the sweep records") {
  const Tensor x = tensor({2, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor h = x * 1.0;
  on_gradient(h, [](const Tensor& g) { return g * g; });
  const Tensor first = grad({sum(square(h))}, {x}, {.create_graph = true})[0];  // (2 x)^2
  CHECK(values(first) == Values{16, 36});
  CHECK(first.requires_grad());
  // The hook on h runs again, on d(first)/dh = 8 x: its square.
  CHECK(values(grad({sum(first)}, {x})[0]) == Values{256, 576});

  const Tensor kept = square(x);
  bool records = true;
  on_gradient(kept, [&](const Tensor& g) {
    records = (g * x).requires_grad();
    return Tensor();
  });
  sum(kept).backward({.keep_graph = true});
  CHECK_FALSE(records);
}

TEST_CASE("a kept graph calls its hooks again, and a retained gradient is what hooks made of it") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor h = x * 2;
  h.retain_grad();
  on_gradient(h, times(5));
  const Tensor y = sum(h);
  y.backward({.keep_graph = true});
  y.backward();
  CHECK(values(h.grad()) == Values{10, 10});
  CHECK(values(x.grad()) == Values{20, 20});
}

TEST_CASE("a gradient that was handed to a hook does not change afterwards") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  std::vector<Tensor> kept;
  const auto keep = [&](const Tensor& g) {
    kept.push_back(g);
    return Tensor();
  };
  on_gradient(x, keep);
  const Tensor h = exp(x * 0.0);
  on_gradient(h, keep);
  sum(h * 3).backward();
  sum(x * 4).backward();
  sum(x * 5).backward();
  REQUIRE(kept.size() == 4);
  CHECK(values(kept[0]) == Values{3, 3});
  CHECK(values(kept[1]) == Values{0, 0});
  CHECK(values(kept[2]) == Values{4, 4});
  CHECK(values(kept[3]) == Values{5, 5});
}

TEST_CASE("on_accumulated comes after all gradients are stored") {
  const Tensor a = full({}, 1, {.requires_grad = true});
  const Tensor b = full({}, 1, {.requires_grad = true});
  std::vector<double> seen;
  on_accumulated(a, [&](const Tensor& g) {
    seen.push_back(g.item());
    seen.push_back(b.grad().item());
    a.clear_grad();
  });
  on_gradient(b, times(2));
  (a * 3 + b * 4).backward();
  (a * 3 + b * 4).backward({.keep_graph = true});
  CHECK(seen == std::vector<double>{3, 8, 3, 16});
  CHECK_FALSE(a.grad().defined());
  static_cast<void>(grad({a * 3}, {a}));  // which stores nothing
  CHECK(seen.size() == 4);
}

TEST_CASE("on_rule sees cotangent and gradients of one rule, and may replace both") {
  const Tensor a = tensor({{1, 2}}, {.dtype = float64, .requires_grad = true});
  const Tensor b = tensor({{3}, {4}}, {.dtype = float64, .requires_grad = true});
  const Tensor c = tensor({{5}}, {.dtype = float64});
  const Tensor y = matmul(a, b);
  std::string operation;
  std::vector<Values> seen;
  on_rule(y, {.before = times(2)});
  on_rule(y, {.before = into(seen), .after = [&](const RuleCall& call) {
                operation = call.operation;
                seen.push_back(values(call.cotangent));
                REQUIRE(call.gradients.size() == 2);
                seen.push_back(values(call.gradients[0]));
                seen.push_back(values(call.gradients[1]));
                call.gradients[1] = call.gradients[1] * 10;
              }});
  on_gradient(y, times(7));
  sum(y * c).backward();
  CHECK(operation == "matmul");
  CHECK(seen == std::vector<Values>{{70}, {70}, {210, 280}, {70, 140}});
  CHECK(values(a.grad()) == Values{210, 280});
  CHECK(values(b.grad()) == Values{700, 1400});
}

TEST_CASE("on_rule: a gradient may be dropped, and one that nobody wants is dropped") {
  const Tensor a = tensor({1, 2}, {.requires_grad = true});
  const Tensor b = tensor({3, 4}, {.requires_grad = true});
  const auto make = [&](const Tensor& right, auto change) {
    const Tensor y = a * right;
    on_rule(y, {.after = change});
    return sum(y);
  };
  make(b, [](const RuleCall& call) { call.gradients[0] = Tensor(); }).backward();
  CHECK_FALSE(a.grad().defined());
  CHECK(values(b.grad()) == Values{1, 2});
  b.clear_grad();
  bool was_empty = false;
  const auto fill = [&](const RuleCall& call) {
    was_empty = !call.gradients[1].defined();
    call.gradients[1] = ones({2});
  };
  CHECK(values(grad({make(b, fill)}, {a})[0]) == Values{3, 4});
  CHECK(was_empty);
  make(tensor({5, 6}), fill).backward();
  CHECK(values(a.grad()) == Values{5, 6});
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("gradients that do not fit are errors that name the tensor") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  x.set_name("x");
  Hook hook = on_gradient(x, [](const Tensor&) { return ones({3}); });
  CHECK(message_of<ShapeError>([&] { sum(x).backward(); }) ==
        "on_gradient: a function on \"x\" gave a gradient of shape [3], it needs [2]");
  CHECK_FALSE(x.grad().defined());
  hook.remove();
  const Tensor h = tanh(x);
  on_gradient(h, [](const Tensor& g) { return g.to(float64); });
  CHECK(message_of<DtypeError>([&] { sum(h).backward(); }) ==
        "on_gradient: a function on a result of tanh gave a gradient of float64, it needs float32");
  const Tensor y = x * x;
  on_rule(y, {.after = [](const RuleCall& call) { call.gradients[1] = ones({}); }});
  CHECK(message_of<ShapeError>([&] { sum(y).backward(); }) ==
        "on_rule: a function on a result of mul, for input 1, gave a gradient of shape [], it needs [2]");
}

TEST_CASE("hooks are refused where nothing will come") {
  const Tensor plain = ones({2});
  const Tensor leaf = ones({2}, {.requires_grad = true});
  CHECK(message_of<GraphError>([&] { on_gradient(plain, times(2)); }) ==
        "on_gradient: this tensor does not require a gradient, so none will come");
  CHECK(message_of<GraphError>([&] { on_accumulated(tanh(leaf), [](const Tensor&) {}); }) ==
        "on_accumulated: this tensor was computed by tanh, and only leaves accumulate");
  CHECK(message_of<GraphError>([&] { on_accumulated(plain, [](const Tensor&) {}); }) ==
        "on_accumulated: this tensor does not require a gradient, so none will come");
  CHECK(message_of<GraphError>([&] { on_rule(leaf, {.before = times(2)}); }) ==
        "on_rule: this tensor was not computed by a recorded operation, so no rule will run");
  CHECK_THROWS_AS(on_gradient(leaf, nullptr), ValueError);
  CHECK_THROWS_AS(on_accumulated(leaf, nullptr), ValueError);
  CHECK_THROWS_AS(on_rule(tanh(leaf), {}), ValueError);
  CHECK_THROWS_AS(on_gradient(Tensor(), times(2)), ValueError);
}

TEST_CASE(
    "hooks on outputs of an operation that has several see each one's gradient; its rule is not theirs") {
  const Tensor x = tensor({1, 2, 3, 4}, {.dtype = float64, .requires_grad = true});
  const std::vector<Tensor> halves = split(x, 2);
  Values seen;
  on_gradient(halves[1], [&seen](const Tensor& g) {
    seen = values(g);
    return g * 10;
  });
  CHECK(
      message_of<GraphError>([&] { on_rule(halves[0], {.before = [](const Tensor& g) { return g; }}); }) ==
      "on_rule: this tensor is one of several outputs of split, whose rule is not its own; on_gradient sees "
      "its gradient");
  sum(square(halves[0]) + halves[1]).backward();
  CHECK(seen == Values{1, 1});
  CHECK(values(x.grad()) == Values{2, 4, 10, 10});
}

TEST_CASE(
    "hooks on a rule see its gradient whole and the cotangent as it was, where the sweep would add in "
    "place") {
  const Tensor x = tensor({1, 2, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor y = x * 1;
  const Tensor first = slice(y, {.stop = 1});
  const Tensor rest = slice(y, {.start = 1});
  const Tensor doubled = rest * 2;
  std::vector<Values> seen;
  for (const Tensor& node : {first, rest, doubled}) {
    on_rule(node, {.after = [&seen](const RuleCall& call) {
              seen.push_back(values(call.cotangent));
              seen.push_back(values(call.gradients[0]));
            }});
  }
  (sum(doubled * 3) + sum(first * 5)).backward();
  CHECK(seen == std::vector<Values>{{3, 3}, {6, 6}, {6, 6}, {0, 6, 6}, {5}, {5, 0, 0}});
  CHECK(values(x.grad()) == Values{5, 6, 6});
}
