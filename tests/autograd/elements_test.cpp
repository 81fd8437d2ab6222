// Elements and shapes of tensors that have no name.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

static_assert(std::random_access_iterator<Elements<float>::Iterator>);
static_assert(std::ranges::random_access_range<Elements<double>>);
// A span could be made of a temporary otherwise.
static_assert(!std::ranges::contiguous_range<Elements<float>>);

namespace {

Tensor model(const Tensor& x) { return x * 2 + 1; }

double sum_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum;
}

}  // namespace

TEST_CASE("a loop over the elements of a temporary has them all") {
  const Tensor x = arange(1000).to(float32);
  std::int64_t i = 0;
  for (const float value : model(x).data<float>()) {
    const Tensor taker = full({1000}, -1);  // of the memory, were it free
    CHECK(value == static_cast<float>(2 * i++ + 1));
  }
  CHECK(i == 1000);
  std::int64_t product = 1;
  for (const std::int64_t size : reshape(x, {4, 5, 50}).shape()) product *= size;
  CHECK(product == 1000);
}

TEST_CASE("elements of a temporary that are kept stay what they are") {
  const auto values = model(tensor({1, 2, 3})).data<float>();
  const Tensor taker = full({3}, -1);
  CHECK(values.size() == 3);
  CHECK(values.size_bytes() == 12);
  CHECK(values.front() == 3);
  CHECK(values[1] == 5);
  CHECK(values.back() == 7);
  CHECK_FALSE(values.empty());
  CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{3, 5, 7});
  CHECK(values.end() - values.begin() == 3);
  CHECK(*std::ranges::max_element(values) == 7);
  CHECK(sum_of(values) == 15);
  const std::span<const float> span = values;
  CHECK(span.data() == values.data());
  CHECK(model(zeros({0, 2})).data<float>().empty());
  CHECK(model(tensor(2)).data<float>()[0] == 5);
  const Shape& shape = model(zeros({2, 3})).shape();
  CHECK(shape == Shape{2, 3});
}

TEST_CASE("elements of a temporary: another dtype and an empty handle are errors, as of a variable") {
  CHECK_THROWS_WITH_AS(static_cast<void>(model(tensor({1})).data<double>()),
                       "data: asked for float64, the tensor is float32", DtypeError);
  CHECK_THROWS_AS(static_cast<void>(Tensor().data<float>()), ValueError);
  CHECK_THROWS_AS(static_cast<void>(Tensor().shape()), ValueError);
}
