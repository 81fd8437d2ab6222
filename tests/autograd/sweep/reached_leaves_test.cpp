// Which leaves a sweep would bring a gradient to.
#include "xtgrad/autograd/sweep/reached_leaves.h"

#include <doctest/doctest.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using detail::ReachedLeaves;

namespace {

bool reaches(const Tensor& root, const Tensor& leaf) {
  return ReachedLeaves(root).contains(detail::leaf_state_of(detail::node_of(leaf)).gradient);
}

Tensor leaf(const Shape& shape, Dtype dtype) {
  return full(shape, 0.5, {.dtype = dtype, .requires_grad = true});
}

}  // namespace

TEST_CASE("ReachedLeaves: the leaves behind a tensor, each where a gradient would be stored") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{3}}) {
      Tensor x = leaf(shape, dtype);
      const Tensor w = leaf(shape, dtype), other = leaf(shape, dtype);
      Tensor y = x * w;
      for (int i = 0; i < 50; ++i) y = tanh(y + x) * w.detach();
      CHECK(reaches(y, x));
      CHECK(reaches(y, w));
      CHECK_FALSE(reaches(y, other));
      CHECK(reaches(x, x));
      CHECK_FALSE(reaches(y.detach(), x));
      // Used without a wish, or frozen since.
      Tensor late = full(shape, 0.5, {.dtype = dtype});
      const Tensor z = x * late;
      late.set_requires_grad();
      CHECK_FALSE(reaches(z, late));
      x.set_requires_grad(false);
      CHECK_FALSE(reaches(y, x));
      CHECK(reaches(y, w));
    }
  }
}

TEST_CASE("ReachedLeaves: through operations of several outputs, and not past what a sweep has freed") {
  const Tensor x = leaf({4}, float64), w = leaf({}, float64);
  const std::vector<Tensor> halves = split(x * 2.0, 2, 0);
  const Tensor y = sum(halves[0]) * w;
  CHECK(reaches(y, x));
  const Tensor square_of_sum = square(y);
  y.backward();
  CHECK_FALSE(reaches(square_of_sum, x));
  CHECK_FALSE(reaches(square_of_sum, w));
}

TEST_CASE("ReachedLeaves: a long chain takes no stack, and a leaf may be gone but for the graph") {
  Tensor y;
  const detail::GradientStore* store = nullptr;
  {
    const Tensor x = leaf({}, float32);
    y = x;
    for (int i = 0; i < 200'000; ++i) y = y + 1.0;
    store = detail::leaf_state_of(detail::node_of(x)).gradient;
  }
  CHECK(ReachedLeaves(y).contains(store));
}
