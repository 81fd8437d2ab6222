#include "xtgrad/autograd/vmap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/testing.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad::inline v1::testing { namespace {

/// f for each entry along axis 0, stacked.
template <class F>
Tensor loop(const F& f, const Tensor& x) {
  std::vector<Tensor> results;
  for (std::int64_t i = 0; i < x.size(0); ++i) results.push_back(f(x[i]));
  return stack(results);
}

Tensor drawn(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype});
}

/// Sums over examples are added up in another order than a sweep of a loop adds them.
bool is_close(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && amax(abs(a - b)).item() <= 1e-13 * std::max(1.0, amax(abs(b)).item());
}

TEST_CASE("vmap: a function of one example runs on a batch, to the bits of a loop") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = drawn({5, 3, 4}, 1, dtype), w = drawn({4, 4}, 2, dtype);
    const auto f = [&](const Tensor& one) { return logsumexp(tanh(matmul(one, w)) * one, {.axes = {0}}); };
    const Tensor y = vmap(f)(x);
    CHECK(y.shape() == Shape{5, 4});
    CHECK(same_bits(y, loop(f, x)));
    CHECK(same_bits(vmap(f)(x.detach()), y));
    const NoGrad no_history;
    CHECK(same_bits(vmap(f)(x), y));
  }
}

TEST_CASE("vmap: which inputs are batched, along which axis, and where results have theirs") {
  const Tensor a = drawn({3, 5, 2}, 1), b = drawn({3}, 2), c = drawn({2, 3, 5}, 3);
  const auto f = [](const Tensor& x, const Tensor& y, const Tensor& z) {
    return std::vector<Tensor>{matmul(z, reshape(y, {3, 1})) + matmul(transpose(x), reshape(y, {3, 1})),
                               sum(y)};
  };
  const std::vector<Tensor> got = vmap(f, {.in_axes = {1, not_batched, -1}, .out_axes = {1, 0}})(a, b, c);
  REQUIRE(got.size() == 2);
  CHECK(got[0].shape() == Shape{2, 5, 1});
  CHECK(got[1].shape() == Shape{5});
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto expected = f(select(a, 1, i), b, select(c, 2, i));
    CHECK(same_bits(select(got[0], 1, i), expected[0]));
    CHECK(same_bits(got[1][i], expected[1]));
  }
  const auto of_span = [](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] * in[1]}; };
  CHECK(same_bits(vmap(of_span)({b, b})[0], b * b));
  CHECK(same_bits(vmap(of_span)(b, b)[0], b * b));
  // One entry for all inputs.
  const auto product = [](const Tensor& x, const Tensor& y) { return sum(x * y); };
  CHECK(same_bits(vmap(product, {.in_axes = {1}})(c, c),
                  sum(vmap([](const Tensor& x) { return reshape(sum(x * x), {1}); }, {.in_axes = {1}})(c),
                      {.axes = {1}})));
}

TEST_CASE("vmap: derivatives in batched inputs, in others, and in what the function captures") {
  const Tensor w = drawn({3, 3}, 5);
  const auto f = [](std::span<const Tensor> in) {
    const Tensor& captured = in[2];
    const auto each = [&captured](const Tensor& x, const Tensor& v) {
      return sum(tanh(matmul(captured, reshape(x, {3, 1}))) * exp(v)) + sum(captured) * x;
    };
    return std::vector<Tensor>{vmap(each, {.in_axes = {0, not_batched}})(in[0], in[1])};
  };
  const std::vector<Tensor> inputs{drawn({4, 3}, 6), drawn({3}, 7), w};
  CHECK_NOTHROW(require_grads(f, inputs, {.order = 2}));
}

TEST_CASE("vmap: a captured parameter's gradient is the sum over the examples") {
  Tensor w = drawn({3}, 1).set_requires_grad();
  const Tensor x = drawn({4, 3}, 2);
  const auto f = [&](const Tensor& one) { return sum(square(one * w)); };
  sum(vmap(f)(x)).backward();
  const Tensor got = w.grad();
  w.clear_grad();
  sum(loop(f, x)).backward();
  CHECK(is_close(got, w.grad()));
  // What does not depend on the examples is captured, too, and so is a tensor with a history.
  const Tensor h = exp(w);
  const Tensor g = grad(sum(vmap([&](const Tensor&) { return h; })(x)), w);
  CHECK(is_close(g, 4 * exp(w)));
}

