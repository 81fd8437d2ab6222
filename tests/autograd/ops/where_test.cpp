// where on more than one tile, and its rule: each cotangent goes one way as it is, whatever it is.
#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

using namespace xtgrad;

namespace {

template <class T>
std::uint64_t bits(T x) {
  if constexpr (sizeof(T) == 4) return std::bit_cast<std::uint32_t>(x);
  if constexpr (sizeof(T) == 8) return std::bit_cast<std::uint64_t>(x);
}

/// Elements of `chosen` that are neither v's where the mask is true nor w's elsewhere, bit by bit.
template <class T>
std::int64_t wrong(const Tensor& mask, const Tensor& chosen, const Tensor& v, const Tensor& w) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < mask.data<bool>().size(); ++i)
    count += bits(chosen.data<T>()[i]) != bits((mask.data<bool>()[i] ? v : w).data<T>()[i]);
  return count;
}

/// Random numbers, some of which are NaN, infinite or -0.
Tensor numbers(Random& random, Dtype dtype) {
  const Tensor x = randn({100'003}, random, {.dtype = dtype});
  const double inf = std::numeric_limits<double>::infinity();
  return where(x > 2, inf,
               where(x < -2, std::numeric_limits<double>::quiet_NaN(), where(abs(x) < 0.1, -0.0, x)));
}

template <class T>
void check_where(Dtype dtype) {
  Random random(1);
  const Tensor a = numbers(random, dtype), b = numbers(random, dtype), g = numbers(random, dtype);
  const Tensor mask = bernoulli(a.shape(), 0.5, random);
  const Tensor zero = zeros(a.shape(), {.dtype = dtype});
  const Tensor left = a.detach().set_requires_grad(), right = b.detach().set_requires_grad();
  const Tensor y = where(mask, left, right);
  CHECK(wrong<T>(mask, y, a, b) == 0);
  const GradOptions options{.cotangents = {g}, .keep_graph = true};
  const std::vector<Tensor> both = grad(y, {left, right}, options);
  CHECK(wrong<T>(mask, both[0], g, zero) == 0);
  CHECK(wrong<T>(mask, both[1], zero, g) == 0);
  CHECK(wrong<T>(mask, grad(y, left, options), g, zero) == 0);
  CHECK(wrong<T>(mask, grad(y, right, options), zero, g) == 0);
}

}  // namespace

TEST_CASE("where chooses elements and cotangents as they are") {
  check_where<float>(float32);
  check_where<double>(float64);
}

TEST_CASE(
    "where's cotangents go where a mask that broadcasts says, and are summed for inputs that broadcast") {
  const Tensor mask = tensor({{1}, {0}}, {.dtype = boolean});
  const Tensor a = ones({3}, {.requires_grad = true}), b = ones({2, 1}, {.requires_grad = true});
  const Tensor y = where(mask, a, b);
  const std::vector<Tensor> gradients = grad(y, {a, b}, {.cotangents = {tensor({{1, 2, 4}, {8, 16, 32}})}});
  CHECK(gradients[0].data<float>()[2] == 4);
  CHECK(gradients[1].data<float>()[0] == 0);
  CHECK(gradients[1].data<float>()[1] == 56);
}
