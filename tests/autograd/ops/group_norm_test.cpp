// What the samples of rms_norm and group_norm do not say: numbers at the ends of float32's range, special
// values, agreement with layer_norm and batch_norm, and independence of the number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

double largest(const Tensor& x) { return amax(abs(x)).item(); }

TEST_CASE("rms_norm and group_norm: numbers of any size have the results of numbers near 1") {
  Random random(1);
  const Tensor base = randn({4, 6, 5}, random), g = randn({4, 6, 5}, random),
               w = uniform({6}, {.low = 0.5, .high = 1.5}, random),
               rows = uniform({5}, {.low = 0.5, .high = 1.5}, random);
  const auto results = [&](double scale, bool of_groups) {
    Tensor x = (base * scale).detach().set_requires_grad();
    Tensor weight = (of_groups ? w : rows).detach().set_requires_grad();
    const double eps = 1e-3 * scale * scale;
    const Tensor y =
        of_groups ? group_norm(x, 2, weight, zeros({6}), {.eps = eps}) : rms_norm(x, weight, {.eps = eps});
    std::vector<Tensor> all = grad({y}, {x, weight}, {.cotangents = {g}});
    all[0] = all[0].to(float64) * scale;
    all.push_back(y.detach());
    return all;
  };
  for (const bool of_groups : {false, true}) {
    const std::vector<Tensor> want = results(1, of_groups);
    for (const double scale : {0x1p-70, 0x1p70}) {
      const std::vector<Tensor> got = results(scale, of_groups);
      for (std::size_t i = 0; i < 3; ++i) {
        CAPTURE(i);
        CAPTURE(scale);
        CAPTURE(of_groups);
        CHECK(largest(got[i] - want[i].to(got[i].dtype())) <= 4e-6);
        CHECK(largest(want[i]) > 0.1);
      }
    }
  }
}

TEST_CASE("group_norm of one group is layer_norm, and of a batch as channels batch_norm") {
  Random random(2);
  const Tensor x = randn({3, 4, 7}, random, {.requires_grad = true}), g = randn({3, 4, 7}, random);
  const Tensor y = group_norm(x, 1, ones({4}), zeros({4}));
  const Tensor z = layer_norm(x, ones({4, 7}), zeros({4, 7}));
  CHECK(largest(y - z) <= 4e-7);
  CHECK(largest(grad({y}, {x}, {.cotangents = {g}})[0] - grad({z}, {x}, {.cotangents = {g}})[0]) <= 4e-6);
  const Tensor planes = reshape(batch_norm(reshape(x, {1, 12, 7}), ones({12}), zeros({12})), x.shape());
  CHECK(largest(instance_norm(x) - planes) <= 4e-7);
}

TEST_CASE("rms_norm and group_norm: an infinite element spoils its own row or group and no other") {
  for (const double bad : {HUGE_VAL, std::nan("")}) {
    Random random(3);
    std::vector<float> numbers(24);
    for (float& v : numbers) v = static_cast<float>(random.next_normal());
    numbers[0] = static_cast<float>(bad);
    const Tensor x = from_span(std::span<const float>(numbers), {1, 4, 6}).set_requires_grad();
    for (const Tensor& y : {rms_norm(x), group_norm(x, 2, ones({4}), zeros({4}))}) {
      const Tensor dx = grad({y}, {x}, {.cotangents = {ones_like(y)}})[0];
      for (std::int64_t j = 0; j < 6; ++j) {
        CHECK(std::isfinite(y.at({0, 2, j})));
        CHECK(std::isfinite(dx.at({0, 2, j})));
      }
      CHECK(std::isnan(y.at({0, 0, 0})));
      CHECK(std::isnan(dx.at({0, 0, 1})));
    }
  }
}

TEST_CASE("group_norm: a constant group becomes the bias, and its gradient is finite") {
  Tensor x = full({2, 4, 3}, 3, {.requires_grad = true});
  const Tensor y = group_norm(x, 2, full({4}, 5), full({4}, -1));
  CHECK(largest(y + 1) == 0);
  Random random(4);
  for (const double v : values(grad({y}, {x}, {.cotangents = {randn(y.shape(), random)}})[0]))
    CHECK(std::isfinite(v));
  // Of a single value nothing is left but the bias.
  Tensor one = tensor({{3, -8}}, {.requires_grad = true});
  const Tensor z = instance_norm(one, full({2}, 5), full({2}, -1));
  CHECK(values(z) == std::vector<double>{-1, -1});
  CHECK(values(grad({z}, {one}, {.cotangents = {tensor({{0.3, 7}})}})[0]) == std::vector<double>{0, 0});
}

TEST_CASE("rms_norm and group_norm: the same bits for any number of threads") {
  Random random(5);
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{700, 30, 6}, Shape{2, 30, 3000}}) {
      const TensorOptions leaf{.dtype = dtype, .requires_grad = true};
      const Tensor x = randn(shape, random, leaf), w = randn({30}, random, leaf),
                   b = randn({30}, random, leaf);
      const Tensor rows = randn({shape[2]}, random, leaf), g = randn(shape, random, {.dtype = dtype});
      std::vector<std::vector<Tensor>> results;
      for (const int threads : {1, 3}) {
        const ThreadCount count(threads);
        const Tensor y = group_norm(x, 3, w, b), z = rms_norm(x, rows);
        results.push_back(grad({y}, {x, w, b}, {.cotangents = {g}}));
        for (const Tensor& one : grad({z}, {x, rows}, {.cotangents = {g}})) results.back().push_back(one);
        results.back().push_back(y.detach());
        results.back().push_back(z.detach());
      }
      for (std::size_t i = 0; i < results[0].size(); ++i) CHECK(same_bits(results[0][i], results[1][i]));
    }
  }
}

}}  // namespace xtgrad::v1::testing
