// Convolution of volumes of more than a few elements.
#include <doctest/doctest.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

Tensor draws(const Shape& shape) { return randn(shape).to(float64); }

TEST_CASE("a transposed convolution of volumes is the adjoint of a convolution, with every option") {
  manual_seed(3);
  const Conv3dOptions options{.stride = {2, 1, 3}, .padding = {1, 2, 0}, .dilation = {2, 1, 1}, .groups = 2};
  const Tensor x = draws({2, 4, 7, 5, 9}), w = draws({6, 2, 3, 2, 2});
  const Tensor y = conv3d(x, w, options);
  const Tensor g = draws(y.shape());
  const Tensor back = conv_transpose3d(g, w,
                                       {.stride = options.stride,
                                        .padding = options.padding,
                                        .output_padding = {0, 0, 1},
                                        .dilation = options.dilation,
                                        .groups = 2});
  REQUIRE(back.shape() == x.shape());
  CHECK(sum(y * g).item() == doctest::Approx(sum(back * x).item()));
}

}}  // namespace xtgrad::testing
