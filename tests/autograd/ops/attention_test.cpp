// What the samples of attention do not say: many blocks, queries without a key, special values, masks that
// want a gradient, and independence of the number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

struct Operands {
  Tensor q, k, v;
};

Operands draw_operands(const Shape& q, const Shape& k, Dtype dtype, Random& random) {
  const TensorOptions leaf{.dtype = dtype, .requires_grad = true};
  return {randn(q, random, leaf), randn(k, random, leaf), randn(k, random, leaf)};
}

Tensor composed(const Operands& in, const Tensor& hidden_below) {
  const Tensor scores =
      matmul(in.q, in.k, {.transpose_b = true}) / std::sqrt(static_cast<double>(in.q.size(-1)));
  return matmul(softmax(hidden_below.defined() ? scores + hidden_below : scores, -1), in.v);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return amax(abs(a.detach().to(float64) - b.detach().to(float64))).item();
}

TEST_CASE("attention: many blocks of keys and queries, against a composition in double") {
  Random random(1);
  for (const bool is_causal : {false, true}) {
    CAPTURE(is_causal);
    const Operands wide = draw_operands({2, 300, 20}, {2, 700, 20}, float64, random);  // in three parts
    const auto narrowed = [](const Tensor& x) { return x.detach().to(float32).set_requires_grad(); };
    const Operands narrow{narrowed(wide.q), narrowed(wide.k), narrowed(wide.v)};
    const Operands exact{narrow.q.detach().to(float64).set_requires_grad(),
                         narrow.k.detach().to(float64).set_requires_grad(),
                         narrow.v.detach().to(float64).set_requires_grad()};
    const double hides = -std::numeric_limits<double>::infinity();
    Tensor mask;
    if (is_causal) {
      const Tensor after = greater(arange(700), reshape(arange(300), {300, 1}));
      mask = masked_fill(zeros({300, 700}, {.dtype = float64}), after, hides);
    }
    const Tensor want = composed(exact, mask);
    const Tensor got = scaled_dot_product_attention(narrow.q, narrow.k, narrow.v, {.is_causal = is_causal});
    const Tensor same = scaled_dot_product_attention(exact.q, exact.k, exact.v, {.is_causal = is_causal});
    const Tensor g = randn(got.shape(), random);
    const auto of_narrow = grad({got}, {narrow.q, narrow.k, narrow.v}, {.cotangents = {g}});
    const auto of_exact = grad({want}, {exact.q, exact.k, exact.v}, {.cotangents = {g.to(float64)}});
    const auto of_same = grad({same}, {exact.q, exact.k, exact.v}, {.cotangents = {g.to(float64)}});
    // A score is a sum of products of size 1, off by some units of float; what is summed with weights that
    // add up to 1, or to little, is off as much.
    CHECK(largest_difference(got, want) <= 16 * 0x1p-24);
    CHECK(largest_difference(same, want) <= 16 * 0x1p-53);
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      CHECK(largest_difference(of_narrow[i], of_exact[i]) <= 64 * 0x1p-24);
      CHECK(largest_difference(of_same[i], of_exact[i]) <= 64 * 0x1p-53);
    }
  }
}

TEST_CASE("attention: a query without a key has 0, and the others are none the worse for it") {
  Random random(2);
  const Operands in = draw_operands({3, 4}, {5, 4}, float32, random);
  const Tensor allowed = tensor({{1, 1, 0, 1, 0}, {0, 0, 0, 0, 0}, {1, 1, 1, 1, 1}}) > 0;
  const Tensor hides = masked_fill(zeros({3, 5}), logical_not(allowed), -infinity);
  for (const Tensor& mask : {allowed, hides}) {
    const Tensor y = scaled_dot_product_attention(in.q, in.k, in.v, {.mask = mask});
    for (std::int64_t c = 0; c < 4; ++c) CHECK(y.at({1, c}) == 0);
    for (const bool create_graph : {false, true}) {  // the kernel, and the composition
      const auto all = grad({y}, {in.q, in.k, in.v},
                            {.cotangents = {ones_like(y)}, .keep_graph = true, .create_graph = create_graph});
      for (const Tensor& one : all) {
        for (const double x : values(one)) CHECK(std::isfinite(x));
      }
      for (std::int64_t c = 0; c < 4; ++c) CHECK(all[0].at({1, c}) == 0);
    }
    const Tensor rest = scaled_dot_product_attention(
        in.q, in.k, in.v, {.mask = tensor({{1, 1, 0, 1, 0}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}) > 0});
    for (std::int64_t c = 0; c < 4; ++c) CHECK(rest.at({0, c}) == y.at({0, c}));
  }
  // Before the first key of a causal one there is always one: key 0.
  CHECK(values(scaled_dot_product_attention(in.q, in.k, in.v, {.mask = tensor({0, 0, 0, 0, 0}) > 0})) ==
        std::vector<double>(12, 0));
}

