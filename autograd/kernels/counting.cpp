#include "xtgrad/autograd/kernels/counting.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The order of sorts: NaN after all numbers.
struct Ascends {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b || (b != b && a == a);
  }
};

template <class T>
bool is_same(T a, T b) {
  return a == b || (a != a && b != b);
}

template <class T>
Range finite_range(const T* x, std::int64_t n) {
  bool any = false;
  Range range;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto v = static_cast<double>(x[i]);
    if (!std::isfinite(v)) continue;
    range.low = any ? std::min(range.low, v) : v;
    range.high = any ? std::max(range.high, v) : v;
    any = true;
  }
  return range;
}

/// Bins of one width; the ends of neighbours are one number.
class Bins {
 public:
  Bins(const Range& range, std::int64_t count)
      : range_(range), count_(count), scale_(static_cast<double>(count) / (range.high / 2 - range.low / 2)) {}

  [[nodiscard]] bool has(double v) const { return v >= range_.low && v <= range_.high; }
  /// Of one that the range has. The quotient may be rounded over an end, and of a range of subnormal numbers
  /// it is none.
  [[nodiscard]] std::int64_t of(double v) const {
    const double guess = (v / 2 - range_.low / 2) * scale_;
    const auto last = static_cast<double>(count_ - 1);
    auto bin = static_cast<std::int64_t>(guess > 0 ? std::min(guess, last) : 0);
    while (v < begin(bin)) --bin;
    while (bin + 1 < count_ && v >= begin(bin + 1)) ++bin;
    return bin;
  }

 private:
  /// Mixed so that it is exact at both ends, and no difference leaves the range.
  [[nodiscard]] double begin(std::int64_t bin) const {
    const double share = static_cast<double>(bin) / static_cast<double>(count_);
    return range_.low * (1 - share) + range_.high * share;
  }

  Range range_;
  std::int64_t count_;
  double scale_;
};

}  // namespace

void count_values(const Array& x, Array& counts) {
  auto* const to = counts.mutable_data<std::int64_t>();
  std::fill_n(to, counts.numel(), std::int64_t{0});
  const auto* const values = x.data<std::int64_t>();
  for (std::int64_t i = 0; i < x.numel(); ++i) ++to[values[i]];
}

Range finite_range(const Array& x) {
  return visit_numeric(x.dtype, [&](auto zero) { return finite_range(x.data<decltype(zero)>(), x.numel()); });
}

void count_in_bins(const Array& x, const Range& range, Array& counts) {
  auto* const to = counts.mutable_data<std::int64_t>();
  std::fill_n(to, counts.numel(), std::int64_t{0});
  const Bins bins(range, counts.numel());
  visit_numeric(x.dtype, [&](auto zero) {
    const auto* const values = x.data<decltype(zero)>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const auto v = static_cast<double>(values[i]);
      if (bins.has(v)) ++to[bins.of(v)];
    }
  });
}

void search_rows(const Array& sorted, const Array& values, bool right, Array& places) {
  constexpr std::int64_t unit_values = 1 << 12;
  const std::int64_t n = sorted.shape.back(), total = values.numel();
  const bool is_one = sorted.shape.rank() == 1;
  const std::int64_t each = is_one ? std::max<std::int64_t>(1, total) : values.shape.back();
  visit_numeric(sorted.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *const rows = sorted.data<T>(), *const wanted = values.data<T>();
    auto* const to = places.mutable_data<std::int64_t>();
    for_each_tile((total + unit_values - 1) / unit_values, [&](std::int64_t tile) {
      const std::int64_t last = std::min(total, (tile + 1) * unit_values);
      for (std::int64_t i = tile * unit_values; i < last; ++i) {
        const T* const row = rows + i / each * n;
        const T* const found = right ? std::upper_bound(row, row + n, wanted[i], Ascends{})
                                     : std::lower_bound(row, row + n, wanted[i], Ascends{});
        to[i] = found - row;
      }
    });
  });
}

std::int64_t count_different(const Array& sorted) {
  return visit_numeric(sorted.dtype, [&](auto zero) {
    const auto* const x = sorted.data<decltype(zero)>();
    const std::int64_t n = sorted.numel();
    std::int64_t count = n == 0 ? 0 : 1;
    for (std::int64_t i = 1; i < n; ++i) count += is_same(x[i], x[i - 1]) ? 0 : 1;
    return count;
  });
}

void part_runs(const Array& sorted, const Array& order, Array& values, Array& inverse, Array& counts) {
  auto* const how_many = counts.mutable_data<std::int64_t>();
  auto* const where = inverse.mutable_data<std::int64_t>();
  const auto* const from = order.data<std::int64_t>();
  visit_numeric(sorted.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const x = sorted.data<T>();
    T* const to = values.mutable_data<T>();
    std::int64_t run = -1;
    for (std::int64_t i = 0; i < sorted.numel(); ++i) {
      if (i == 0 || !is_same(x[i], x[i - 1])) {
        to[++run] = x[i];
        how_many[run] = 0;
      }
      ++how_many[run];
      where[from[i]] = run;
    }
  });
}

}  // namespace xtgrad::v1::detail
