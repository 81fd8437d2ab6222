// Operands that broadcast along rows of few elements, and of a few more than lanes: every element, and the
// sums of gradients, which are computed in one step or, for those who watch, in two.
#include "xtgrad/autograd/kernels/short_rows.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/autograd/threads.h"

using namespace xtgrad;

namespace {

struct Pair {
  Shape a, b;
};

// A row, a column, one element for each run of rows, and both at once; runs shorter and longer than a block,
// rows that fill no lane, the longest short ones, and longer ones with every kind of tail.
const std::vector<Pair> pairs = {
    {{5000, 3}, {3}},          {{5000, 1}, {5000, 3}},   {{5000, 1}, {3}},      {{40, 70, 7}, {40, 1, 7}},
    {{3, 1000, 5}, {1000, 1}}, {{9, 300, 2}, {9, 1, 1}}, {{2, 4099, 16}, {16}}, {{700, 128}, {128}},
    {{700, 129}, {129}},       {{300, 131}, {300, 1}},   {{90, 143}, {143}},    {{60, 1001}, {1001}},
    {{100000, 2}, {2}},        {{4, 1, 3}, {4, 9, 1}},   {{1, 3}, {1000, 1}}};

Shape common(const Pair& pair) { return (zeros(pair.a) + zeros(pair.b)).shape(); }

/// The elements of x as a tensor of `shape` has them, copied one by one.
template <class T>
std::vector<T> stretched(const Tensor& x, const Shape& shape) {
  std::vector<T> all(static_cast<std::size_t>(shape.numel()));
  const auto from = x.data<T>();
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0, step = 1;
    for (std::size_t d = shape.rank(), k = x.rank(); d-- > 0; rest /= shape[d]) {
      if (k == 0) break;
      --k;
      if (x.shape()[k] != 1) at += rest % shape[d] * step;
      step *= x.shape()[k];
    }
    all[i] = from[static_cast<std::size_t>(at)];
  }
  return all;
}

template <class T>
std::int64_t different(const Tensor& result, const std::vector<T>& want) {
  const auto have = result.data<T>();
  REQUIRE(have.size() == want.size());
  std::int64_t count = 0;
  for (std::size_t i = 0; i < want.size(); ++i) count += have[i] != want[i];
  return count;
}

template <class T>
void check_products(const Tensor& a, const Tensor& b, const Shape& shape) {
  std::vector<T> want = stretched<T>(a, shape);
  const std::vector<T> factors = stretched<T>(b, shape);
  for (std::size_t i = 0; i < want.size(); ++i) want[i] *= factors[i];
  CHECK(different<T>(a * b, want) == 0);
  CHECK(different<T>(b * a, want) == 0);
}

bool same_bits(const Tensor& x, const Tensor& y) {
  const auto a = x.to(float64).data<double>(), b = y.to(float64).data<double>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i])) return false;
  }
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("rows that broadcast: every element of a product is that of its two factors") {
  Random random(1);
  for (const Pair& pair : pairs) {
    const Shape shape = common(pair);
    for (const Dtype dtype : {float32, float64}) {
      const Tensor a = randn(pair.a, random, {.dtype = dtype}), b = randn(pair.b, random, {.dtype = dtype});
      CAPTURE(to_string(pair.a));
      CAPTURE(to_string(pair.b));
      if (dtype == float32) {
        check_products<float>(a, b, shape);
      } else {
        check_products<double>(a, b, shape);
      }
    }
  }
}

TEST_CASE("rows that broadcast: integers, comparisons and masks") {
  Random random(2);
  for (const Pair& pair : pairs) {
    CAPTURE(to_string(pair.a));
    CAPTURE(to_string(pair.b));
    const Shape shape = common(pair);
    const Tensor a = randn(pair.a, random), b = randn(pair.b, random);
    const std::vector<float> left = stretched<float>(a, shape), right = stretched<float>(b, shape);
    const auto n = left.size();

    const Tensor i = (a * 100).to(int64), j = (b * 100).to(int64);
    check_products<std::int64_t>(i, j, shape);

    const Tensor less = a < b;
    const auto says = less.data<bool>();
    std::int64_t wrong = 0;
    for (std::size_t k = 0; k < n; ++k) wrong += says[k] != (left[k] < right[k]);
    CHECK(wrong == 0);

    std::vector<float> want(n), other(n);
    for (std::size_t k = 0; k < n; ++k) {
      want[k] = left[k] > 0 ? right[k] : 7;
      other[k] = left[k] > 0 ? 7 : right[k];
    }
    CHECK(different<float>(where(a > 0, b, 7), want) == 0);
    CHECK(different<float>(where(a > 0, 7, b), other) == 0);
  }
}

TEST_CASE("rows that broadcast: a gradient may be written over the cotangent") {
  const Tensor x = ones({5000, 3}, {.requires_grad = true});
  Random random(3);
  const Tensor b = randn({3}, random), c = randn({5000, 1}, random);
  sum((x * b) * c).backward();
  std::vector<float> want = stretched<float>(c, {5000, 3});
  const std::vector<float> factors = stretched<float>(b, {5000, 3});
  for (std::size_t i = 0; i < want.size(); ++i) want[i] *= factors[i];
  CHECK(different<float>(x.grad(), want) == 0);
}

TEST_CASE(
    "rows that broadcast: a gradient's sum has the same bits in one step, in two, and on any number of "
    "threads") {
  Random random(4);
  const int threads = num_threads();
  std::vector<Pair> all = pairs;
  all.push_back({{100, 3000}, {3000}});
  all.push_back({{1000, 1000}, {1000, 1}});
  all.push_back({{2, 150000}, {2, 1}});
  all.push_back({{300000}, {1}});
  for (const Pair& pair : all) {
    CAPTURE(to_string(pair.a));
    CAPTURE(to_string(pair.b));
    for (const Dtype dtype : {float32, float64}) {
      const Tensor a = randn(pair.a, random, {.dtype = dtype, .requires_grad = true});
      const Tensor b = randn(pair.b, random, {.dtype = dtype, .requires_grad = true});
      const Tensor g = randn(common(pair), random, {.dtype = dtype});
      // Of a cotangent that somebody holds, and of one that a gradient may be written over.
      const auto gradients = [&] {
        std::vector<Tensor> found = grad({a * b}, {a, b}, {.cotangents = {g}});
        for (const Tensor& each : grad({sum((a * b) * g)}, {a, b})) found.push_back(each);
        return found;
      };
      const std::vector<Tensor> in_one = gradients();
      std::vector<Tensor> in_two;
      {
        StepList steps;
        in_two = gradients();
      }
      set_num_threads(1);
      const std::vector<Tensor> alone = gradients();
      set_num_threads(threads);
      for (std::size_t k = 0; k < in_one.size(); ++k) {
        CHECK(in_one[k].shape() == (k % 2 == 0 ? pair.a : pair.b));
        CHECK(same_bits(in_one[k], in_two[k]));
        CHECK(same_bits(in_one[k], alone[k]));
      }
    }
  }
}
