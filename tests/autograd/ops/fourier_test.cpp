// Transforms of every kind of length: products of small primes, prime ones, odd ones, long ones.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/functions/fourier.h"
#include "xtgrad/autograd/threads.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad::inline v1 { namespace {

using testing::same_bits;
using testing::values;
using Pair = std::complex<long double>;

std::vector<Pair> pairs_of(const Tensor& z) {
  const std::vector<double> numbers = values(z);
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < numbers.size(); i += 2) pairs.emplace_back(numbers[i], numbers[i + 1]);
  return pairs;
}

/// The definition, in long double, of rows of n pairs.
std::vector<Pair> transform(const std::vector<Pair>& z, std::int64_t n, int sign) {
  const auto points = static_cast<std::size_t>(n);
  std::vector<Pair> waves, sums;
  for (std::int64_t k = 0; k < n; ++k) {
    const long double angle = 2 * std::numbers::pi_v<long double> * sign * static_cast<long double>(k) /
                              static_cast<long double>(n);
    waves.emplace_back(std::cos(angle), std::sin(angle));
  }
  for (std::size_t row = 0; row < z.size(); row += points) {
    for (std::size_t k = 0; k < points; ++k) {
      Pair sum = 0;
      for (std::size_t j = 0; j < points; ++j) sum += z[row + j] * waves[j * k % points];
      sums.push_back(sum);
    }
  }
  return sums;
}

/// The norm of the error as a share of the norm, in units of half an ulp.
double error_of(const std::vector<Pair>& got, const std::vector<Pair>& want, Dtype dtype) {
  REQUIRE(got.size() == want.size());
  long double error = 0, all = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    error += std::norm(got[i] - want[i]);
    all += std::norm(want[i]);
  }
  const double unit = dtype == float32 ? 0x1p-24 : 0x1p-53;
  return static_cast<double>(std::sqrt(error / all)) / unit;
}

/// Roundings are of either sign, and independent: the norms of their errors add up as squares. Of a pass that
/// is at most 4 half ulps of the norm (a twiddle's rounding, two products, and the sums), and there are at
/// most log2 n of these. A convolution takes two transforms of four times as many points at most, and two
/// products more; and the sums of a radix of 31 are as 5 passes.
double bound(std::int64_t n) { return 4 * std::sqrt(2 * (std::log2(static_cast<double>(n)) + 2) + 4); }

const std::vector<std::int64_t> sizes{1,   2,   3,   4,   5,   6,   7,   8,   9,   11,   12,   16,   24,  31,
                                      37,  49,  62,  64,  67,  74,  93,  96,  100, 101,  121,  127,  128, 180,
                                      209, 243, 256, 341, 509, 510, 512, 620, 625, 1000, 1009, 1018, 1024};

/// Drawn in the dtype; every so many rows that lanes are full, and one is not.
Tensor draw(const Shape& shape, Dtype dtype, std::uint64_t seed) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype});
}

std::int64_t rows_for(std::int64_t n) { return n <= 128 ? 19 : 2; }

TEST_CASE("transforms of pairs agree with the definition") {
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t n : sizes) {
      CAPTURE(n);
      const Tensor z = draw({rows_for(n), n, 2}, dtype, static_cast<std::uint64_t>(n));
      CHECK(error_of(pairs_of(fft(z)), transform(pairs_of(z), n, -1), dtype) < bound(n));
      CHECK(error_of(pairs_of(ifft(z, {.norm = FourierNorm::forward})), transform(pairs_of(z), n, 1), dtype) <
            bound(n));
    }
  }
}

