// No operation returns its argument: what is asked of a result, or said of it, is not the argument's.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"
#include "xtgrad/nn/nn.h"

using namespace xtgrad;

namespace {

struct Idle {
  std::string name;
  std::function<Tensor(const Tensor&)> f;
  Shape shape;
};

/// Calls with nothing to do.
std::vector<Idle> idle_calls() {
  const Shape shape{2, 3};
  std::vector<Idle> calls{
      {"alias", [](const Tensor& x) { return alias(x); }, shape},
      {"reshape", [](const Tensor& x) { return reshape(x, x.shape()); }, shape},
      {"reshape by -1",
       [](const Tensor& x) {
         return reshape(x, {2, -1});
       },
       shape},
      {"flatten", [](const Tensor& x) { return flatten(x, 1); }, shape},
      {"permute",
       [](const Tensor& x) {
         return permute(x, {0, 1});
       },
       shape},
      {"transpose", [](const Tensor& x) { return transpose(x, 1, 1); }, shape},
      {"broadcast_to", [](const Tensor& x) { return broadcast_to(x, x.shape()); }, shape},
      {"sum_to", [](const Tensor& x) { return sum_to(x, x.shape()); }, shape},
      {"slice", [](const Tensor& x) { return slice(x, {}); }, shape},
      {"pad", [](const Tensor& x) { return pad(x, {}); }, shape},
      {"pad in between of one", [](const Tensor& x) { return pad(x, {.interior = 3}); }, {1, 3}},
      {"concat", [](const Tensor& x) { return concat({x}); }, shape},
      {"to", [](const Tensor& x) { return x.to(x.dtype()); }, shape},
      {"split", [](const Tensor& x) { return split(x, 2)[0]; }, shape},
      {"chunk", [](const Tensor& x) { return chunk(x, 1)[0]; }, shape},
      {"sum of no axis", [](const Tensor& x) { return sum(x); }, {}},
      {"clamp without ends", [](const Tensor& x) { return clamp(x, {}); }, shape},
      {"checkpoint", [](const Tensor& x) { return checkpoint([](const Tensor& y) { return y; }, x); }, shape},
      {"checkpoint of what is captured", [](const Tensor& x) { return checkpoint([&] { return x; }); },
       shape},
      {"identity", [](const Tensor& x) { return nn::activate(x, nn::ActivationKind::identity); }, shape},
      {"polynomial_features", [](const Tensor& x) { return nn::polynomial_features(x, 1); }, shape},
      {"Flatten", [](const Tensor& x) { return nn::Flatten{}(x); }, shape},
      {"Sequential", [](const Tensor& x) { return nn::Sequential{}(x); }, shape},
      {"adaptive_avg_pool2d",
       [](const Tensor& x) { return nn::adaptive_avg_pool2d(x, {.output = 2}); },
       {1, 1, 2, 2}},
      {"Dropout",
       [](const Tensor& x) {
         nn::Dropout drop{{.p = 0.5}};
         drop.eval();
         return drop(x);
       },
       shape},
      {"Dropout without chance", [](const Tensor& x) { return nn::Dropout{{.p = 0}}(x); }, shape},
      {"Dropout2d",
       [](const Tensor& x) {
         nn::Dropout2d drop{{.p = 0.5}};
         drop.eval();
         return drop(x);
       },
       {1, 2, 2, 2}},
  };
  // Of no elements, and of one.
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == 2 || i == 3 || i == 4) continue;
    calls.push_back({calls[i].name + " of none", i == 5 ? calls[1].f : calls[i].f, {0, 3}});
  }
  calls.push_back({"reshape of one element", calls[1].f, {}});
  calls.push_back({"layer_norm of none", [](const Tensor& x) { return nn::layer_norm(x, {3}); }, {0, 3}});
  return calls;
}

}  // namespace

TEST_CASE("derivatives in a result are not those in the argument: 2, not 5") {
  for (const Idle& call : idle_calls()) {
    CAPTURE(call.name);
    for (const Dtype dtype : {float32, float64}) {
      const Tensor x = full(call.shape, 1.5, {.dtype = dtype, .requires_grad = true});
      const Tensor t = call.f(x);
      CHECK(t.node() != x.node());
      CHECK_FALSE(t.is_leaf());
      const Tensor y = sum(2 * t) + sum(3 * x);
      for (const Tensor& g : {grad({y}, {t}, {.keep_graph = true})[0],
                              grad({y}, {t}, {.keep_graph = true, .create_graph = true})[0]}) {
        CHECK(g.shape() == t.shape());
        if (g.numel() > 0) CHECK(amax(abs(g - 2)).item() == 0);
      }
      const Tensor in_x = grad({y}, {x})[0];
      if (in_x.numel() > 0) CHECK(amax(abs(in_x - 5)).item() == 0);
    }
  }
}