TEST_CASE("vmap: gradients of each example") {
  const Tensor w = drawn({3}, 1).set_requires_grad();
  const Tensor x = drawn({4, 3}, 2);
  const auto loss = [](const Tensor& weights, const Tensor& one) { return sum(sigmoid(weights * one)); };
  const auto gradient = [&](const Tensor& one) { return grad(loss(w, one), w); };
  CHECK(same_bits(vmap(gradient)(x), loop(gradient, x)));
  const auto by_vjp = [&](const Tensor& one) {
    return vjp([&](const Tensor& weights) { return loss(weights, one); }, w)(ones({}, {.dtype = float64}));
  };
  CHECK(same_bits(vmap(by_vjp)(x), loop(by_vjp, x)));
  // Of second order, in tensors without and with a history.
  const auto curvature = [](const Tensor& one) {
    return hessian([](const Tensor& at) { return sum(exp(at) * prod(at)); }, tanh(one));
  };
  CHECK(same_bits(vmap(curvature)(x), loop(curvature, x)));
  Tensor tracked = x.detach().set_requires_grad();
  CHECK(is_close(grad(sum(vmap(curvature)(tracked)), tracked), grad(sum(loop(curvature, tracked)), tracked)));
  const auto third = [&](std::span<const Tensor> in) { return std::vector<Tensor>{vmap(curvature)(in[0])}; };
  CHECK_NOTHROW(require_grads(third, std::vector<Tensor>{x}));
}

TEST_CASE("vmap: backward on leaves of the function's own") {
  const Tensor x = drawn({4, 3}, 2);
  const auto f = [](const Tensor& one) {
    const Tensor leaf = tanh(one).detach().set_requires_grad();
    sum(exp(leaf)).backward();
    return leaf.grad() * one;
  };
  CHECK(same_bits(vmap(f)(x), loop(f, x)));
  // detach() holds in the batch, too.
  Tensor tracked = x.detach().set_requires_grad();
  CHECK(same_bits(grad(sum(vmap(f)(tracked)), tracked), grad(sum(loop(f, tracked)), tracked)));
}

TEST_CASE("vmap: nested") {
  const Tensor a = drawn({3, 2}, 1), b = drawn({4, 2}, 2);
  const auto dot_product = [](const Tensor& x, const Tensor& y) { return sum(x * y); };
  const auto rows = vmap(dot_product, {.in_axes = {not_batched, 0}});
  const Tensor table = vmap(rows, {.in_axes = {0, not_batched}})(a, b);
  CHECK(table.shape() == Shape{3, 4});
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) CHECK(same_bits(table[i][j], dot_product(a[i], b[j])));
  }
  const auto twice = vmap(vmap([](const Tensor& x) { return cumsum(exp(x)); }));
  const Tensor cube = drawn({2, 3, 4}, 4);
  CHECK(same_bits(twice(cube), cumsum(exp(cube))));
  const auto f = [&](std::span<const Tensor> in) {
    return std::vector<Tensor>{vmap(rows, {.in_axes = {0, not_batched}})(tanh(in[0]), in[1])};
  };
  CHECK_NOTHROW(require_grads(f, std::vector<Tensor>{a, b}, {.order = 2}));
}

TEST_CASE("vmap: one example, and none") {
  Tensor w = drawn({3}, 1).set_requires_grad();
  const auto f = [&](const Tensor& x) { return std::vector<Tensor>{sum(x * w), argmax(x * w, 0), w}; };
  const Tensor one = drawn({1, 3}, 2);
  const std::vector<Tensor> got = vmap(f)(one);
  CHECK(same_bits(got[0], reshape(f(one[0])[0], {1})));
  CHECK(same_bits(got[1], reshape(f(one[0])[1], {1})));
  CHECK(same_bits(got[2], reshape(w, {1, 3})));
  Tensor none = zeros({0, 3}, {.dtype = float64}).set_requires_grad();
  const std::vector<Tensor> empty = vmap(f)(none);
  CHECK(empty[0].shape() == Shape{0});
  CHECK(empty[1].dtype() == int64);
  CHECK(empty[2].shape() == Shape{0, 3});
  sum(empty[0]).backward();
  CHECK(same_bits(w.grad(), zeros({3}, {.dtype = float64})));
  CHECK(none.grad().shape() == none.shape());
}

TEST_CASE("vmap: functions with a rule of their own, and checkpoints") {
  const auto rounded = [](const Tensor& x) {
    return custom_vjp([](const Tensor& in) { return sign(in); },
                      [](const Tensor& in, const Tensor& y, const Tensor& g) { return g * y * sum(in); }, x);
  };
  const Tensor x = drawn({4, 3}, 2).set_requires_grad();
  const auto f = [&](const Tensor& one) { return rounded(exp(one) - 1); };
  CHECK(same_bits(vmap(f)(x), loop(f, x)));
  CHECK(same_bits(grad(sum(vmap(f)(x) * x.detach()), x), grad(sum(loop(f, x) * x.detach()), x)));
  const auto again = [](const Tensor& one) {
    return checkpoint([](const Tensor& in) { return tanh(exp(in) * in); }, one);
  };
  CHECK(same_bits(vmap(again)(x), loop(again, x)));
  CHECK(same_bits(grad(sum(vmap(again)(x)), x), grad(sum(loop(again, x)), x)));
}

