#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensor_options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Random tensors. The bits of element i depend only on the generator's seed and position and on i: not on the
// dtype (float32 is float64 rounded), the thread or the number of threads.
/// Independent standard normal numbers.
[[nodiscard]] Tensor randn(const Shape& shape, Random& random = default_random(),
                           const TensorOptions& options = {});
[[nodiscard]] Tensor randn(const Shape& shape, const TensorOptions& options,
                           Random& random = default_random());

struct UniformOptions {
  double low = 0;
  double high = 1;
};
/// Independent uniform numbers in [low, high).
[[nodiscard]] Tensor uniform(const Shape& shape, const UniformOptions& range = {},
                             Random& random = default_random(), const TensorOptions& options = {});
/// Independent uniform numbers in [0, 1).
[[nodiscard]] Tensor rand(const Shape& shape, Random& random = default_random(),
                          const TensorOptions& options = {});
[[nodiscard]] Tensor rand(const Shape& shape, const TensorOptions& options,
                          Random& random = default_random());
/// Independent Bernoulli draws, bool: true with probability p.
[[nodiscard]] Tensor bernoulli(const Shape& shape, double p, Random& random = default_random());
/// A random order of 0..n-1, int64.
[[nodiscard]] Tensor randperm(std::int64_t n, Random& random = default_random());
/// Independent integers from low to high - 1, each as likely, int64.
[[nodiscard]] Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape,
                             Random& random = default_random());
/// Independent standard normal numbers, of x's shape and dtype.
[[nodiscard]] Tensor randn_like(const Tensor& x, Random& random = default_random());
/// Independent uniform numbers in [0, 1), of x's shape and dtype.
[[nodiscard]] Tensor rand_like(const Tensor& x, Random& random = default_random());

}}  // namespace xtgrad::v1
