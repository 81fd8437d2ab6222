#include "xtgrad/autograd/kernels/levels/lengths.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

// A sum of squares in between has all its digits, and so has a dot product of two such vectors: what a
// product of two elements loses below the range is far below it.
template <class T>
bool is_safe_square(double square) {
  constexpr int most = std::numeric_limits<T>::max_exponent;  // 128 or 1024
  return square >= std::ldexp(1.0, -most * 2 / 5) && square <= std::ldexp(1.0, most * 9 / 10);
}
/// Lengths whose inverses have all their digits.
bool is_safe_length(double length) { return length >= 0x1p-1000 && length <= 0x1p+1000; }

/// 64 bytes of elements, whatever the registers; products are added up in four of these side by side. What
/// chains of a few give meets by halves, floats in double, so that of n products none is rounded much more
/// than log2(n) times.
template <class T>
struct Wide {
  static constexpr std::int64_t width = 64 / sizeof(T), abreast = 4 * width, chain = 8;
  using type [[gnu::vector_size(64)]] = T;
};
/// Columns that are added up side by side, and rows of them in a chain.
constexpr std::int64_t chunk_columns = 256, chain = 8;

/// sum += a b of so many neighbours.
template <class T>
[[gnu::always_inline]] inline void add_products(const T* a, const T* b, typename Wide<T>::type& sum) {
  typename Wide<T>::type of_a, of_b;
  std::memcpy(&of_a, a, sizeof(of_a));
  std::memcpy(&of_b, b, sizeof(of_b));
  sum += of_a * of_b;
}

template <class T>
[[gnu::always_inline]] inline double sum_of_wide(const typename Wide<T>::type& wide) {
  std::array<T, Wide<T>::width> sums;
  std::memcpy(sums.data(), &wide, sizeof(wide));
  for (std::size_t half = sums.size() / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
  }
  return static_cast<double>(sums[0]);
}

/// The sum of the products of `rows` rows of `abreast` neighbours.
template <class T>
double dot_of_rows(const T* a, const T* b, std::int64_t rows) {
  using W = Wide<T>;
  if (rows > W::chain) {
    const std::int64_t half = rows / 2 * W::abreast;
    return dot_of_rows(a, b, rows / 2) + dot_of_rows(a + half, b + half, rows - rows / 2);
  }
  typename W::type sums[4]{};
  for (; rows > 0; --rows, a += W::abreast, b += W::abreast) {
    add_products(a, b, sums[0]);
    add_products(a + W::width, b + W::width, sums[1]);
    add_products(a + 2 * W::width, b + 2 * W::width, sums[2]);
    add_products(a + 3 * W::width, b + 3 * W::width, sums[3]);
  }
  return sum_of_wide<T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <class T>
double dot(const T* a, const T* b, std::int64_t n) {
  using W = Wide<T>;
  const std::int64_t rows = n / W::abreast;
  double total = rows > 0 ? dot_of_rows(a, b, rows) : 0;
  std::int64_t i = rows * W::abreast;
  if (i + W::width <= n) {
    typename W::type few{};
    for (; i + W::width <= n; i += W::width) add_products(a + i, b + i, few);
    total += sum_of_wide<T>(few);
  }
  double rest = 0;
  for (; i < n; ++i) rest += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return total + rest;
}

using ColumnSums = std::array<double, chunk_columns>;

/// sums[i] = the sum of the products in column i of `rows` rows of n columns, `stride` elements apart.
template <class T>
void dot_columns(const T* a, const T* b, std::int64_t rows, std::int64_t stride, std::int64_t n,
                 ColumnSums& sums) {
  if (rows > chain) {
    const std::int64_t half = rows / 2;
    ColumnSums rest;
    dot_columns(a, b, half, stride, n, sums);
    dot_columns(a + half * stride, b + half * stride, rows - half, stride, n, rest);
    for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) sums[k] += rest[k];
    return;
  }
  std::fill_n(sums.begin(), n, 0.0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const T *const from_a = a + row * stride, *const from_b = b + row * stride;
    for (std::int64_t k = 0; k < n; ++k)
      sums[static_cast<std::size_t>(k)] += static_cast<double>(from_a[k]) * static_cast<double>(from_b[k]);
  }
}

