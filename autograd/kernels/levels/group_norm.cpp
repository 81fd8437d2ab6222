#include "xtgrad/autograd/kernels/levels/group_norm.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/normal_rows.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Elements of a tile, at least.
constexpr std::int64_t tile_elements = 1 << 15;

/// body(row, its first channel among all) for each group of each sample, some a tile.
template <class F>
void for_each_group(const ChannelGroups& at, const F& body) {
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / at.count());
  for_each_tile((at.rows() + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(at.rows(), (tile + 1) * per_tile);
    for (std::int64_t row = tile * per_tile; row < last; ++row) body(row, row % at.groups * at.channels);
  });
}

template <class C, class T>
void normalize_group(const ChannelGroups& at, const T* x, const RowScale<C>& scale, const T* weight,
                     const T* bias, T* y) {
  if (at.inner == 1) return normalize_row(x, at.channels, scale, weight, bias, y);
  for (std::int64_t c = 0; c < at.channels; ++c, x += at.inner, y += at.inner) {
    const C w = static_cast<C>(weight[c]), b = static_cast<C>(bias[c]);
    for (std::int64_t i = 0; i < at.inner; ++i)
      y[i] = static_cast<T>(scale.normal(static_cast<C>(x[i])) * w + b);
  }
}

template <class T>
void forward(const ChannelGroups& at, const T* x, const T* weight, const T* bias, double eps, double* moments,
             T* y) {
  for_each_group(at, [&](std::int64_t row, std::int64_t channel) {
    const std::int64_t start = row * at.count();
    const RowMoments of_row = moments_of(x + start, at.count());
    moments[row] = of_row.mean;
    double& variance = moments[at.rows() + row] = of_row.squares / static_cast<double>(at.count());
    const T *w = weight + channel, *b = bias + channel;
    // NOLINTNEXTLINE(bugprone-branch-clone): alike for double alone
    if (all_near_one(&variance, 1, eps)) {
      normalize_group(at, x + start, RowScale<T>(of_row.mean, variance, eps), w, b, y + start);
    } else {
      normalize_group(at, x + start, RowScale<double>(of_row.mean, variance, eps), w, b, y + start);
    }
  });
}

template <class T>
struct Backward {
  ChannelGroups at;
  const T* g;
  const T* x;
  const T* weight;
  const double* moments;
  double eps;
  T* dx;             // null where it is not wanted
  double* sums;      // [n, all channels]: of g
  double* products;  // and of g z

  /// The sums of a group's channels.
  template <class C>
  void sum_channels(std::int64_t row, const RowScale<C>& scale) const {
    const T *from_g = g + row * at.count(), *from_x = x + row * at.count();
    double *sum = sums + row * at.channels, *product = products + row * at.channels;
    if (at.inner == 1) {
      for (std::int64_t c = 0; c < at.channels; ++c) {
        sum[c] = static_cast<double>(from_g[c]);
        product[c] = static_cast<double>(static_cast<C>(from_g[c]) * scale.normal(static_cast<C>(from_x[c])));
      }
      return;
    }
    for (std::int64_t c = 0; c < at.channels; ++c, from_g += at.inner, from_x += at.inner) {
      const auto term = [=](std::int64_t i) {
        return static_cast<C>(from_g[i]) * scale.normal(static_cast<C>(from_x[i]));
      };
      if constexpr (std::is_same_v<C, T>) {
        const auto both = sums_of<2>(at.inner, [=](std::int64_t i) {
          return std::array{from_g[i], term(i)};
        });
        sum[c] = both[0];
        product[c] = both[1];
      } else {  // in T, as where the bias alone is wanted
        sum[c] = sums_of<1>(at.inner, [=](std::int64_t i) { return std::array{from_g[i]}; })[0];
        product[c] = sums_of<1>(at.inner, [=](std::int64_t i) { return std::array{term(i)}; })[0];
      }
    }
  }