TEST_CASE("transforms of real numbers are those of pairs without imaginary parts") {
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t n : sizes) {
      CAPTURE(n);
      const Tensor x = draw({rows_for(n), n}, dtype, static_cast<std::uint64_t>(n));
      const Tensor bins = rfft(x);
      REQUIRE(bins.shape() == Shape{rows_for(n), n / 2 + 1, 2});
      const Tensor whole = fft(stack({x, zeros_like(x)}, -1));
      CHECK(error_of(pairs_of(bins), pairs_of(slice(whole, {.axis = 1, .stop = n / 2 + 1})), dtype) <
            2 * bound(n));
      // The first bin, and the last of an even n, are real.
      CHECK(values(sum(abs(select(select(bins, 1, 0), -1, 1))))[0] == 0);
      if (n % 2 == 0) CHECK(values(sum(abs(select(select(bins, 1, -1), -1, 1))))[0] == 0);
      const Tensor back = irfft(bins, {.n = n});
      CHECK(error_of(pairs_of(stack({back, zeros_like(x)}, -1)), pairs_of(stack({x, zeros_like(x)}, -1)),
                     dtype) < 2 * bound(n));
    }
  }
}

TEST_CASE("an axis in front of others has the transforms of the last one, in the same bits") {
  for (const std::int64_t n : {1, 6, 12, 37, 128, 341}) {
    CAPTURE(n);
    const Tensor z = draw({2, n, 21, 2}, float32, 3);
    CHECK(same_bits(fft(z, {.axis = 1}), transpose(fft(transpose(z, 1, 2)), 1, 2)));
    const Tensor x = draw({2, n, 21}, float64, 4);
    CHECK(same_bits(rfft(x, {.axis = 1}), transpose(rfft(transpose(x, 1, 2)), 1, 2)));
    const Tensor bins = rfft(x, {.axis = 1});
    CHECK(
        same_bits(irfft(bins, {.n = n, .axis = 1}), transpose(irfft(transpose(bins, 1, 2), {.n = n}), 1, 2)));
  }
}

TEST_CASE("a row's bits depend neither on other rows nor on the number of threads") {
  for (const std::int64_t n : {12, 60, 256, 1009, 4096}) {
    CAPTURE(n);
    const Tensor z = draw({40, n, 2}, float32, 5);
    const Tensor all = fft(z);
    for (const std::int64_t row : {0, 17, 39}) {
      const Tensor one = slice(z, {.start = row, .stop = row + 1});
      CHECK(same_bits(fft(one), slice(all, {.start = row, .stop = row + 1})));
    }
    const int before = num_threads();
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      CHECK(same_bits(fft(z), all));
    }
    set_num_threads(before);
  }
}

TEST_CASE("stft and istft of one signal, of none, and of frames of one point") {
  Random random(2);
  for (const std::int64_t batch : {1, 0}) {
    CAPTURE(batch);
    const Tensor x = randn({batch, 8}, random, {.dtype = float64});
    const auto there = [](const Tensor& v) { return stft(v, {.n = 4, .hop = 2}); };
    const auto back = [](const Tensor& z) { return istft(z, {.n = 4, .hop = 2}); };
    CHECK(there(x).shape() == Shape{batch, 3, 5, 2});
    CHECK(back(there(x)).shape() == Shape{batch, 8});
    CHECK_NOTHROW(require_grads(there, x, {.order = 2}));
    CHECK_NOTHROW(require_grads(back, there(x), {.order = 2}));
  }
  // Of one point the transform is the point.
  const Tensor x = randn({3}, random, {.dtype = float64});
  const Tensor z = stft(x, {.n = 1, .hop = 1});
  CHECK(z.shape() == Shape{1, 3, 2});
  CHECK(values(reshape(select(z, -1, 0), {3})) == values(x));
}

TEST_CASE("a NaN stays in its row") {
  for (const std::int64_t n : {12, 101, 256}) {
    std::vector<double> numbers(static_cast<std::size_t>(3 * n), 1.0);
    numbers[static_cast<std::size_t>(n + 1)] = testing::not_a_number;
    const Tensor bins = rfft(reshape(from_vector(numbers, {.dtype = float64}), {3, n}));
    CHECK(values(sum(isnan(select(bins, 0, 0)).to(float64)))[0] == 0);
    CHECK(values(sum(isnan(select(bins, 0, 1)).to(float64)))[0] > 0);
    CHECK(values(sum(isnan(select(bins, 0, 2)).to(float64)))[0] == 0);
  }
}