TEST_CASE("vmap: in a captured function, in a checkpoint, and in a Jacobian of many rows") {
  const Tensor w = drawn({3}, 1);
  const auto f = [&](const Tensor& batch) {
    return vmap([&](const Tensor& one) { return cumsum(exp(one * w)) + sum(one); })(batch);
  };
  const auto list = [&](const std::vector<Tensor>& in) { return std::vector<Tensor>{f(in[0])}; };
  const Tensor x = drawn({8, 3}, 2), other = drawn({8, 3}, 3);
  auto captured = capture(list, std::vector<Tensor>{x});
  CHECK(same_bits(captured(std::vector<Tensor>{other})[0], f(other)));
  Tensor tracked = other.detach().set_requires_grad();
  CHECK(same_bits(grad(sum(checkpoint(f, tracked)), tracked), grad(sum(f(tracked)), tracked)));
  const Tensor j = jacobian(f, x);
  CHECK(same_bits(select(select(j, 0, 5), 1, 5),
                  jacobian([&](const Tensor& one) { return f(unsqueeze(one, 0))[0]; }, x[5])));
}

TEST_CASE("vmap: rules that read what an operation has kept for them") {
  const Tensor scale = drawn({3}, 5);
  const auto f = [&](const Tensor& one) {
    return vjp([&](const Tensor& at) { return rms_norm(at, scale); }, one)(ones({2, 3}, {.dtype = float64}));
  };
  const Tensor x = drawn({4, 2, 3}, 2);
  CHECK(same_bits(vmap(f)(x), loop(f, x)));
}

TEST_CASE("vmap: what cannot be repeated for other examples is refused") {
  const Tensor x = drawn({4, 3}, 2);
  const auto message = [&](const UnaryTensorFunction& f) {
    return message_of<GraphError>([&] { static_cast<void>(vmap(f)(x)); });
  };
  CHECK(message([](const Tensor& one) { return one * sum(one).item(); }) ==
        "vmap: item() reads elements that differ from example to example as C++ numbers, and the function "
        "would "
        "go on with those of one: choose by where(), or return the tensor and read it outside");
  CHECK(message([](const Tensor& one) {
          return masked_select(one, one > 0);
        }).starts_with("vmap: masked_select() reads"));
  CHECK(message([](const Tensor& one) {
          return nonzero(one).to(float64);
        }).starts_with("vmap: nonzero() reads"));
  CHECK(message([](const Tensor& one) { return unique(one).values; }).starts_with("vmap: unique() reads"));
  CHECK(message([](const Tensor& one) { return one + randn({3}, default_random(), {.dtype = float64}); }) ==
        "vmap: the function draws from a random stream, and all examples would get the draw of one: draw for "
        "the "
        "whole batch outside, and make the numbers an input");
  Tensor w = ones({3}, {.dtype = float64}).set_requires_grad().set_name("w");
  CHECK(message([&](const Tensor& one) {
          sum(one * w).backward();
          return one;
        }) ==
        "vmap: backward() in the function adds to the gradient of \"w\", once and not for each example: use "
        "grad() "
        "or vjp(), and return what they give");
  CHECK(message([&](const Tensor& one) {
          const Tensor h = one * w;
          static_cast<void>(on_gradient(h, [](const Tensor& g) { return g; }));
          return tanh(h);
        }) ==
        "vmap: hooks inside the function: the result of mul is computed again for all examples, as another "
        "tensor, so its functions would not be called");
  CHECK(message([](const Tensor& one) {
          try {
            return cholesky(reshape(-square(one[0]), {1, 1}));
          } catch (const Error&) {
            return one;
          }
        }) == "vmap: an operation failed, and the function went on, which other examples may not do");
  CHECK(message([](const Tensor&) { return Tensor(); }) ==
        "vmap: the function returned an empty handle as output 0");
  // What does not depend on the example may be read.
  const auto scaled = [&](const Tensor& one) { return one * sum(w * 2).item(); };
  CHECK(same_bits(vmap(scaled)(x), x * 6));
}

