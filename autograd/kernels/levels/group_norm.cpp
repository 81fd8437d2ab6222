#include "xtgrad/autograd/kernels/levels/group_norm.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/normal_rows.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Elements of a tile, at least, and samples, at most.
constexpr std::int64_t tile_elements = 1 << 15;
constexpr std::int64_t tile_samples = 4 * chain;

/// How samples are dealt out. Sums over all samples come in parts of so many samples each.
struct SampleTiles {
  explicit SampleTiles(const ChannelGroups& groups)
      : at(groups),
        per_part(std::clamp<std::int64_t>(tile_elements / (at.groups * at.count()), 1, tile_samples)) {}

  [[nodiscard]] std::int64_t parts() const { return (at.n + per_part - 1) / per_part; }
  [[nodiscard]] std::int64_t all() const { return at.groups * at.channels; }  // channels

  /// body(row, place of its first channel among the parts of all channels' sums) for each group of each
  /// sample, those of a part in order. Large samples are cut into their groups.
  template <class F>
  void for_each_group(const F& body) const {
    const std::int64_t per_tile = per_part == 1 ? 1 : per_part * at.groups;
    // Not inlined: the body would be there twice, for one tile and for several.
    for_each_tile((at.rows() + per_tile - 1) / per_tile, [&](std::int64_t tile) __attribute__((noinline)) {
      const std::int64_t last = std::min(at.rows(), (tile + 1) * per_tile);
      for (std::int64_t row = tile * per_tile; row < last; ++row) {
        const std::int64_t sample = row / at.groups, group = row % at.groups;
        body(row, sample / per_part * all() + group * at.channels);
      }
    });
  }

  ChannelGroups at;
  std::int64_t per_part;
};

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

/// For a group whose deviation is near an end of float's range: rare, so that the code is better small.
template <class T>
[[gnu::cold, gnu::noinline]] void normalize_far_group(const ChannelGroups& at, const T* x,
                                                      const RowScale<double>& scale, const T* weight,
                                                      const T* bias, T* y) {
  for (std::int64_t c = 0; c < at.channels; ++c) {
    for (std::int64_t i = c * at.inner; i < (c + 1) * at.inner; ++i) {
      y[i] = static_cast<T>(scale.normal(static_cast<double>(x[i])) * static_cast<double>(weight[c]) +
                            static_cast<double>(bias[c]));
    }
  }
}

template <class T>
void forward(const ChannelGroups& at, const T* x, const T* weight, const T* bias, double eps, double* moments,
             T* y) {
  SampleTiles(at).for_each_group([&](std::int64_t row, std::int64_t) {
    const std::int64_t channel = row % at.groups * at.channels;
    const std::int64_t start = row * at.count();
    const RowMoments of_row = moments_of(x + start, at.count());
    moments[row] = of_row.mean;
    double& variance = moments[at.rows() + row] = of_row.squares / static_cast<double>(at.count());
    const T *w = weight + channel, *b = bias + channel;
    if (std::is_same_v<T, double> || all_near_one(&variance, 1, eps)) {
      normalize_group(at, x + start, RowScale<T>(of_row.mean, variance, eps), w, b, y + start);
    } else {
      normalize_far_group(at, x + start, RowScale<double>(of_row.mean, variance, eps), w, b, y + start);
    }
  });
}

template <class T>
struct Backward {
  SampleTiles tiles;
  const T* g;
  const T* x;
  const T* weight;
  const double* moments;
  double eps;
  T* dx;             // null where it is not wanted
  double* sums;      // [parts, all channels]: of g
  double* products;  // and of g z

  void run() const {
    tiles.for_each_group([&](std::int64_t row, std::int64_t place) { group(row, place); });
  }

 private:
  /// The sums of a group's channels.
  void sum_channels(std::int64_t row, const RowScale<T>& scale, double* sum, double* product) const {
    const ChannelGroups& at = tiles.at;
    const T *from_g = g + row * at.count(), *from_x = x + row * at.count();
    if (at.inner == 1) {
      for (std::int64_t c = 0; c < at.channels; ++c) {
        sum[c] = static_cast<double>(from_g[c]);
        product[c] = static_cast<double>(from_g[c] * scale.normal(from_x[c]));
      }
      return;
    }
    for (std::int64_t c = 0; c < at.channels; ++c, from_g += at.inner, from_x += at.inner) {
      const auto of_channel = sums_of<2>(at.inner, [=](std::int64_t i) {
        return std::array{from_g[i], from_g[i] * scale.normal(from_x[i])};
      });
      sum[c] = of_channel[0];
      product[c] = of_channel[1];
    }
  }

