#include "xtgrad/nn/least_squares.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/lstsq.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_finite(std::string_view name, const Tensor& matrix) {
  const auto elements = matrix.data<double>();
  const auto bad = std::find_if(elements.begin(), elements.end(), [](double e) { return !std::isfinite(e); });
  if (bad == elements.end()) return;
  const auto i = static_cast<std::int64_t>(bad - elements.begin());
  throw ValueError(fmt::format("least_squares: {} must be finite: element [{}, {}] is {}", name,
                               i / matrix.size(1), i % matrix.size(1), *bad));
}

void check(const Tensor& x, const Tensor& y, const LeastSquaresOptions& options) {
  if (x.rank() != 2 || x.size(0) == 0) {
    throw ShapeError(fmt::format("least_squares: x must be [n, features] with n at least 1: got {}",
                                 to_string(x.shape())));
  }
  if ((y.rank() != 1 && y.rank() != 2) || y.size(0) != x.size(0)) {
    throw ShapeError(
        fmt::format("least_squares: y must be [{0}] or [{0}, outputs], a row for each of x: got {1}",
                    x.size(0), to_string(y.shape())));
  }
  if (!is_floating(x.dtype()) || y.dtype() != x.dtype()) {
    throw DtypeError(fmt::format("least_squares: x and y must have one floating dtype: got {} and {}",
                                 to_string(x.dtype()), to_string(y.dtype())));
  }
  if (!(options.l2 >= 0 && std::isfinite(options.l2))) {
    throw ValueError(fmt::format("least_squares: l2 must be at least 0 and finite: got {}", options.l2));
  }
}

/// Rows less their mean. The first row goes before: a column of equal numbers is then exactly 0, and not what
/// the mean's rounding leaves of it, which would count as a direction.
Tensor centred(const Tensor& rows, Tensor& mean_of_rows) {
  const Tensor first = slice(rows, {.axis = 0, .stop = 1});
  const Tensor rest = rows - first;
  const Tensor rest_mean = mean(rest, {.axes = {0}, .keepdim = true});
  mean_of_rows = first + rest_mean;
  return rest - rest_mean;
}

}  // namespace

LinearFit least_squares(const Tensor& x, const Tensor& y, const LeastSquaresOptions& options) {
  check(x, y, options);
  const NoGrad no_grad;
  const std::int64_t features = x.size(1);
  const std::int64_t outputs = y.rank() == 1 ? 1 : y.size(1);
  Tensor a = x.detach().to(float64);
  Tensor b = reshape(y.detach().to(float64), {x.size(0), outputs});
  check_finite("x", a);
  check_finite("y", b);
  Tensor mean_x = zeros({1, features}, {.dtype = float64});
  Tensor mean_y = zeros({1, outputs}, {.dtype = float64});
  if (options.bias) {
    // Of centred samples the best bias is 0, whatever the weight is.
    a = centred(a, mean_x);
    b = centred(b, mean_y);
    check_finite("x less its mean", a);
    check_finite("y less its mean", b);
  }
  // The penalty is that of one more sample for each feature: sqrt(l2) there, with target 0.
  if (options.l2 > 0) {
    a = concat({a, eye(features, features, {.dtype = float64}) * std::sqrt(options.l2)}, 0);
    b = concat({b, zeros({features, outputs}, {.dtype = float64})}, 0);
  }
  std::vector<double> solution(static_cast<std::size_t>(features * outputs));
  std::int64_t rank = 0;
  if (!solution.empty()) {
    rank = xtgrad::detail::lstsq(a.data<double>(), b.data<double>(), a.size(0), features, outputs, solution);
  }
  const Tensor weight = permute(from_span(std::span<const double>(solution), {features, outputs}), {1, 0});
  const Tensor bias = reshape(mean_y - matmul(mean_x, weight, {.transpose_b = true}), Shape{outputs});
  return {weight.to(x.dtype()), bias.to(x.dtype()), rank};
}

}  // namespace xtgrad::v1::nn