TEST_CASE("vmap: errors") {
  const Tensor x = ones({4, 3}), y = ones({5, 3});
  const auto product = [](const Tensor& a, const Tensor& b) { return a * b; };
  const auto message = [&](const VmapOptions& options, const Tensor& a, const Tensor& b) {
    return message_of<Error>([&] { static_cast<void>(vmap(product, options)(a, b)); });
  };
  CHECK(message({}, x, y) == "vmap: input 0 has 4 examples, input 1 has 5");
  CHECK(message({}, x, ones({})) ==
        "vmap: input 1 is 0-d and has no axis of examples; not_batched in in_axes makes it the same for all");
  CHECK(message({.in_axes = {0, 0, 0}}, x, x) ==
        "vmap: in_axes has 3 entries, the function has 2 inputs; one stands for all");
  CHECK(message({.in_axes = {not_batched}}, x, x) ==
        "vmap: no input is batched, so there is no number of examples; call the function itself");
  CHECK(message({.out_axes = {0, 1}}, x, x) ==
        "vmap: out_axes has 2 entries, the function has 1 outputs; one stands for all");
  CHECK(message({.in_axes = {2, 0}}, x, x).find("axis 2") != std::string::npos);
  CHECK(message({.out_axes = {2}}, x, x).find("axis 2") != std::string::npos);
  CHECK(message({}, x, Tensor()) == "vmap: input 1 is an empty handle");
  const Tensor deep = ones(Shape{2, 1, 1, 1, 1, 1, 1, 1});
  const auto deeper = [](const Tensor& one) { return unsqueeze(one, 0) * 2; };
  CHECK(message_of<ShapeError>([&] {
          static_cast<void>(vmap(deeper)(deep));
        }).starts_with("vmap: mul_number sees a tensor of shape [1, 1, 1, 1, 1, 1, 1, 1]; of a batch it"));
}

TEST_CASE("vmap: what a rule of one's own captures is the same for all examples, or refused") {
  const UnaryVjpRule plain = [](const Tensor&, const Tensor&, const Tensor& g) { return g; };
  const Tensor w = tensor(2.0).set_requires_grad(), x = tensor({1, 2, 3});
  const auto scaled = [&](const Tensor& t) {
    return t * custom_vjp([t](const Tensor& u) { return u * t; }, plain, w);
  };
  CHECK(
      message_of<GraphError>([&] { static_cast<void>(vmap(scaled)(x)); }) ==
      "vmap: custom_vjp is of tensors that are the same for all examples, and its function uses one that is "
      "not: make that an input");
  const auto root = [&](const Tensor& t) {
    return implicit_root([t](const Tensor& r, const Tensor& a) { return r * r - a * t; },
                         [t](const Tensor& a) { return sqrt(a * t); }, w);
  };
  CHECK(message_of<GraphError>([&] { static_cast<void>(vmap(root)(x)); }).find("vmap: implicit_root is of") ==
        0);
  {
    const NoGrad no_history;
    CHECK(same_bits(vmap(scaled)(x), tensor({2, 8, 18})));
  }
  // Of what is batched the value is right, and the rule says what it cannot know.
  const Tensor a = tensor({{1, 2}, {3, 4}}).set_requires_grad();
  const auto holding = [](const Tensor& t) {
    const Tensor s = exp(t).detach();
    return custom_vjp([s](const Tensor& u) { return u * s; },
                      [s](const Tensor&, const Tensor&, const Tensor& g) { return g * s; }, t);
  };
  const Tensor y = vmap(holding)(a);
  CHECK(same_bits(y.detach(), loop(holding, a).detach()));
  const std::string refusal =
      "custom_vjp: the rule uses a tensor of shape [2] that a function of one example has computed, and runs "
      "for a batch of them: make it an input";
  CHECK(message_of<GraphError>([&] { static_cast<void>(grad(sum(y), a)); }) == refusal);
  const Tensor kept = vmap([&](const Tensor& t) { return checkpoint(holding, t); })(a);
  CHECK(message_of<GraphError>([&] { static_cast<void>(grad(sum(kept), a)); }) == refusal);
  // As an input it is one of each example; and inside, the derivative is taken for each.
  const auto given = [](const Tensor& t) {
    return custom_vjp([](std::span<const Tensor> in) { return in[0] * in[1]; },
                      [](std::span<const Tensor> in, const Tensor&, const Tensor& g) {
                        return std::vector<Tensor>{g * in[1], Tensor()};
                      },
                      {t, exp(t).detach()});
  };
  CHECK(same_bits(grad(sum(vmap(given)(a)), a), exp(a).detach()));
  const auto slope = [&](const Tensor& t) { return vjp(holding, t)(ones({2})); };
  CHECK(same_bits(vmap(slope)(a).detach(), exp(a).detach()));
}

TEST_CASE("vmap: what an inner function leaves in a variable is refused outside") {
  const Tensor xs = tensor({{0.1, 0.2}, {0.3, 0.4}});
  Tensor memo;
  const auto f = [&](const Tensor& t) {
    memo = Tensor();
    const auto g = [&](const Tensor& s) {
      if (!memo.defined()) memo = exp(t);
      return s * sum(memo);
    };
    const Tensor p = sum(vmap(g)(t));
    return p + g(tensor(1.0));
  };
  CHECK(message_of<GraphError>([&] { static_cast<void>(vmap(f)(xs)); })
            .find("vmap: the function uses a tensor of shape [2] that another function, called inside for a "
                  "batch, has computed of one example") == 0);
}

}}  // namespace xtgrad::testing