  template <class C>
  void group(std::int64_t row, std::int64_t channel) const {
    const RowScale<C> scale(moments[row], moments[at.rows() + row], eps);
    sum_channels(row, scale);
    if (dx == nullptr) return;
    const T* w = weight + channel;
    const double *sum = sums + row * at.channels, *product = products + row * at.channels;
    const auto means = sums_of<2>(at.channels, [=](std::int64_t c) {
      const auto of_channel = static_cast<double>(w[c]);
      return std::array{of_channel * sum[c], of_channel * product[c]};
    });
    const auto average = static_cast<C>(means[0] / static_cast<double>(at.count()));
    // Of one value alone everything cancels, and is to cancel exactly.
    const C kept = at.count() == 1 ? C(0) : scale.inverse;
    const auto slope = static_cast<C>(means[1] / static_cast<double>(at.count()));
    const T *from_g = g + row * at.count(), *from_x = x + row * at.count();
    T* to = dx + row * at.count();
    const auto gradient = [&](std::int64_t i, C factor) {
      const C z = scale.normal(static_cast<C>(from_x[i]));
      to[i] = static_cast<T>(((static_cast<C>(from_g[i]) * factor - average) - z * slope) * kept);
    };
    if (at.inner == 1) {
      for (std::int64_t c = 0; c < at.channels; ++c) gradient(c, static_cast<C>(w[c]));
      return;
    }
    for (std::int64_t c = 0, first = 0; c < at.channels; ++c, first += at.inner) {
      const C factor = static_cast<C>(w[c]);
      for (std::int64_t i = first; i < first + at.inner; ++i) gradient(i, factor);
    }
  }
};

template <class T>
void backward(const ChannelGroups& at, const Array& g, const Array& x, const Array& moments, double eps,
              const Array& weight, const GroupNormGrads& out) {
  const std::int64_t all = at.groups * at.channels;
  Doubles sums(index(at.n * all)), products(index(at.n * all));
  const Backward<T> rule{at,
                         g.data<T>(),
                         x.data<T>(),
                         weight.data<T>(),
                         moments.data<double>(),
                         eps,
                         out.x == nullptr ? nullptr : out.x->mutable_data<T>(),
                         sums.data(),
                         products.data()};
  const bool is_near = std::is_same_v<T, double> || all_near_one(rule.moments + at.rows(), at.rows(), eps);
  for_each_group(at, [&](std::int64_t row, std::int64_t channel) {
    // NOLINTNEXTLINE(bugprone-branch-clone): alike for double alone
    if (is_near) {
      rule.template group<T>(row, channel);
    } else {
      rule.template group<double>(row, channel);
    }
  });
  if (out.bias != nullptr) sum_columns(sums.data(), at.n, all, out.bias->template mutable_data<T>());
  if (out.weight != nullptr) sum_columns(products.data(), at.n, all, out.weight->template mutable_data<T>());
}

}  // namespace

void group_norm_rows(const ChannelGroups& at, const Array& x, const Array& weight, const Array& bias,
                     double eps, Array& moments, Array& y) {
  if (x.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    forward(at, x.data<T>(), weight.data<T>(), bias.data<T>(), eps, moments.mutable_data<double>(),
            y.mutable_data<T>());
  });
}

void group_norm_bias_grad(const ChannelGroups& at, const Array& g, Array& bias) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* to = bias.mutable_data<T>();
    const std::int64_t all = at.groups * at.channels;
    if (g.numel() == 0) {
      std::fill_n(to, all, T(0));
      return;
    }
    Doubles sums(index(at.n * all));
    for_each_group(at, [&](std::int64_t row, std::int64_t) {
      for (std::int64_t c = row * at.channels; c < (row + 1) * at.channels; ++c) {
        const T* from = g.data<T>() + c * at.inner;
        sums[index(c)] = sums_of<1>(at.inner, [from](std::int64_t i) { return std::array{from[i]}; })[0];
      }
    });
    sum_columns(sums.data(), at.n, all, to);
  });
}

void group_norm_rows_grad(const ChannelGroups& at, const Array& g, const Array& x, const Array& moments,
                          double eps, const Array& weight, const GroupNormGrads& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (x.numel() != 0) return backward<T>(at, g, x, moments, eps, weight, out);
    if (out.weight != nullptr) std::fill_n(out.weight->mutable_data<T>(), out.weight->numel(), T(0));
    if (out.bias != nullptr) std::fill_n(out.bias->mutable_data<T>(), out.bias->numel(), T(0));
  });
}

}  // namespace xtgrad::v1::detail
