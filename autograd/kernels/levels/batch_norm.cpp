#include "xtgrad/autograd/kernels/levels/batch_norm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/levels/pairwise_sums.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

using Doubles = ScratchVector<double>;

/// Elements of one tile.
constexpr std::int64_t tile_elements = 1 << 15;
/// Shorter rows than this are taken as columns of a matrix [n, c * inner]: a loop over one would be all
/// overhead.
constexpr std::int64_t short_row = 16;

template <class F>
void for_each_tile_of(std::int64_t items, std::int64_t elements_of_one, const F& body) {
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, tile_elements / std::max<std::int64_t>(1, elements_of_one));
  for_each_tile((items + per_tile - 1) / per_tile,
                [&](std::int64_t tile) { body(tile * per_tile, std::min(items, (tile + 1) * per_tile)); });
}

/// The numbers of each channel, once for each of its columns.
Doubles repeat(const double* channels, const Channels& at) {
  Doubles columns(index(at.c * at.inner));
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = channels[i / index(at.inner)];
  return columns;
}

/// Columns of a matrix that are summed side by side.
constexpr std::int64_t chunk_columns = 64;

template <std::size_t N>
using ColumnSums = std::array<std::array<double, chunk_columns>, N>;

/// The sums over the rows first to last of what `add_rows(row, count, sums)` adds for so many, pairwise.
template <std::size_t N, class F>
void sum_rows_pairwise(std::int64_t first, std::int64_t last, const F& add_rows, ColumnSums<N>& sums) {
  if (last - first <= chain) {
    ColumnSums<N> here{};  // which nothing else can point to
    for_each_tree(first, last, [&](std::int64_t row, auto count) { add_rows(row, count, here); });
    sums = here;
    return;
  }
  const std::int64_t middle = first + ((last - first) / 2 + chain - 1) / chain * chain;
  ColumnSums<N> rest;
  sum_rows_pairwise<N>(first, middle, add_rows, sums);
  sum_rows_pairwise<N>(middle, last, add_rows, rest);
  for (std::size_t s = 0; s < N; ++s) {
    for (std::size_t j = 0; j < chunk_columns; ++j) sums[s][j] += rest[s][j];
  }
}

/// sums[s][channel] = the sum of the s'th of the N numbers `term(i, k)` over the elements i of a channel,
/// whose M numbers `channels[..][channel]` are k.
template <std::size_t N, std::size_t M, class F>
void sum_columns(const Channels& at, const std::array<const double*, M>& channels,
                 const std::array<double*, N>& sums, const F& term) {
  const std::int64_t per_tile = chunk_columns / at.inner;
  const std::int64_t width = at.c * at.inner;
  std::array<Doubles, M> columns;
  for (std::size_t s = 0; s < M; ++s) columns[s] = repeat(channels[s], at);
  for_each_tile((at.c + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t first = tile * per_tile * at.inner;
    const std::int64_t n = std::min(width - first, per_tile * at.inner);
    const auto add_rows = [&](std::int64_t row, auto count, ColumnSums<N>& partial) {
      for (std::int64_t j = 0; j < n; ++j) {
        std::array<double, M> k;
        for (std::size_t s = 0; s != M; ++s) k[s] = columns[s][index(first + j)];
        const std::array<double, N> terms =
            tree_of<count>(row * width + first + j, width, [&](std::int64_t i) { return term(i, k); });
        for (std::size_t s = 0; s < N; ++s) partial[s][index(j)] += terms[s];
      }
    };
    ColumnSums<N> totals;
    sum_rows_pairwise<N>(0, at.n, add_rows, totals);
    for (std::size_t s = 0; s < N; ++s) {
      for (std::int64_t j = 0; j < n; j += at.inner)
        sums[s][(first + j) / at.inner] = sum_by_halves(totals[s].data() + j, at.inner);
    }
  });
}

/// The same for rows that are long enough to be summed one by one.
template <std::size_t N, std::size_t M, class F>
void sum_rows(const Channels& at, const std::array<const double*, M>& channels,
              const std::array<double*, N>& sums, const F& term) {
  const std::int64_t rows = at.n * at.c;
  std::array<Doubles, N> of_rows;
  for (Doubles& row_sums : of_rows) row_sums.resize(index(rows));
  for_each_tile_of(rows, at.inner, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      std::array<double, M> k;
      for (std::size_t s = 0; s < M; ++s) k[s] = channels[s][row % at.c];
      const auto here = sums_of<N>(
          at.inner, [&term, start = row * at.inner, k](std::int64_t i) { return term(start + i, k); });
      for (std::size_t s = 0; s < N; ++s) of_rows[s][index(row)] = here[s];
    }
  });
  for (std::int64_t c = 0; c < at.c; ++c) {
    for (std::size_t s = 0; s < N; ++s) {
      const double* of_channel = of_rows[s].data() + c;
      sums[s][c] = sums_of<1>(at.n, [&](std::int64_t i) { return std::array{of_channel[i * at.c]}; })[0];
    }
  }
}