TEST_CASE("attention: scores of any size, and what is not a number") {
  const Tensor q = tensor({{1e4}, {-1e4}}), k = tensor({{1e4}, {2e4}, {-1e4}}), v = tensor({{1}, {2}, {3}});
  // Scores of 2e8 outweigh all others.
  CHECK(values(scaled_dot_product_attention(q, k, v)) == std::vector<double>{2, 3});
  const Tensor spoilt = tensor({{not_a_number}, {1}});
  const std::vector<double> y = values(scaled_dot_product_attention(spoilt, k, v));
  CHECK(std::isnan(y[0]));
  CHECK(std::isfinite(y[1]));
  // A hidden key's score does not count, be it NaN; and one that is not hidden does, be it the only one.
  const Tensor keys = tensor({{not_a_number}, {1}}), two = tensor({{1}, {2}});
  CHECK(values(scaled_dot_product_attention(tensor({{1}}), keys, two, {.mask = tensor({0, 1}) > 0})) ==
        std::vector<double>{2});
  CHECK(std::isnan(
      scaled_dot_product_attention(tensor({{1}}), keys, two, {.mask = tensor({1, 0}) > 0}).item()));
}

TEST_CASE("attention: an added mask has a gradient, which is that of the scores, summed") {
  Random random(3);
  const TensorOptions in_double{.dtype = float64};
  const auto report = check_grads(
      [](std::span<const Tensor> in) {
        return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3], .is_causal = true});
      },
      {randn({2, 3, 2}, random, in_double), randn({2, 4, 2}, random, in_double),
       randn({2, 4, 3}, random, in_double), randn({3, 4}, random, in_double)});
  CHECK_MESSAGE(report.ok(), report.message);
}

TEST_CASE("attention: grouped heads are heads that were repeated") {
  Random random(4);
  const Tensor q = randn({2, 6, 5, 4}, random), k = randn({2, 2, 7, 4}, random),
               v = randn({2, 2, 7, 3}, random), mask = randn({6, 5, 7}, random);
  const auto repeated = [](const Tensor& x) { return repeat_interleave(x, 3, 1); };
  CHECK(same_bits(scaled_dot_product_attention(q, k, v, {.mask = mask, .enable_gqa = true}),
                  scaled_dot_product_attention(q, repeated(k), repeated(v), {.mask = mask})));
}

TEST_CASE("attention: the same bits for any number of threads") {
  Random random(5);
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t batch : {1, 9}) {  // few matrices are cut
      const Operands in = draw_operands({batch, 150, 16}, {batch, 800, 16}, dtype, random);
      const Tensor g = randn(in.q.shape(), random, {.dtype = dtype});
      std::vector<std::vector<Tensor>> results;
      for (const int threads : {1, 3}) {
        const ThreadCount count(threads);
        const Tensor y = scaled_dot_product_attention(in.q, in.k, in.v, {.is_causal = true});
        results.push_back(grad({y}, {in.q, in.k, in.v}, {.cotangents = {g}}));
        results.back().push_back(y.detach());
      }
      for (std::size_t i = 0; i < 4; ++i) CHECK(same_bits(results[0][i], results[1][i]));
    }
  }
}

}}  // namespace xtgrad::v1::testing
