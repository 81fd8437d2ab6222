// The code of docs/operations/fourier.md.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/functions/fourier.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using xtgrad::testing::values;

namespace {

/// du/dx of a function of period 2 pi, at n evenly spaced points.
Tensor spectral_derivative(const Tensor& u) {
  const std::int64_t n = u.shape().back();
  const Tensor k = rfftfreq(n, 1.0 / static_cast<double>(n), {.dtype = u.dtype()});  // 0, 1, ..., n / 2
  const Tensor ik = stack({zeros_like(k), k}, -1);
  return irfft(complex_mul(rfft(u), ik), {.n = n});
}

/// Of signals of any length, and a filter: the sums of y_j h_(i - j).
Tensor convolve(const Tensor& x, const Tensor& h) {
  const std::int64_t n = x.shape().back() + h.shape().back() - 1;
  return irfft(complex_mul(rfft(x, {.n = n}), rfft(h, {.n = n})), {.n = n});
}

/// A layer of a Fourier neural operator: the lowest waves, each by a number of its own.
struct SpectralLayer : nn::Module {
  explicit SpectralLayer(std::int64_t modes) : weight(randn({modes, 2})) { weight.set_requires_grad(); }
  Tensor weight;
  void members(nn::Members& m) override { m("weight", weight); }
  Tensor forward(const Tensor& x) override {  // [..., n]
    const std::int64_t modes = weight.shape()[0], n = x.shape().back();
    const Tensor low = slice(rfft(x), {.axis = -2, .stop = modes});
    return irfft(complex_mul(low, weight), {.n = n});  // the bins that are left out are zeros
  }
};

}  // namespace

TEST_CASE("docs/operations/fourier.md: pairs") {
  Tensor x = tensor({1, 2, 3, 4});
  Tensor bins = rfft(x);                             // {{10, 0}, {-2, 2}, {-2, 0}}
  Tensor again = irfft(bins);                        // x
  Tensor power = sum(square(bins), {.axes = {-1}});  // {100, 8, 4}
  Tensor phase = complex_angle(bins);                // atan2(imaginary, real): {0, 3 pi / 4, pi}
  CHECK(values(bins) == std::vector<double>{10, 0, -2, 2, -2, 0});
  CHECK(values(again) == values(x));
  CHECK(values(power) == std::vector<double>{100, 8, 4});
  CHECK(values(phase)[1] == doctest::Approx(0.75 * std::numbers::pi));
}

TEST_CASE("docs/operations/fourier.md: a spectral derivative") {
  const Tensor x = arange(16, {}, {.dtype = float64}) * (std::numbers::pi / 8);
  const std::vector<double> got = values(spectral_derivative(sin(x) + 0.5 * cos(3 * x)));
  const std::vector<double> want = values(cos(x) - 1.5 * sin(3 * x));
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - want[i]) < 1e-13);
}

TEST_CASE("docs/operations/fourier.md: a convolution") {
  const Tensor y = convolve(tensor({1, 2, 3}, {.dtype = float64}), tensor({1, -1}, {.dtype = float64}));
  const std::vector<double> want{1, 1, 1, -3};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(std::abs(values(y)[i] - want[i]) < 1e-14);
}

TEST_CASE("docs/operations/fourier.md: a layer") {
  SpectralLayer layer(3);
  const Tensor x = randn({5, 8});
  const Tensor loss = sum(square(layer(x)));
  loss.backward();
  CHECK(layer.weight.grad().shape() == Shape{3, 2});
}

TEST_CASE("docs/operations/fourier.md: frames") {
  Tensor x = randn({2, 400});
  Tensor window = 0.5 - 0.5 * cos(arange(64, {}, {.dtype = float32}) * (2 * std::numbers::pi / 64));
  Tensor frames = stft(x, {.n = 64, .hop = 16, .window = window});                      // [2, 33, 26, 2]
  Tensor again = istft(frames, {.n = 64, .hop = 16, .window = window, .length = 400});  // x
  CHECK(frames.shape() == Shape{2, 33, 26, 2});
  CHECK(values(amax(abs(again - x)))[0] < 1e-5);
}
