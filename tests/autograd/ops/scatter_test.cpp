// scatter and its kin: dtypes, threads, and derivatives beyond what the walk over the registry asks for.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/scatter.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::testing { namespace {

using Function = Tensor (*)(const Tensor&, std::int64_t, const Tensor&, const Tensor&);
constexpr Function functions[] = {scatter, scatter_mul, scatter_max, scatter_min};

TEST_CASE("an int32 index names what the int64 one does") {
  const Tensor x = tensor({1, 2, 3}), source = tensor({5, -1, 4, 2});
  const Tensor index = tensor({2, 0, 2, 2}, {.dtype = int32});
  for (const Function f : functions)
    CHECK(same_bits(f(x, 0, index, source), f(x, 0, index.to(int64), source)));
  CHECK(values(scatter(x, 0, index, source)) == std::vector<double>{-1, 2, 2});
  CHECK(values(scatter_mul(x, 0, index, source)) == std::vector<double>{-1, 2, 120});
  CHECK(values(scatter_max(x, 0, index, source)) == std::vector<double>{1, 2, 5});
  CHECK(values(scatter_min(x, 0, index, source)) == std::vector<double>{-1, 2, 2});
  CHECK(values(index_copy(x, 0, index, source)) == std::vector<double>{-1, 2, 2});
}

TEST_CASE("integers are multiplied and compared exactly") {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  const Tensor x = full({2}, large, {.dtype = int64});
  const Tensor index = tensor({0, 0}, {.dtype = int64});
  const Tensor source = tensor({3, 5}, {.dtype = int64});
  CHECK(scatter_mul(x, 0, index, source).at_int64({0}) == 15 * large);
  CHECK(scatter_max(x, 0, index, x + source).at_int64({0}) == large + 5);
  CHECK(scatter_min(x, 0, index, x + source).at_int64({0}) == large);
}

TEST_CASE("the last entry stays, and results have their bits, for any number of threads") {
  Random random(3);
  constexpr std::int64_t n = 200000, rows = 500;
  const Tensor index = randint(0, rows, {n / 4, 4}, random);
  const Tensor source = randn({n / 4, 4}, random);
  const Tensor x = randn({rows, 4}, random);
  std::vector<Tensor> alone;
  for (const int threads : {1, 2, 3}) {
    const ThreadCount scope(threads);
    std::size_t k = 0;
    for (const Function f : functions) {
      const Tensor y = f(x, 0, index, source);
      if (threads == 1) alone.push_back(y);
      CHECK(same_bits(y, alone[k++]));
    }
  }
  for (const std::int64_t column : {0, 3}) {
    const std::int64_t place = index.at_int64({n / 4 - 1, column});
    CHECK(alone[0].at({place, column}) == source.at({n / 4 - 1, column}));
  }
}

TEST_CASE("derivatives of a product are exact where factors are 0, of every order") {
  // x s0 s1 s2 at one place, of which two are 0: only the mixed derivative in these is another number.
  const Tensor index = tensor({0, 0, 0}, {.dtype = int64});
  const auto f = [&](const Tensor& s) {
    return sum(scatter_mul(full({1}, 2, {.dtype = float64}), 0, index, s));
  };
  const Tensor s = tensor({0, 0, 7}, {.dtype = float64});
  CHECK(values(hessian(f, s)) == std::vector<double>{0, 14, 0, 14, 0, 0, 0, 0, 0});
  const Tensor one_zero = tensor({0, 3, 7}, {.dtype = float64});
  CHECK(values(hessian(f, one_zero)) == std::vector<double>{0, 14, 6, 14, 0, 0, 6, 0, 0});
}

TEST_CASE("factors that meet in one place by thousands") {
  constexpr std::int64_t n = 5000;
  const Tensor source = full({n}, 1 + 1e-4, {.dtype = float64, .requires_grad = true});
  const Tensor y = scatter_mul(ones({3}, {.dtype = float64}), 0, full({n}, 1, {.dtype = int64}), source);
  const double expected = std::pow(1 + 1e-4, n);
  CHECK(y.at({1}) == doctest::Approx(expected).epsilon(1e-12));
  CHECK(y.at({0}) == 1);
  sum(y).backward();
  CHECK(source.grad().at({n / 2}) == doctest::Approx(expected / (1 + 1e-4)).epsilon(1e-12));
}

}}  // namespace xtgrad::v1::testing
