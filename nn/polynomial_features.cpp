#include "xtgrad/nn/polynomial_features.h"

#include <fmt/format.h>

#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {
namespace {

/// How many monomials of degree 1 to `degree` there are; throws where they are too many.
std::int64_t count_of_monomials(std::int64_t features, std::int64_t degree) {
  constexpr std::int64_t most = 1'000'000;
  // The product of (features + i) / i for i = 1 .. degree: whole after each step, and never falling.
  std::int64_t count = 1;
  for (std::int64_t i = 1; i <= degree && features > 0; ++i) {
    count = count * (features + i) / i;
    if (count - 1 <= most) continue;
    throw ValueError(fmt::format(
        "polynomial_features: {} features have more than {} monomials of degree {} and less: degree is {}",
        features, most, i, degree));
  }
  return count - 1;
}

}  // namespace

Tensor polynomial_features(const Tensor& x, std::int64_t degree) {
  if (x.rank() != 2) {
    throw ShapeError(
        fmt::format("polynomial_features: x must be [n, features]: got {}", to_string(x.shape())));
  }
  if (!is_floating(x.dtype())) {
    throw DtypeError(
        fmt::format("polynomial_features: x must be float32 or float64: got {}", to_string(x.dtype())));
  }
  if (degree < 1) {
    throw ValueError(fmt::format("polynomial_features: degree must be at least 1: got {}", degree));
  }
  const std::int64_t features = x.size(1);
  if (count_of_monomials(features, degree) == 0) return alias(x);

  // The monomials of a degree whose first factor is column i are column i times those of the degree before
  // whose first factor is i or later: a block at the end of that degree.
  std::vector<Tensor> degrees{x};
  std::vector<std::int64_t> begins(static_cast<std::size_t>(features));  // of these blocks
  for (std::int64_t i = 0; i < features; ++i) begins[static_cast<std::size_t>(i)] = i;
  for (std::int64_t d = 2; d <= degree; ++d) {
    const Tensor& before = degrees.back();
    std::vector<Tensor> blocks;
    std::vector<std::int64_t> next;
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < features; ++i) {
      const std::int64_t start = begins[static_cast<std::size_t>(i)];
      const Tensor column = slice(x, {.axis = 1, .start = i, .stop = i + 1});
      blocks.push_back(column * slice(before, {.axis = 1, .start = start}));
      next.push_back(begin);
      begin += blocks.back().size(1);
    }
    degrees.push_back(concat(blocks, 1));
    begins = next;
  }
  return concat(degrees, 1);
}

}  // namespace xtgrad::v1::nn