  /// `place`: of the group's first channel in the sums.
  void group(std::int64_t row, std::int64_t place) const {
    const ChannelGroups& at = tiles.at;
    const RowScale<T> scale(moments[row], moments[at.rows() + row], eps);
    Doubles own(index(2 * at.channels));
    double *sum = own.data(), *product = sum + at.channels;
    sum_channels(row, scale, sum, product);
    for (std::int64_t c = 0; c < at.channels; ++c) {
      sums[place + c] += sum[c];
      products[place + c] += product[c];
    }
    if (dx == nullptr) return;
    const T* w = weight + row % at.groups * at.channels;
    const auto means = sums_of<2>(at.channels, [=](std::int64_t c) {
      const auto of_channel = static_cast<double>(w[c]);
      return std::array{of_channel * sum[c], of_channel * product[c]};
    });
    const auto average = static_cast<T>(means[0] / static_cast<double>(at.count()));
    const auto slope = static_cast<T>(means[1] / static_cast<double>(at.count()));
    // Of one value alone everything cancels, and is to cancel exactly.
    const T kept = at.count() == 1 ? T(0) : scale.inverse;
    const T *from_g = g + row * at.count(), *from_x = x + row * at.count();
    T* to = dx + row * at.count();
    const auto gradient = [=](std::int64_t i, T factor) {
      to[i] = ((from_g[i] * factor - average) - scale.normal(from_x[i]) * slope) * kept;
    };
    if (at.inner == 1) {
      for (std::int64_t c = 0; c < at.channels; ++c) gradient(c, w[c]);
      return;
    }
    for (std::int64_t c = 0, first = 0; c < at.channels; ++c, first += at.inner) {
      for (std::int64_t i = first; i < first + at.inner; ++i) gradient(i, w[c]);
    }
  }
};

/// Rows of floats whose deviations are near an end of the range are computed as doubles, all of them.
[[gnu::cold, gnu::noinline]] void backward_as_doubles(const Backward<float>& rule) {
  const ChannelGroups& at = rule.tiles.at;
  const std::int64_t n = at.rows() * at.count();
  const Doubles g(rule.g, rule.g + n), x(rule.x, rule.x + n);
  const Doubles weight(rule.weight, rule.weight + rule.tiles.all());
  Doubles dx(index(rule.dx == nullptr ? 0 : n));
  Backward<double>{rule.tiles,
                   g.data(),
                   x.data(),
                   weight.data(),
                   rule.moments,
                   rule.eps,
                   rule.dx == nullptr ? nullptr : dx.data(),
                   rule.sums,
                   rule.products}
      .run();
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(dx.size()); ++i)
    rule.dx[i] = static_cast<float>(dx[index(i)]);
}

template <class T>
void backward(const ChannelGroups& at, const Array& g, const Array& x, const Array& moments, double eps,
              const Array& weight, const GroupNormGrads& out) {
  const SampleTiles tiles(at);
  const std::int64_t count = tiles.parts(), all = tiles.all();
  Doubles sums(index(count * all)), products(index(count * all));
  const Backward<T> rule{tiles,
                         g.data<T>(),
                         x.data<T>(),
                         weight.data<T>(),
                         moments.data<double>(),
                         eps,
                         out.x == nullptr ? nullptr : out.x->mutable_data<T>(),
                         sums.data(),
                         products.data()};
  bool is_near = true;
  if constexpr (std::is_same_v<T, float>) {
    is_near = all_near_one(rule.moments + at.rows(), at.rows(), eps);
    if (!is_near) backward_as_doubles(rule);
  }
  if (is_near) rule.run();
  if (out.weight != nullptr) sum_columns(products.data(), count, all, out.weight->template mutable_data<T>());
  if (out.bias == nullptr) return;
  if (is_near) {
    sum_columns(sums.data(), count, all, out.bias->template mutable_data<T>());
  } else {
    group_norm_bias_grad(at, g, *out.bias);  // of floats, as where it alone is wanted
  }
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
    if (g.numel() == 0) {
      std::fill_n(to, bias.numel(), T(0));
      return;
    }
    const SampleTiles tiles(at);
    Doubles sums(index(tiles.parts() * tiles.all()));
    tiles.for_each_group([&](std::int64_t row, std::int64_t place) {
      for (std::int64_t c = 0; c < at.channels; ++c) {
        const T* from = g.data<T>() + (row * at.channels + c) * at.inner;
        sums[index(place + c)] +=
            sums_of<1>(at.inner, [from](std::int64_t i) { return std::array{from[i]}; })[0];
      }
    });
    sum_columns(sums.data(), tiles.parts(), tiles.all(), to);
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
