// What the bits of gradients through a checkpoint are, beside those of the plain call.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;

namespace {

Tensor leaf(const Shape& shape, std::uint64_t seed, Dtype dtype) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype, .requires_grad = true});
}

}  // namespace

TEST_CASE("checkpoint: a sum from inside and outside has the bits of the plain call, however it is swept") {
  enum class How { backward, kept, recorded, planned };
  const auto sweep = [](Dtype dtype, bool checkpointed, How how) {
    const Tensor x = leaf({4, 3}, 1, dtype), w = leaf({4, 3}, 2, dtype);
    const Tensor index = tensor({{0, 0, 3}, {0, 2, 3}}, {.dtype = int64});
    const Tensor before = exp(x * w);  // its gradient is added after that of what is inside
    const auto f = [&](const Tensor& a, const Tensor& b) {
      const Tensor rows = slice(a, {.start = 1}) * slice(b, {.stop = 3});
      return concat({rows * rows, tanh(gather(a, 0, index)), unbind(a)[2] * gather(b, 0, index)});
    };
    const Tensor y = checkpointed ? checkpoint(f, x, w) : f(x, w);
    const Tensor after = sum(sin(x) * w) + sum(slice(x, {.start = 2}) / 3);
    const Tensor loss = sum(y * y) + after + sum(before);
    if (how == How::planned) return grad({loss}, {before, x, w});
    if (how == How::recorded) return grad({loss}, {x, w}, {.create_graph = true});
    loss.backward({.keep_graph = how == How::kept});
    return std::vector<Tensor>{x.grad(), w.grad()};
  };
  for (const Dtype dtype : {float32, float64}) {
    for (const How how : {How::backward, How::kept, How::recorded, How::planned}) {
      CAPTURE(to_string(dtype));
      CAPTURE(static_cast<int>(how));
      const std::vector<Tensor> plain = sweep(dtype, false, how), checkpointed = sweep(dtype, true, how);
      for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same_bits(plain[i], checkpointed[i]));
    }
  }
}

TEST_CASE("checkpoint: an intermediate result that f hands out has its own graph") {
  const Tensor x = leaf({4}, 1, float64), y = leaf({4}, 2, float64);
  Tensor inner;
  const Tensor z = checkpoint(
      [&](const Tensor& v) {
        inner = exp(v * y);
        return sin(inner) * v;
      },
      x);
  const Tensor gradient = grad({sum(z) + sum(inner)}, {x})[0];
  const Tensor h = exp(x * y);
  const Tensor plain = grad({sum(sin(h) * x) + sum(h)}, {x})[0];
  for (std::int64_t i = 0; i < 4; ++i)
    CHECK(gradient.at({i}) == doctest::Approx(plain.at({i})).epsilon(1e-14));
}

TEST_CASE("checkpoint: higher orders have the plain bits where no sum rounds, and else those of a rounding") {
  // Of a program in float64 that goes through float32 inside, the rounding is float32's.
  const auto orders = [](const std::vector<double>& at, Dtype dtype, Dtype inside, bool checkpointed) {
    const Tensor x = from_vector(at, {.dtype = dtype, .requires_grad = true});
    const auto f = [&](const Tensor& v) {
      const Tensor h = v.to(inside) * v.to(inside);
      return (h * h).to(dtype);
    };
    const Tensor y = checkpointed ? checkpoint(f, x) : f(x);
    const Tensor d1 = grad({sum(y * y)}, {x}, {.create_graph = true})[0];  // of x^8
    const Tensor d2 = grad({sum(d1)}, {x}, {.create_graph = true})[0];
    return std::vector<Tensor>{d1, d2, grad({sum(d2)}, {x})[0]};
  };
  for (const auto& [dtype, inside] :
       {std::pair(float32, float32), std::pair(float64, float64), std::pair(float64, float32)}) {
    const auto& shown_dtype = dtype;
    CAPTURE(to_string(shown_dtype));
    const auto& shown_inside = inside;
    CAPTURE(to_string(shown_inside));
    const std::vector<double> small_integers{1, 2, -3, 0, 4}, others{0.1, 1.7, -0.3, 2.9};
    const std::vector<Tensor> exact = orders(small_integers, dtype, inside, false);
    const std::vector<Tensor> exact_again = orders(small_integers, dtype, inside, true);
    const std::vector<Tensor> plain = orders(others, dtype, inside, false);
    const std::vector<Tensor> again = orders(others, dtype, inside, true);
    CHECK(exact[2].at({1}) == 8 * 7 * 6 * 32);
    CHECK(same_bits(plain[0], again[0]));
    const double last_digit = inside == float32 ? 0x1p-23 : 0x1p-52;
    for (std::size_t k = 0; k < 3; ++k) {
      CAPTURE(k);
      CHECK(same_bits(exact[k], exact_again[k]));
      for (std::int64_t i = 0; i < 4; ++i) {
        const double want = plain[k].at({i});
        CHECK(std::abs(again[k].at({i}) - want) <= 4 * last_digit * std::abs(want));
      }
    }
  }
}
