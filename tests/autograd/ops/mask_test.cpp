// What a mask chooses: dtypes, sizes, and what counts as 0.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

TEST_CASE("NaN, infinities and subnormal numbers are not 0, -0 is") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor x =
      tensor({0, -0.0, std::numeric_limits<double>::quiet_NaN(), -inf, 5e-324, 0}, {.dtype = float64});
  CHECK(values(nonzero(x)) == std::vector<double>{2, 3, 4});
  CHECK(nonzero(tensor({{0, 1}, {2, 0}}, {.dtype = uint8})).shape() == Shape{2, 2});
  CHECK(values(nonzero(tensor({{0, 1}, {2, 0}}, {.dtype = int32}))) == std::vector<double>{0, 1, 1, 0});
  CHECK(nonzero(ones({})).shape() == Shape{1, 0});
  CHECK(nonzero(zeros({})).shape() == Shape{0, 0});
}

TEST_CASE("elements of a large tensor are found and chosen in order") {
  constexpr std::int64_t n = 100003;
  const Tensor x = arange(n);
  const Tensor mask = x >= n - 5;
  CHECK(values(masked_select(x, mask)) == std::vector<double>{n - 5, n - 4, n - 3, n - 2, n - 1});
  const Tensor places = nonzero(reshape(mask, {1, n}));
  CHECK(places.shape() == Shape{5, 2});
  CHECK(places.at_int64({0, 1}) == n - 5);
}

TEST_CASE("a scattered mask takes the elements of its source in order, whatever their shapes") {
  const Tensor x = zeros({2, 2, 2});
  const Tensor mask = tensor({{true, false}, {false, true}}, {.dtype = boolean});
  CHECK(values(masked_scatter(x, mask, tensor({{1, 2}, {3, 4}}))) ==
        std::vector<double>{1, 0, 0, 2, 3, 0, 0, 4});
}

}}  // namespace xtgrad::v1::testing
