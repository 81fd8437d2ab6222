#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/new_tensor.h"
#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1 {

namespace {

using detail::Array;
using detail::RandomBits;

Dtype floating_dtype(std::string_view function, const TensorOptions& options) {
  const Dtype dtype = options.dtype.value_or(default_dtype());
  if (!is_floating(dtype)) {
    throw DtypeError(fmt::format("{}: dtype must be float32 or float64: got {}", function, to_string(dtype)));
  }
  return dtype;
}

/// out[i] = f(block i) for i in [begin, end), `width` blocks at a time.
template <class T, class F>
void draw_range(T* out, std::int64_t begin, std::int64_t end, std::uint64_t seed, std::uint64_t position,
                F f) {
  constexpr std::int64_t width = 16;
  std::array<std::array<std::uint32_t, width>, 4> words;
  for (std::int64_t first = begin; first < end; first += width) {
    detail::philox<width>(seed, position, static_cast<std::uint64_t>(first), words);
    const auto count = static_cast<std::size_t>(std::min(width, end - first));
    for (std::size_t j = 0; j < count; ++j) {
      const RandomBits bits{words[0][j] | std::uint64_t{words[1][j]} << 32,
                            words[2][j] | std::uint64_t{words[3][j]} << 32};
      out[first + static_cast<std::int64_t>(j)] = f(bits);
    }
  }
}

/// out[i] = f(block i) for the draw at the generator's next position.
template <class T, class F>
void draw(T* out, std::int64_t n, Random& random, F f) {
  constexpr std::int64_t tile_size = 1 << 15;
  const std::uint64_t seed = random.seed();
  const std::uint64_t position = random.advance();
  detail::for_each_tile((n + tile_size - 1) / tile_size, [&](std::int64_t tile) {
    draw_range(out, tile * tile_size, std::min(n, (tile + 1) * tile_size), seed, position, f);
  });
}

/// The largest T that a draw from [low, high) may return, given that the least one is `low` rounded to T.
template <class T>
T largest_draw(double low, double high) {
  T largest = static_cast<T>(high);
  if (static_cast<double>(largest) >= high) {
    largest = std::nextafter(largest, -std::numeric_limits<T>::infinity());
  }
  return std::max(largest, static_cast<T>(low));
}

void check_range(const UniformOptions& range, Dtype dtype) {
  const auto [low, high] = range;
  if (!std::isfinite(low) || !std::isfinite(high) || !std::isfinite(high - low)) {
    throw ValueError(
        fmt::format("uniform: low, high and high - low must be finite: low is {}, high is {}", low, high));
  }
  if (low > high) {
    throw ValueError(fmt::format("uniform: low must not exceed high: low is {}, high is {}", low, high));
  }
  detail::visit_floating(dtype, [&, low = low, high = high](auto zero) {
    using T = decltype(zero);
    detail::checked_cast<T>("uniform", low);
    detail::checked_cast<T>("uniform", high);
  });
}

}  // namespace

Tensor randn(const Shape& shape, Random& random, const TensorOptions& options) {
  const Dtype dtype = floating_dtype("randn", options);
  Array array = detail::new_array("randn", shape, dtype, options.requires_grad);
  detail::visit_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    draw(array.mutable_data<T>(), array.numel(), random,
         [](RandomBits bits) { return static_cast<T>(detail::normal_from(bits)); });
  });
  return detail::new_leaf(std::move(array), options.requires_grad);
}

Tensor uniform(const Shape& shape, const UniformOptions& range, Random& random,
               const TensorOptions& options) {
  const Dtype dtype = floating_dtype("uniform", options);
  check_range(range, dtype);
  Array array = detail::new_array("uniform", shape, dtype, options.requires_grad);
  detail::visit_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    const double low = range.low;
    const double width = range.high - range.low;
    const T largest = largest_draw<T>(range.low, range.high);
    draw(array.mutable_data<T>(), array.numel(), random, [=](RandomBits bits) {
      // fma by name: whether a compiler contracts a product and a sum must not change the bits. Rounding may
      // reach `high`, which the interval leaves out.
      return std::min(static_cast<T>(std::fma(width, detail::unit_interval(bits.low), low)), largest);
    });
  });
  return detail::new_leaf(std::move(array), options.requires_grad);
}

Tensor bernoulli(const Shape& shape, double p, Random& random) {
  if (!(p >= 0 && p <= 1)) throw ValueError(fmt::format("bernoulli: p must be in [0, 1]: got {}", p));
  Array array = detail::new_array("bernoulli", shape, Dtype::boolean, false);
  draw(array.mutable_data<bool>(), array.numel(), random,
       [p](RandomBits bits) { return detail::unit_interval(bits.low) < p; });
  return detail::new_leaf(std::move(array), false);
}

Tensor randperm(std::int64_t n, Random& random) {
  if (n < 0) throw ValueError(fmt::format("randperm: n must not be negative: got {}", n));
  Array array = detail::new_array("randperm", {n}, Dtype::int64, false);
  std::int64_t* out = array.mutable_data<std::int64_t>();
  const std::uint64_t position = random.advance();
  // Fisher and Yates, from the inside out: 0..i is in random order after step i. Redraws use blocks past n.
  for (std::int64_t i = 0; i < n; ++i) {
    const auto step = static_cast<std::uint64_t>(i);
    const auto j = static_cast<std::int64_t>(
        detail::random_below(step + 1, random.seed(), position, step, static_cast<std::uint64_t>(n)));
    out[i] = i;
    std::swap(out[i], out[j]);
  }
  return detail::new_leaf(std::move(array), false);
}

}  // namespace xtgrad::inline v1