template <std::size_t N, std::size_t M, class F>
void sum_terms(const Channels& at, const std::array<const double*, M>& channels,
               const std::array<double*, N>& sums, const F& term) {
  for (double* sum : sums) std::fill_n(sum, at.c, 0.0);
  if (at.inner >= short_row) {
    sum_rows<N, M>(at, channels, sums, term);
  } else {
    sum_columns<N, M>(at, channels, sums, term);
  }
}

/// Calls `f(i, k)` for all elements, where k holds the N numbers of the element's channel.
template <std::size_t N, class F>
void for_each_element(const Channels& at, const std::array<const double*, N>& channels, const F& f) {
  if (at.inner >= short_row) {
    for_each_tile_of(at.n * at.c, at.inner, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        std::array<double, N> k;
        for (std::size_t s = 0; s < N; ++s) k[s] = channels[s][row % at.c];
        for (std::int64_t i = row * at.inner; i < (row + 1) * at.inner; ++i) f(i, k);
      }
    });
    return;
  }
  const std::int64_t width = at.c * at.inner;
  std::array<Doubles, N> columns;
  for (std::size_t s = 0; s < N; ++s) columns[s] = repeat(channels[s], at);
  for_each_tile_of(at.n, width, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      for (std::int64_t column = 0; column < width; ++column) {
        std::array<double, N> k;
        for (std::size_t s = 0; s < N; ++s) k[s] = columns[s][index(column)];
        f(row * width + column, k);
      }
    }
  });
}

/// Long rows: a mean and a sum of squared deviations for each, then those of the channel from these.
template <class T>
void moments_of_rows(const Channels& at, const T* x, double* mean, double* variance) {
  const std::int64_t rows = at.n * at.c;
  const auto inner = static_cast<double>(at.inner);
  Doubles means(index(rows)), squares(index(rows));
  for_each_tile_of(rows, at.inner, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const RowMoments moments = moments_of(x + row * at.inner, at.inner);
      means[index(row)] = moments.mean;
      squares[index(row)] = moments.squares;
    }
  });
  for (std::int64_t c = 0; c < at.c; ++c) {
    const auto row_mean = [&](std::int64_t i) { return means[index(i * at.c + c)]; };
    const double m = sums_of<1>(at.n, [&](std::int64_t i) { return std::array{row_mean(i)}; })[0] /
                     static_cast<double>(at.n);
    const auto [within, between] = sums_of<2>(at.n, [&](std::int64_t i) {
      const double d = row_mean(i) - m;
      return std::array{squares[index(i * at.c + c)], d * d};
    });
    mean[c] = m;
    variance[c] = (within + inner * between) / static_cast<double>(at.count());
  }
}

/// Short rows: memory is read twice, once for the means and once for deviations from them.
template <class T>
void moments_of_columns(const Channels& at, const T* x, double* mean, double* variance) {
  const auto count = static_cast<double>(at.count());
  sum_terms<1, 0>(at, {}, {mean},
                  [x](std::int64_t i, const auto&) { return std::array{static_cast<double>(x[i])}; });
  for (std::int64_t c = 0; c < at.c; ++c) mean[c] /= count;
  Doubles rest(index(at.c));
  sum_terms<2, 1>(at, {mean}, {rest.data(), variance}, [x](std::int64_t i, const auto& k) {
    const double d = static_cast<double>(x[i]) - k[0];
    return std::array{d, d * d};
  });
  for (std::int64_t c = 0; c < at.c; ++c) {
    const double correction = rest[index(c)] / count;
    mean[c] += correction;
    variance[c] = variance[c] / count - correction * correction;
  }
}

/// weight / sqrt(variance + eps).
template <class T>
Doubles scales_of(const Channels& at, const double* variance, double eps, const T* weight) {
  Doubles scales(index(at.c));
  for (std::size_t c = 0; c < scales.size(); ++c)
    scales[c] = static_cast<double>(weight[c]) / std::sqrt(variance[c] + eps);
  return scales;
}