/// Two arrays, and where the sums of their products go, [outer, inner].
template <class T>
struct Products {
  const T* a;
  const T* b;
  double* sums;
};

/// The sums of the products along the axis, of several pairs while a row is in cache.
template <class T>
void dot_axis(const AxisView& view, std::initializer_list<Products<T>> pairs) {
  const std::int64_t block = view.axis * view.inner;
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / std::max<std::int64_t>(1, block));
  for_each_tile((view.outer + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(view.outer, (tile + 1) * per_tile);
    for (std::int64_t o = tile * per_tile; o < last; ++o) {
      if (view.inner == 1) {
        for (const auto& [a, b, sums] : pairs) sums[o] = dot(a + o * block, b + o * block, view.axis);
        continue;
      }
      for (std::int64_t first = 0; first < view.inner; first += chunk_columns) {
        const std::int64_t n = std::min(chunk_columns, view.inner - first);
        const std::int64_t begin = o * block + first;
        for (const auto& [a, b, sums] : pairs) {
          ColumnSums here;
          dot_columns(a + begin, b + begin, view.axis, view.inner, n, here);
          std::copy_n(here.begin(), n, sums + o * view.inner + first);
        }
      }
    }
  });
}

/// One vector of an array as doubles, divided by a power of two; floats need none.
template <class T>
class ScaledRow {
 public:
  ScaledRow(const T* data, std::int64_t stride, std::int64_t n) : data_(data), stride_(stride), n_(n) {
    double largest = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double size = std::abs(static_cast<double>(data[i * stride]));
      is_finite_ = is_finite_ && std::isfinite(size);
      largest = std::fmax(largest, size);
    }
    if (std::is_same_v<T, double> && largest > 0 && is_finite_) exponent_ = std::ilogb(largest);
  }

  /// 0 of vectors without elements, and never -0.
  [[nodiscard]] double dot(const ScaledRow& other) const {
    if (!is_finite_ || !other.is_finite_) {  // of an infinity nothing is rounded off
      double sum = 0;
      for (std::int64_t i = 0; i < n_; ++i) sum += at(i) * other.at(i);
      return sum;
    }
    LongSum<double> sum;
    for (std::int64_t i = 0; i < n_; ++i) sum.add(at(i) * other.at(i));
    return sum.value() + 0.0;
  }
  /// The length is this times 2^exponent.
  [[nodiscard]] double scaled_length() const { return std::sqrt(dot(*this)); }
  [[nodiscard]] int exponent() const { return exponent_; }

 private:
  [[nodiscard]] double at(std::int64_t i) const {
    const auto value = static_cast<double>(data_[i * stride_]);
    return exponent_ == 0 ? value : std::scalbn(value, -exponent_);
  }

  const T* data_;
  std::int64_t stride_, n_;
  int exponent_ = 0;
  bool is_finite_ = true;
};

/// Where row number `row` of [outer, inner] begins in [outer, axis, inner].
std::int64_t begin_of(std::int64_t row, const AxisView& view) {
  return row / view.inner * view.axis * view.inner + row % view.inner;
}

/// Calls f(i, k) for all elements, where k holds the N numbers of the element's row.
template <std::size_t N, class Number = double, class F>
void for_each_element(const AxisView& view, const std::array<const Number*, N>& rows, const F& f) {
  const std::int64_t block = view.axis * view.inner;
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / std::max<std::int64_t>(1, block));
  for_each_tile((view.outer + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(view.outer, (tile + 1) * per_tile);
    std::array<Number, N> k;
    for (std::int64_t o = tile * per_tile; o < last; ++o) {
      if (view.inner == 1) {
        for (std::size_t s = 0; s < N; ++s) k[s] = rows[s][o];
        for (std::int64_t i = o * block; i < (o + 1) * block; ++i) f(i, k);
        continue;
      }
      for (std::int64_t j = 0; j < view.axis; ++j) {
        const std::int64_t first = o * block + j * view.inner;
        for (std::int64_t i = 0; i < view.inner; ++i) {
          for (std::size_t s = 0; s < N; ++s) k[s] = rows[s][o * view.inner + i];
          f(first + i, k);
        }
      }
    }
  });
}

std::int64_t rows_of(const AxisView& view) { return view.outer * view.inner; }

