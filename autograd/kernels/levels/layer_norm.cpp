#include "xtgrad/autograd/kernels/levels/layer_norm.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/normal_rows.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Elements of a tile, at least, and rows: columns are summed in as many parts as there are tiles.
constexpr std::int64_t tile_elements = 1 << 15;
constexpr std::int64_t tile_rows = 2 * chain;

struct RowTiles {
  std::int64_t rows;
  std::int64_t n;
  bool centred;  // their means are taken off: else these are 0, and variances are means of squares

  [[nodiscard]] std::int64_t per_tile() const { return std::max(tile_rows, tile_elements / n); }
  [[nodiscard]] std::int64_t count() const { return (rows + per_tile() - 1) / per_tile(); }
  /// Of `moments`, float64 [2, rows] or [1, rows].
  [[nodiscard]] double mean(const double* moments, std::int64_t row) const {
    return centred ? moments[row] : 0;
  }
  template <class Moments>
  [[nodiscard]] Moments* variances(Moments* moments) const {
    return centred ? moments + rows : moments;
  }
};

/// Without a bias for rows that are not centred.
template <class T>
void forward(const RowTiles& at, const T* x, const T* weight, const T* bias, double eps, double* moments,
             T* y) {
  for_each_tile(at.count(), [&](std::int64_t tile) {
    const std::int64_t last = std::min(at.rows, (tile + 1) * at.per_tile());
    for (std::int64_t row = tile * at.per_tile(); row < last; ++row) {
      const std::int64_t start = row * at.n;
      double& variance = at.variances(moments)[row];
      if (at.centred) {
        const RowMoments of_row = moments_of(x + start, at.n);
        moments[row] = of_row.mean;
        variance = of_row.squares / static_cast<double>(at.n);
      } else {
        variance = squares_of(x + start, at.n) / static_cast<double>(at.n);
      }
      const double mean = at.mean(moments, row);
      // NOLINTNEXTLINE(bugprone-branch-clone): alike for double alone
      if (all_near_one(&variance, 1, eps)) {
        normalize_row(x + start, at.n, RowScale<T>(mean, variance, eps), weight, bias, y + start);
      } else {
        normalize_row(x + start, at.n, RowScale<double>(mean, variance, eps), weight, bias, y + start);
      }
    }
  });
}

/// Adds `Rows` rows to the columns of a tile's gradient of the bias.
template <std::int64_t Rows, class T>
void add_to_bias(const T* g, std::int64_t n, double* sums) {
  for (std::int64_t j = 0; j < n; ++j) {
    const auto term = [=](std::int64_t r) { return std::array{g[r * n + j]}; };
    sums[j] += static_cast<double>(tree_of<Rows>(0, 1, term)[0]);
  }
}

template <class T>
struct Backward {
  RowTiles at;
  const T* g;
  const T* x;
  const T* weight;
  const double* moments;
  double eps;
  T* dx;            // null where it is not wanted
  double* dweight;  // [tiles, n], null likewise
  double* dbias;

  template <class C>
  [[nodiscard]] RowScale<C> scale_of(std::int64_t row) const {
    return {at.mean(moments, row), at.variances(moments)[row], eps};
  }

  /// `t` has room for a row: g weight is rounded once and kept, or the compiler would fuse its product with
  /// the difference from the average, which of equal numbers is to be 0.
  template <class C>
  void row_grad(std::int64_t row, C* t) const {
    const RowScale<C> scale = scale_of<C>(row);
    const T *from_g = g + row * at.n, *from_x = x + row * at.n, *w = weight;
    for (std::int64_t i = 0; i < at.n; ++i) t[i] = static_cast<C>(from_g[i]) * static_cast<C>(w[i]);
    const auto [sum, product] = sums_of<2>(at.n, [=](std::int64_t i) {
      return std::array{t[i], t[i] * scale.normal(static_cast<C>(from_x[i]))};
    });
    const auto average = static_cast<C>(at.centred ? sum / static_cast<double>(at.n) : 0);
    const auto slope = static_cast<C>(product / static_cast<double>(at.n));
    T* to = dx + row * at.n;
    for (std::int64_t i = 0; i < at.n; ++i) {
      const C z = scale.normal(static_cast<C>(from_x[i]));
      to[i] = static_cast<T>(((t[i] - average) - z * slope) * scale.inverse);
    }
  }