template <class T>
void normalize_typed(const Channels& at, const T* x, const double* moments, double eps, const T* weight,
                     const T* bias, T* y) {
  const Doubles scales = scales_of(at, moments + at.c, eps, weight);
  const Doubles shifts(bias, bias + at.c);
  for_each_element<3>(at, {moments, scales.data(), shifts.data()}, [x, y](std::int64_t i, const auto& k) {
    y[i] = static_cast<T>((static_cast<double>(x[i]) - k[0]) * k[1] + k[2]);
  });
}

template <class T>
void normalize_grad_typed(const Channels& at, const T* g, const T* x, const double* moments, double eps,
                          const T* weight, const NormalizedGrads& out) {
  const double* variance = moments + at.c;
  const auto count = static_cast<double>(at.count());
  Doubles sum_g(index(at.c)), sum_gx(index(at.c));
  sum_terms<2, 1>(at, {moments}, {sum_g.data(), sum_gx.data()}, [g, x](std::int64_t i, const auto& k) {
    const auto gi = static_cast<double>(g[i]);
    return std::array{gi, gi * (static_cast<double>(x[i]) - k[0])};
  });
  for (std::int64_t c = 0; c < at.c; ++c) {
    const double sum_gz = sum_gx[index(c)] / std::sqrt(variance[c] + eps);
    if (out.bias != nullptr) out.bias->mutable_data<T>()[c] = static_cast<T>(sum_g[index(c)]);
    if (out.weight != nullptr) out.weight->mutable_data<T>()[c] = static_cast<T>(sum_gz);
    sum_g[index(c)] /= count;
    sum_gx[index(c)] /= count * (variance[c] + eps);  // mean(g z) z = this times (x - mean)
  }
  if (out.x == nullptr) return;
  const Doubles scales = scales_of(at, variance, eps, weight);
  T* dx = out.x->mutable_data<T>();
  for_each_element<4>(at, {moments, scales.data(), sum_g.data(), sum_gx.data()},
                      [g, x, dx](std::int64_t i, const auto& k) {
                        const double d = static_cast<double>(x[i]) - k[0];
                        dx[i] = static_cast<T>(k[1] * ((static_cast<double>(g[i]) - k[2]) - d * k[3]));
                      });
}

/// For an x without elements, whose n may still be so large that nobody should count to it.
void fill_channels(Array& out, double value) {
  visit_floating(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(out.mutable_data<T>(), out.numel(), static_cast<T>(value));
  });
}

}  // namespace

void sum_channels(const Channels& at, const Array& g, Array& sums) {
  if (g.numel() == 0) return fill_channels(sums, 0);
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = g.data<T>();
    Doubles totals(index(at.c));
    sum_terms<1, 0>(at, {}, {totals.data()},
                    [from](std::int64_t i, const auto&) { return std::array{static_cast<double>(from[i])}; });
    std::transform(totals.begin(), totals.end(), sums.mutable_data<T>(),
                   [](double total) { return static_cast<T>(total); });
  });
}

void channel_moments(const Channels& at, const Array& x, Array& moments) {
  if (x.numel() == 0) return fill_channels(moments, std::numeric_limits<double>::quiet_NaN());
  auto* mean = moments.mutable_data<double>();
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (at.inner >= short_row) {
      moments_of_rows(at, x.data<T>(), mean, mean + at.c);
    } else {
      moments_of_columns(at, x.data<T>(), mean, mean + at.c);
    }
  });
}

void normalize_channels(const Channels& at, const Array& x, const Array& moments, double eps,
                        const Array& weight, const Array& bias, Array& y) {
  if (y.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    normalize_typed(at, x.data<T>(), moments.data<double>(), eps, weight.data<T>(), bias.data<T>(),
                    y.mutable_data<T>());
  });
}

void normalize_channels_grad(const Channels& at, const Array& g, const Array& x, const Array& moments,
                             double eps, const Array& weight, const NormalizedGrads& out) {
  if (x.numel() == 0) {
    if (out.weight != nullptr) fill_channels(*out.weight, 0);
    if (out.bias != nullptr) fill_channels(*out.bias, 0);
    return;
  }
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    normalize_grad_typed(at, g.data<T>(), x.data<T>(), moments.data<double>(), eps, weight.data<T>(), out);
  });
}

}  // namespace xtgrad::v1::detail