using Doubles = ScratchVector<double>;

/// What f gives for each row.
template <class F>
Doubles of_rows(const AxisView& view, const F& f) {
  Doubles numbers(static_cast<std::size_t>(rows_of(view)));
  for (std::size_t row = 0; row < numbers.size(); ++row) numbers[row] = f(row);
  return numbers;
}

bool are_safe_lengths(const double* lengths, std::int64_t n) {
  return std::all_of(lengths, lengths + n, is_safe_length);
}

template <class T>
void length_axis_grad_typed(const Array& g, const Array& x, const double* lengths, const AxisView& view,
                            Array& dx) {
  // Of a length of 0 the inverse is 0, too: it has no derivative but that.
  const auto n = static_cast<std::size_t>(rows_of(view));
  const Scratch<T> factors(rows_of(view));
  T* const factor = factors.data();
  const T* const cotangents = g.data<T>();
  bool is_safe = true;
  for (std::size_t row = 0; row < n; ++row) {
    const double ratio = lengths[row] == 0 ? 0 : static_cast<double>(cotangents[row]) / lengths[row];
    factor[row] = static_cast<T>(ratio);
    is_safe = is_safe && (lengths[row] == 0 || cotangents[row] == 0 ||
                          (std::abs(ratio) >= std::numeric_limits<T>::min() &&
                           std::abs(ratio) <= std::numeric_limits<T>::max()));
  }
  if (is_safe) {
    return for_each_element<1, T>(
        view, {factor}, [from = x.data<T>(), to = dx.mutable_data<T>()](std::int64_t i, const auto& k) {
          to[i] = from[i] * k[0];
        });
  }
  const Doubles divisors = of_rows(view, [=](std::size_t row) {
    return lengths[row] == 0 ? std::numeric_limits<double>::infinity() : lengths[row];
  });
  const Doubles wide = of_rows(view, [=](std::size_t row) { return static_cast<double>(cotangents[row]); });
  for_each_element<2>(view, {divisors.data(), wide.data()},
                      [from = x.data<T>(), to = dx.mutable_data<T>()](std::int64_t i, const auto& k) {
                        to[i] = static_cast<T>(static_cast<double>(from[i]) / k[0] * k[1]);
                      });
}

/// The parts of row `row` from sums that may have left double's range.
struct CosineOfRow {
  double length_a, length_b, cosine;
};

template <class T>
CosineOfRow cosine_again(const T* a, const T* b, std::int64_t row, const AxisView& view) {
  const std::int64_t begin = begin_of(row, view);
  const ScaledRow scaled_a(a + begin, view.inner, view.axis), scaled_b(b + begin, view.inner, view.axis);
  const double of_a = scaled_a.scaled_length(), of_b = scaled_b.scaled_length();
  const double dot = scaled_a.dot(scaled_b);  // beside zeros alone 0 or NaN
  return {std::scalbn(of_a, scaled_a.exponent()), std::scalbn(of_b, scaled_b.exponent()),
          of_a == 0 || of_b == 0 ? dot : dot / of_a / of_b};
}

template <class T>
void cosine_axis_typed(const T* a, const T* b, const AxisView& view, double eps, CosineParts parts) {
  dot_axis<T>(view, {{a, a, parts.long_a}, {b, b, parts.long_b}, {a, b, parts.cosine}});
  // No float is as small: what is divided by less is 0 or infinite, and this has an inverse.
  if (std::is_same_v<T, float>) eps = std::max(eps, 1e-100);
  for (std::int64_t row = 0; row < rows_of(view); ++row) {
    const double square_a = parts.long_a[row], square_b = parts.long_b[row], dot = parts.cosine[row];
    CosineOfRow here{std::sqrt(square_a), std::sqrt(square_b), 0};
    const bool again = !(is_safe_square<T>(square_a) && is_safe_square<T>(square_b));
    if (again) here = cosine_again(a, b, row, view);
    const bool short_a = here.length_a <= eps, short_b = here.length_b <= eps;
    const double long_a = short_a ? eps : here.length_a, long_b = short_b ? eps : here.length_b;
    const double cosine =
        again ? here.cosine * (short_a ? here.length_a / eps : 1) * (short_b ? here.length_b / eps : 1)
              : dot / long_a / long_b;
    parts.long_a[row] = long_a;
    parts.long_b[row] = long_b;
    parts.cosine[row] = cosine;
    parts.turns_a[row] = short_a ? 0 : cosine;
    parts.turns_b[row] = short_b ? 0 : cosine;
  }
}