  /// Adds what `Rows` rows give to the columns of a tile's gradient of the weight.
  template <class C, std::int64_t Rows>
  void add_to_weight(std::int64_t row, double* sums) const {
    std::array<C, Rows> mean, rest, inverse;
    for (std::int64_t r = 0; r < Rows; ++r) {
      const RowScale<C> scale = scale_of<C>(row + r);
      mean[index(r)] = scale.mean;
      rest[index(r)] = scale.rest;
      inverse[index(r)] = scale.inverse;
    }
    const T *from_g = g + row * at.n, *from_x = x + row * at.n;
    const std::int64_t n = at.n;
    for (std::int64_t j = 0; j < n; ++j) {
      const auto term = [&](std::int64_t r) {
        const C d = (static_cast<C>(from_x[r * n + j]) - mean[index(r)]) - rest[index(r)];
        return std::array{static_cast<C>(from_g[r * n + j]) * (d * inverse[index(r)])};
      };
      sums[j] += static_cast<double>(tree_of<Rows>(0, 1, term)[0]);
    }
  }

  template <class C>
  void tile(std::int64_t tile) const {
    const std::int64_t first = tile * at.per_tile(), last = std::min(at.rows, first + at.per_tile());
    double* to_weight = dweight == nullptr ? nullptr : dweight + tile * at.n;
    double* to_bias = dbias == nullptr ? nullptr : dbias + tile * at.n;
    ScratchVector<C> products(index(dx == nullptr ? 0 : at.n));
    for_each_tree(first, last, [&](std::int64_t row, auto count) {
      if (dx != nullptr) {
        for (std::int64_t r = 0; r < count; ++r) row_grad<C>(row + r, products.data());
      }
      if (to_weight != nullptr) add_to_weight<C, count>(row, to_weight);
      if (to_bias != nullptr) add_to_bias<count>(g + row * at.n, at.n, to_bias);
    });
  }
};

template <class T>
void backward(const RowTiles& at, const Array& g, const Array& x, const Array& moments, double eps,
              const Array& weight, const LayerNormGrads& out) {
  const auto parts = static_cast<std::size_t>(at.count() * at.n);
  Doubles of_weight(out.weight == nullptr ? 0 : parts), of_bias(out.bias == nullptr ? 0 : parts);
  const Backward<T> rule{at,
                         g.data<T>(),
                         x.data<T>(),
                         out.x == nullptr ? nullptr : weight.data<T>(),
                         moments.data<double>(),
                         eps,
                         out.x == nullptr ? nullptr : out.x->mutable_data<T>(),
                         out.weight == nullptr ? nullptr : of_weight.data(),
                         out.bias == nullptr ? nullptr : of_bias.data()};
  const bool is_near = std::is_same_v<T, double> || all_near_one(at.variances(rule.moments), at.rows, eps);
  for_each_tile(at.count(), [&](std::int64_t tile) {
    // NOLINTNEXTLINE(bugprone-branch-clone): alike for double alone
    if (is_near) {
      rule.template tile<T>(tile);
    } else {
      rule.template tile<double>(tile);
    }
  });
  if (out.weight != nullptr)
    sum_columns(of_weight.data(), at.count(), at.n, out.weight->template mutable_data<T>());
  if (out.bias != nullptr)
    sum_columns(of_bias.data(), at.count(), at.n, out.bias->template mutable_data<T>());
}

RowTiles tiles_of(const Array& x, const Array& moments) {
  const std::int64_t rows = moments.shape[1];
  return {rows, x.numel() / rows, moments.shape[0] == 2};
}

}  // namespace

void layer_norm_rows(const Array& x, const Array& weight, const Array* bias, double eps, Array& moments,
                     Array& y) {
  if (x.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    forward<T>(tiles_of(x, moments), x.data<T>(), weight.data<T>(),
               bias == nullptr ? nullptr : bias->data<T>(), eps, moments.mutable_data<double>(),
               y.mutable_data<T>());
  });
}

void layer_norm_bias_grad(const Array& g, Array& bias) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (g.numel() == 0) {
      std::fill_n(bias.mutable_data<T>(), bias.numel(), T(0));
      return;
    }
    const RowTiles at{g.numel() / bias.numel(), bias.numel(), true};
    Doubles parts(index(at.count() * at.n));
    for_each_tile(at.count(), [&](std::int64_t tile) {
      const std::int64_t first = tile * at.per_tile(), last = std::min(at.rows, first + at.per_tile());
      for_each_tree(first, last, [&](std::int64_t row, auto count) {
        add_to_bias<count>(g.data<T>() + row * at.n, at.n, parts.data() + tile * at.n);
      });
    });
    sum_columns(parts.data(), at.count(), at.n, bias.mutable_data<T>());
  });
}

void layer_norm_rows_grad(const Array& g, const Array& x, const Array& moments, double eps,
                          const Array& weight, const LayerNormGrads& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (x.numel() != 0) return backward<T>(tiles_of(x, moments), g, x, moments, eps, weight, out);
    if (out.weight != nullptr) std::fill_n(out.weight->mutable_data<T>(), out.weight->numel(), T(0));
    if (out.bias != nullptr) std::fill_n(out.bias->mutable_data<T>(), out.bias->numel(), T(0));
  });
}

}  // namespace xtgrad::v1::detail