TEST_CASE("long transforms: a wave has one bin, and energies are equal") {
  for (const std::int64_t n : {std::int64_t{1} << 16, std::int64_t{99'991}, std::int64_t{100'000}}) {
    CAPTURE(n);
    const std::int64_t k = n / 3;
    std::vector<double> wave;
    for (std::int64_t j = 0; j < n; ++j)
      wave.push_back(
          std::cos(2 * std::numbers::pi * static_cast<double>(k * j % n) / static_cast<double>(n)));
    const Tensor x = from_vector(wave, {.dtype = float64});
    const Tensor bins = rfft(x, {.norm = FourierNorm::forward});
    const std::vector<double> heights = values(complex_abs(bins));
    const double limit = bound(n) * 0x1p-53;
    for (std::int64_t i = 0; i < n / 2 + 1; ++i) {
      const double want = i == k ? 0.5 : 0;
      if (std::abs(heights[static_cast<std::size_t>(i)] - want) > limit) FAIL_CHECK(i);
    }
    const Tensor y = draw({n, 2}, float64, 6);
    const double energy = values(sum(square(y)))[0];
    CHECK(std::abs(values(sum(square(fft(y, {.norm = FourierNorm::ortho}))))[0] / energy - 1) < 2 * limit);
  }
}

TEST_CASE("the transform of a circular convolution is the product of transforms") {
  const Tensor a = draw({30}, float64, 7), b = draw({30}, float64, 8);
  const std::vector<double> x = values(a), y = values(b);
  const std::vector<double> got = values(irfft(complex_mul(rfft(a), rfft(b)), {.n = 30}));
  for (std::size_t i = 0; i < 30; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 30; ++j) sum += x[j] * y[(30 + i - j) % 30];
    // Each transform is off by a share of the norm, whose product bounds the convolution.
    CHECK(std::abs(got[i] - sum) < 3 * bound(30) * 0x1p-53 * values(norm(a))[0] * values(norm(b))[0]);
  }
}

TEST_CASE("istft undoes stft") {
  const Tensor x = draw({2, 50}, float64, 9);
  for (const std::int64_t n : {8, 9}) {
    const Tensor window = 0.5 - 0.5 * cos((arange(n, {}, {.dtype = float64}) + 0.5) *
                                          (2 * std::numbers::pi / static_cast<double>(n)));
    for (const bool normalized : {false, true}) {
      const Tensor frames = stft(x, {.n = n, .hop = 3, .window = window, .normalized = normalized});
      CHECK(frames.shape() == Shape{2, n / 2 + 1, (50 + 2 * (n / 2) - n) / 3 + 1, 2});
      const Tensor back =
          istft(frames, {.n = n, .hop = 3, .window = window, .normalized = normalized, .length = 48});
      const Tensor error = abs(back - slice(x, {.axis = 1, .stop = 48}));
      CHECK(values(amax(error))[0] < 1e-13);  // some hundred roundings of numbers up to 10
    }
  }
}

TEST_CASE("frequencies are NumPy's") {
  const TensorOptions of{.dtype = float64};
  CHECK(values(fftfreq(4, 0.5, of)) == std::vector<double>{0, 0.5, -1, -0.5});
  CHECK(values(fftfreq(5, 1, of)) == std::vector<double>{0, 0.2, 0.4, -0.4, -0.2});
  CHECK(values(rfftfreq(5, 1, of)) == std::vector<double>{0, 0.2, 0.4});
  CHECK(values(rfftfreq(4, 2, of)) == std::vector<double>{0, 0.125, 0.25});
  CHECK(values(fftshift(fftfreq(4, 1, of))) == std::vector<double>{-0.5, -0.25, 0, 0.25});
  CHECK(fftfreq(3).dtype() == default_dtype());
  CHECK_THROWS_WITH_AS(static_cast<void>(fftfreq(0)),
                       doctest::Contains("fftfreq: needs n from 1 to 2^31 - 1 and a spacing"), ValueError);
  CHECK_THROWS_AS(static_cast<void>(rfftfreq(3, 0)), ValueError);
}

}}  // namespace xtgrad
