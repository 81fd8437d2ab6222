// A stored gradient is a tensor of its own: what is done to one handle is not done to another's.
#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::values;

namespace {

using Values = std::vector<double>;

/// Whether a name and a wish for gradients that one of them is given are the other's. The elements are one
/// buffer.
void check_apart(const Tensor& gradient, Tensor other) {
  REQUIRE(gradient.defined());
  REQUIRE(other.defined());
  CHECK(gradient.node() != other.node());
  CHECK(gradient.data<float>().data() == other.data<float>().data());
  CHECK(values(gradient) == values(other));
  gradient.set_name("gradient");
  CHECK(other.name().empty());
  if (!other.is_leaf() || other.requires_grad()) return;
  other.set_requires_grad();
  CHECK_FALSE(gradient.requires_grad());
}

Tensor leaf() { return tensor({1, 2, 3}, {.requires_grad = true}); }

}  // namespace

TEST_CASE("the gradient that backward stores is not the cotangent that it was given") {
  const std::vector<std::function<Tensor(const Tensor&)>> functions{
      [](const Tensor& x) { return x; }, [](const Tensor& x) { return alias(x); },
      [](const Tensor& x) {
        return x + tensor({1, 1, 1});
      },
      [](const Tensor& x) {
        return maximum(x, tensor({0, 0, 0})) + x;
      }};
  for (const bool create_graph : {false, true}) {
    for (std::size_t i = 0; i < 3; ++i) {
      const Tensor x = leaf();
      const Tensor cotangent = tensor({4, 5, 6});
      functions[i](x).backward({.gradient = cotangent, .create_graph = create_graph});
      check_apart(x.grad(), cotangent);
    }
  }
  const Tensor x = leaf();
  functions[3](x).backward({.gradient = tensor({4, 5, 6})});
  CHECK(values(x.grad()) == Values{8, 10, 12});

  // A cotangent with history, whose derivatives the gradient has.
  const Tensor c = leaf();
  const Tensor y = leaf();
  const Tensor cotangent = c * 2;
  alias(y).backward({.gradient = cotangent, .create_graph = true});
  check_apart(y.grad(), cotangent);
  CHECK(values(grad(sum(y.grad()), c)) == Values{2, 2, 2});
}

TEST_CASE("gradients that one rule gives to several tensors are one each") {
  const Tensor a = leaf(), b = leaf();
  const Tensor h = a + b;
  h.retain_grad();
  const Tensor y = h + tensor({0, 0, 0});
  y.retain_grad();
  y.backward({.gradient = tensor({4, 5, 6})});
  check_apart(a.grad(), b.grad());
  check_apart(h.grad(), b.grad());
  check_apart(y.grad(), b.grad());
}

TEST_CASE("what a function keeps or gives is not the gradient that is stored") {
  for (const bool gives : {false, true}) {
    const Tensor x = leaf();
    Tensor kept = gives ? tensor({7, 8, 9}) : Tensor();
    on_gradient(x, [&](const Tensor& g) {
      if (gives) return kept;
      kept = g;
      return Tensor();
    });
    sum(x * 2).backward();
    check_apart(x.grad(), kept);
  }
}

TEST_CASE("a gradient that is added to stays where it is") {
  const Tensor a = leaf(), b = leaf();
  const Tensor cotangent = tensor({4, 5, 6});
  (a + b).backward({.gradient = cotangent});
  (a + b).backward({.gradient = cotangent});
  const auto elements = [&a] {
    const Tensor gradient = a.grad();
    return gradient.data<float>().data();
  };
  const float* const at = elements();
  CHECK(at != cotangent.data<float>().data());
  (a + b).backward({.gradient = cotangent});
  CHECK(elements() == at);  // in place: nobody else sees it
  CHECK(values(a.grad()) == Values{12, 15, 18});
  CHECK(values(b.grad()) == Values{12, 15, 18});
  CHECK(values(cotangent) == Values{4, 5, 6});
}
