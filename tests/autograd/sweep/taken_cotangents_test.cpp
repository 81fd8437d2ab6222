// Rules write their gradient over the cotangent where nobody else can see it, and only there.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { namespace {

using testing::same_bits;
using testing::values;

TEST_CASE("a cotangent that the caller holds keeps its elements, whatever the rule") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({1, 2, 3}, {.dtype = dtype, .requires_grad = true});
    const Tensor g = tensor({5, 6, 7}, {.dtype = dtype});
    const Tensor alias = reshape(g, {3, 1});
    for (const bool keep : {false, true}) {
      const Tensor y = tanh(x * 3) * x;
      const Tensor inputs[] = {x};
      static_cast<void>(grad(std::span(&y, 1), inputs, {.cotangents = {g}, .keep_graph = keep}));
      CHECK(values(g) == std::vector<double>{5, 6, 7});
    }
    Tensor given = g.detach();  // shares the elements, and is given away
    const Tensor y = -(x * 2);
    std::vector<Tensor> cotangents;
    cotangents.push_back(std::move(given));
    backward(std::span(&y, 1), {.cotangents = std::move(cotangents)});
    CHECK(values(g) == std::vector<double>{5, 6, 7});
    CHECK(values(alias) == std::vector<double>{5, 6, 7});
  }
}

TEST_CASE("gradients that are kept, of inputs on the way and of several roots, are not written over") {
  const Tensor x = tensor({1, 2}, {.dtype = float64, .requires_grad = true});
  Tensor middle = x * 3;
  middle.retain_grad();
  sum(square(middle * 2)).backward();
  CHECK(values(middle.grad()) == std::vector<double>{24, 48});
  CHECK(values(x.grad()) == std::vector<double>{72, 144});

  const Tensor y = x * 3;
  const Tensor z = y * 2;
  const Tensor loss = sum(square(z));
  const std::vector<Tensor> wanted = {x, y, z};
  const std::vector<Tensor> got = grad(std::span(&loss, 1), wanted);
  CHECK(values(got[2]) == std::vector<double>{12, 24});
  CHECK(values(got[1]) == std::vector<double>{24, 48});
  CHECK(values(got[0]) == std::vector<double>{72, 144});
}

TEST_CASE("a cotangent that goes to several inputs is each one's own") {
  const Tensor a = tensor({1, 2}, {.dtype = float64, .requires_grad = true});
  const Tensor b = tensor({3, 4}, {.dtype = float64, .requires_grad = true});
  // add hands its cotangent to both sides as it is; mul uses its own twice.
  sum((a * 5 + b * 7) * (a * 2)).backward();
  CHECK(values(a.grad()) == std::vector<double>{10 * 1 + 2 * 26, 10 * 2 + 2 * 38});
  CHECK(values(b.grad()) == std::vector<double>{14, 28});
  const Tensor c = tensor({2, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor d = c * 2;
  sum(d * d).backward();
  CHECK(values(c.grad()) == std::vector<double>{16, 24});
}

TEST_CASE("rows of a Jacobian, swept over one graph, do not disturb each other") {
  const Tensor x = tensor({1, 2, 3}, {.dtype = float64});
  const Tensor j = jacobian([](const Tensor& v) { return tanh(v * 0.5) * v * 2; }, x);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t k = 0; k < 3; ++k) CHECK((j.at({i, k}) != 0) == (i == k));
  }
}

TEST_CASE("a tensor with history that a hook puts in the place of a cotangent is not written over") {
  const Tensor w = tensor({2, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor x = tensor({0.5, 1}, {.dtype = float64, .requires_grad = true});
  const Tensor y = tanh(x);
  const Tensor z = y + 0.0;
  on_gradient(z, [&w](const Tensor& g) {
    const EnableGrad record;
    return g * w;
  });
  sum(z).backward();
  CHECK_FALSE(x.grad().requires_grad());
  const Tensor slope = 1 - y.detach() * y.detach();
  CHECK(same_bits(x.grad(), slope * w.detach()));
}

TEST_CASE("a gradient is whole where storing it fails: a watcher that throws leaves all as they were") {
  for (const bool keep : {false, true}) {
    for (const bool held : {false, true}) {
      CAPTURE(keep);
      CAPTURE(held);
      const Tensor x = tensor({1}, {.requires_grad = true}), z = tensor({1}, {.requires_grad = true});
      sum(x * 3e38).backward();
      const Tensor handle = held ? x.grad() : Tensor();
      {
        const NanGuard guard;
        CHECK_THROWS_AS((sum(x * 3e38) + sum(z)).backward({.keep_graph = keep}), NonFiniteError);
      }
      REQUIRE(x.grad().defined());
      CHECK(values(x.grad())[0] == 3e38F);
      CHECK_FALSE(z.grad().defined());
    }
  }
}

TEST_CASE("backward of a chain of elementwise operations stays in one buffer") {
  for (const Dtype dtype : {float32, float64}) {
    std::vector<const void*> buffers;
    const auto look = [&](const Tensor& x) {
      return custom_vjp([](const Tensor& in) { return in * 1; },
                        [&buffers, dtype](const Tensor&, const Tensor&, const Tensor& g) {
                          buffers.push_back(dtype == float32
                                                ? static_cast<const void*>(g.data<float>().data())
                                                : g.data<double>().data());
                          return g;
                        },
                        x);
    };
    const Tensor x = full({1000}, 0.5, {.dtype = dtype, .requires_grad = true});
    const Tensor weight = full({1000}, 0.25, {.dtype = dtype});
    Tensor y = look(x);
    // An odd number of rules: two buffers in turn would end on the other one.
    for (int i = 0; i < 7; ++i) y = tanh(y * 1.5) * weight;
    y = look(y);
    sum(y * 2).backward();
    REQUIRE(buffers.size() == 2);
    CHECK(buffers[0] == buffers[1]);
  }
}

}}  // namespace xtgrad
