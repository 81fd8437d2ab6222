#include "xtgrad/autograd/program_file/families.h"

#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/linear_solvers.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/autograd/program_file/mention.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::detail {

void mention_families() {
  static constexpr Mention mentions[] = {
      {"activation", [](const Tensor& x) { return gelu(x); }},
      {"arrange", [](const Tensor& x) { return flip(x); }},
      {"attention", [](const Tensor& x) { return scaled_dot_product_attention(x, x, x); }},
      {"batch_norm", [](const Tensor& x) { return batch_norm(x, x, x); }},
      {"bessel", [](const Tensor& x) { return i0(x); }},
      {"binary", [](const Tensor& x) { return mul(x, x); }},
      {"cast", [](const Tensor& x) { return x.to(float64); }},
      {"cholesky", [](const Tensor& x) { return cholesky(x); }},
      {"compare", [](const Tensor& x) { return less(x, x); }},
      {"concat", [](const Tensor& x) { return concat({x}); }},
      {"conv", [](const Tensor& x) { return conv2d(x, x); }},
      {"counting", [](const Tensor& x) { return bincount(x); }},
      {"cross_entropy", [](const Tensor& x) { return softmax_cross_entropy(x, x); }},
      {"ctc", [](const Tensor& x) { return ctc_loss(x, x, x, x); }},
      {"diagonal", [](const Tensor& x) { return diagonal(x); }},
      {"distance", [](const Tensor& x) { return cdist(x, x); }},
      {"division", [](const Tensor& x) { return fmod(x, x); }},
      {"eigen", [](const Tensor& x) { return eigvalsh(x); }},
      {"exponential", [](const Tensor& x) { return exp2(x); }},
      {"extremes", [](const Tensor& x) { return fmax(x, x); }},
      {"fourier", [](const Tensor& x) { return fft(x); }},
      {"gamma", [](const Tensor& x) { return lgamma(x); }},
      {"group_norm", [](const Tensor& x) { return group_norm(x, 1, x, x); }},
      {"hyperbolic", [](const Tensor& x) { return sinh(x); }},
      {"index", [](const Tensor& x) { return gather(x, 0, x); }},
      {"interpolate", [](const Tensor& x) { return resample(x, {}); }},
      {"layer_norm", [](const Tensor& x) { return layer_norm(x, x, x); }},
      {"logarithmic", [](const Tensor& x) { return xlogy(x, x); }},
      {"logic", [](const Tensor& x) { return logical_and(x, x); }},
      {"lu", [](const Tensor& x) { return det(x); }},
      {"mask", [](const Tensor& x) { return nonzero(x); }},
      {"matmul", [](const Tensor& x) { return matmul(x, x); }},
      {"matrix_exp", [](const Tensor& x) { return matrix_exp(x); }},
      {"moments", [](const Tensor& x) { return var(x); }},
      {"norm", [](const Tensor& x) { return norm(x); }},
      {"normal", [](const Tensor& x) { return erfc(x); }},
      {"number", [](const Tensor& x) { return mul(x, Scalar(2)); }},
      {"order", [](const Tensor& x) { return sort(x).values; }},
      {"point_samples", [](const Tensor& x) { return grid_sample(x, x); }},  // whose steps they are
      {"polar", [](const Tensor& x) { return hypot(x, x); }},
      {"pool", [](const Tensor& x) { return max_pool2d(x, {}); }},
      {"prod", [](const Tensor& x) { return prod(x); }},
      {"qr", [](const Tensor& x) { return qr(x).q; }},
      {"quantile", [](const Tensor& x) { return median(x).values; }},
      {"reduce", [](const Tensor& x) { return sum(x); }},
      {"rms_norm", [](const Tensor& x) { return rms_norm(x, x); }},
      {"rounding", [](const Tensor& x) { return floor(x); }},
      {"scan", [](const Tensor& x) { return cumsum(x); }},
      {"scatter", [](const Tensor& x) { return scatter(x, 0, x, x); }},
      {"segment", [](const Tensor& x) { return segment_sum(x, x, 1); }},
      {"select", [](const Tensor& x) { return where(x, x, x); }},
      {"shape", [](const Tensor& x) { return permute(x, {0}); }},
      {"slice", [](const Tensor& x) { return slice(x, {}); }},
      {"softmax", [](const Tensor& x) { return softmax(x, 0); }},
      {"split", [](const Tensor& x) { return split(x, 1, 0)[0]; }},
      {"svd", [](const Tensor& x) { return svdvals(x); }},
      {"ties", [](const Tensor& x) { return eigvalsh(x); }},  // which needs it
      {"triangular", [](const Tensor& x) { return solve_triangular(x, x); }},
      {"trigonometric", [](const Tensor& x) { return tan(x); }},
      {"unary", [](const Tensor& x) { return exp(x); }},
      {"unfold", [](const Tensor& x) { return unfold2d(x, {}); }},
      {"weighted", [](const Tensor& x) { return norm(x, {.p = 3}); }},  // whose rule it is in
      {"counter", [](const Tensor&) { return Counter().state(); }},
      {"creation", [](const Tensor& x) { return zeros_like(x); }},
      {"linear_solvers", [](const Tensor& x) { return solve_dense([](const Tensor& v) { return v; }, x); }},
      {"multinomial", [](const Tensor& x) { return multinomial(x, 1); }},
      {"parameter_draws", [](const Tensor& x) { return poisson(x); }},
      {"random", [](const Tensor&) { return Random(0).state(); }},
      {"random_tensors", [](const Tensor& x) { return randn(x.shape()); }},
      {"unit_tensor", [](const Tensor& x) { return jacobian([](const Tensor& v) { return v; }, x); }},
  };
  keep_mentioned(mentions);
  mention_families_of_nn();
  mention_families_of_optim();
}

}  // namespace xtgrad::v1::detail