TEST_CASE("what is asked of a result, or said of it, changes nothing of the argument") {
  for (const Idle& call : idle_calls()) {
    CAPTURE(call.name);
    const Tensor x = full(call.shape, 1.5);
    Tensor t = call.f(x);
    t.set_requires_grad();
    t.set_name("t");
    CHECK_FALSE(x.requires_grad());
    CHECK(x.name().empty());
    // Nor does it where x wants a gradient and nothing is recorded.
    const Tensor leaf = full(call.shape, 1.5, {.requires_grad = true});
    const NoGrad no_grad;
    t = call.f(leaf);
    CHECK_FALSE(t.requires_grad());
    t.set_name("t");
    CHECK(leaf.name().empty());
  }
}

TEST_CASE("a tensor of another dtype that nothing happens to has a handle of its own, too") {
  for (const Dtype dtype : {float32, float64, int64, int32, uint8, boolean}) {
    const Tensor x = ones({2, 3}, {.dtype = dtype});
    for (const Tensor& t :
         {alias(x), x.to(dtype), reshape(x, {2, 3}), slice(x, {}), pad(x, {}), concat({x})}) {
      CHECK(t.node() != x.node());
      CHECK(t.dtype() == dtype);
      t.set_name("t");
      CHECK(x.name().empty());
    }
  }
}

TEST_CASE("a result shares the argument's memory where nothing is to be done") {
  const Tensor x = ones({2, 3});
  for (const Tensor& t :
       {alias(x), x.to(float32), reshape(x, {2, 3}), flatten(x, 1), permute(x, {0, 1}),
        broadcast_to(x, {2, 3}), sum_to(x, {2, 3}), slice(x, {}), pad(x, {}), concat({x})}) {
    CHECK(t.data<float>().data() == x.data<float>().data());
  }
}

TEST_CASE("a gradient is a tensor of its own, not the cotangent that was given, nor another input's") {
  const Tensor a = tensor({1, 2}, {.requires_grad = true}), b = tensor({3, 4}, {.requires_grad = true});
  for (const bool create : {false, true}) {
    const Tensor g = tensor({5, 6}, {.requires_grad = create});
    const std::vector<Tensor> found = grad({a + b}, {a, b, a}, {.cotangents = {g}, .create_graph = create});
    CHECK(found[0].node() != found[1].node());
    CHECK(found[0].node() != found[2].node());
    for (const Tensor& each : found) {
      CHECK(each.node() != g.node());
      each.set_name("gradient");
      CHECK(each.at({1}) == 6);
    }
    CHECK(g.name().empty());
    if (create) CHECK(grad({sum(2 * found[0] + 3 * g)}, {found[0]}, {.keep_graph = true})[0].at({0}) == 2);
  }
}

TEST_CASE("a pullback's gradient is a tensor of its own, not the cotangent that was given, nor another's") {
  const Tensor g = tensor({5, 6});
  const Pullback of_one = vjp([](const Tensor& x) { return x; }, tensor({1, 2}));
  const Pullback of_two =
      vjp([](const Tensor& x, const Tensor& y) { return x + y; }, {tensor({1, 2}), tensor({3, 4})});
  std::vector<Tensor> found = of_two({g});
  CHECK(found[0].node() != found[1].node());
  found.push_back(of_one(g));
  for (Tensor& each : found) {
    each.set_name("gradient");
    each.set_requires_grad();
    CHECK(each.at({1}) == 6);
  }
  CHECK(g.name().empty());
  CHECK_FALSE(g.requires_grad());
}

TEST_CASE("a checkpoint's results are tensors of their own where they are one argument, or one another") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  std::vector<Tensor> found = checkpoint([](const Tensor& a) { return std::vector<Tensor>{a, a * 2, a}; }, x);
  for (const Tensor& each : found) each.set_name("result");
  CHECK(x.name().empty());
  CHECK(found[0].node() != found[2].node());
  CHECK(grad({sum(found[0] * 3 + found[1] * 5 + found[2] * 7)}, {x})[0].at({0}) == 20);
}