/// dx = g (y / long_y - turns x / long_x) / long_x
template <class T>
void cosine_grad_typed(const T* g, const T* x, const T* y, const double* long_x, const double* long_y,
                       const double* turns, const AxisView& view, T* dx) {
  const std::int64_t n = rows_of(view);
  if (std::is_same_v<T, float> || (are_safe_lengths(long_x, n) && are_safe_lengths(long_y, n))) {
    const Doubles along_y = of_rows(view, [=](std::size_t row) { return 1 / long_y[row]; });
    const Doubles along_x = of_rows(view, [=](std::size_t row) { return turns[row] / long_x[row]; });
    const Doubles factor =
        of_rows(view, [=](std::size_t row) { return static_cast<double>(g[row]) / long_x[row]; });
    for_each_element<3>(
        view, {along_x.data(), along_y.data(), factor.data()}, [x, y, dx](std::int64_t i, const auto& k) {
          const double away = static_cast<double>(y[i]) * k[1] - static_cast<double>(x[i]) * k[0];
          dx[i] = static_cast<T>(away * k[2]);
        });
    return;
  }
  const Doubles factor = of_rows(view, [=](std::size_t row) { return static_cast<double>(g[row]); });
  for_each_element<4>(
      view, {long_x, long_y, turns, factor.data()}, [x, y, dx](std::int64_t i, const auto& k) {
        const double away = static_cast<double>(y[i]) / k[1] - static_cast<double>(x[i]) / k[0] * k[2];
        dx[i] = static_cast<T>(away * k[3] / k[0]);
      });
}

void cosine_axis_grad(const Array& g, const Array& x, const Array& y, const double* long_x,
                      const double* long_y, const double* turns, const AxisView& view, Array& dx) {
  if (x.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    cosine_grad_typed(g.data<T>(), x.data<T>(), y.data<T>(), long_x, long_y, turns, view,
                      dx.mutable_data<T>());
  });
}

}  // namespace

void length_axis(const Array& x, const AxisView& view, Array& lengths) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const data = x.data<T>();
    double* const squares = lengths.mutable_data<double>();
    dot_axis<T>(view, {{data, data, squares}});
    for (std::int64_t row = 0; row < rows_of(view); ++row) {
      if (!is_safe_square<T>(squares[row])) {
        const ScaledRow<T> scaled(data + begin_of(row, view), view.inner, view.axis);
        squares[row] = std::scalbn(scaled.scaled_length(), scaled.exponent());
        continue;
      }
      squares[row] = std::sqrt(squares[row]);
    }
  });
}

void length_axis_grad(const Array& g, const Array& x, const Array& lengths, const AxisView& view, Array& dx) {
  if (x.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    length_axis_grad_typed<T>(g, x, lengths.data<double>(), view, dx);
  });
}

bool are_moderate(std::span<const double> lengths) {
  return std::all_of(lengths.begin(), lengths.end(),
                     [](double length) { return length >= 0x1p-30 && length <= 0x1p+30; });
}

void cosine_axis(const Array& a, const Array& b, const AxisView& view, double eps, Array& parts) {
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    cosine_axis_typed(a.data<T>(), b.data<T>(), view, eps,
                      CosineParts::of(parts.mutable_data<double>(), rows_of(view)));
  });
}

void cosine_axis_grad_a(const Array& g, const Array& a, const Array& b, const Array& parts,
                        const AxisView& view, Array& da) {
  const double *const long_a = parts.data<double>(), *const long_b = long_a + rows_of(view);
  cosine_axis_grad(g, a, b, long_a, long_b, long_a + 3 * rows_of(view), view, da);
}

void cosine_axis_grad_b(const Array& g, const Array& a, const Array& b, const Array& parts,
                        const AxisView& view, Array& db) {
  const double *const long_a = parts.data<double>(), *const long_b = long_a + rows_of(view);
  cosine_axis_grad(g, b, a, long_b, long_a, long_a + 4 * rows_of(view), view, db);
}

}  // namespace xtgrad::v1::detail
