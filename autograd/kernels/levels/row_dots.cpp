#include "xtgrad/autograd/kernels/levels/row_dots.h"

#include <algorithm>
#include <array>
#include <utility>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/levels/for_each_block.h"
#include "xtgrad/autograd/kernels/levels/keep_in_register.h"
#include "xtgrad/autograd/kernels/levels/lanes.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

template <class T>
constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);

/// Of a block of the result.
constexpr int block_width = 3;

/// Where the lanes of a total go before they lose too much: long sums, one for each element of a lane.
template <class T>
class LongLanes;

template <>
class LongLanes<float> {
 public:
  /// Of a sum in which sixteen roundings are few.
  static constexpr std::int64_t many_terms = 4096;

  void set(const float* terms) { std::copy_n(terms, totals_.size(), totals_.begin()); }
  void add(const float* terms) {
    for (std::size_t k = 0; k < totals_.size(); ++k) totals_[k] += static_cast<double>(terms[k]);
  }
  void move_into(LongSum<float>& sum, bool) const {
    static_assert(Lane<float>::width % Lane<double>::width == 0);
    Lane<double> total = Lane<double>::load(totals_.data());
    for (std::size_t k = Lane<double>::width; k < totals_.size(); k += Lane<double>::width)
      total += Lane<double>::load(totals_.data() + k);
    sum.add_wide(sum_of(total));
  }

 private:
  alignas(Buffer::alignment) std::array<double, Lane<float>::width> totals_;
};

template <>
class LongLanes<double> {
 public:
  /// The same with those of up to eight lanes, added up plainly.
  static constexpr std::int64_t many_terms = 32768;

  void set(const double* terms) {
    std::copy_n(terms, totals_.size(), totals_.begin());
    rests_.fill(0);
  }
  void add(const double* terms) {
    const Lane<double> x = Lane<double>::load(terms);
    const Lane<double> total = Lane<double>::load(totals_.data());
    const Lane<double> next = total + x;
    const Lane<double> added = next - total;
    (Lane<double>::load(rests_.data()) + ((total - (next - added)) + (x - added))).store(rests_.data());
    next.store(totals_.data());
  }
  void move_into(LongSum<double>& sum, bool plainly) const {
    if (plainly) {
      sum.add_parts(sum_of(Lane<double>::load(totals_.data())), sum_of(Lane<double>::load(rests_.data())));
      return;
    }
    for (std::size_t k = 0; k < totals_.size(); ++k) sum.add_parts(totals_[k], rests_[k]);
  }

 private:
  alignas(Buffer::alignment) std::array<double, Lane<double>::width> totals_;
  alignas(Buffer::alignment) std::array<double, Lane<double>::width> rests_;
};

/// How long sums may grow: terms that one register adds up, such registers that are added up before they go
/// to long sums, and how the lanes of these are added up in the end. The first term of all is rounded lanes +
/// count - 1 times, the product's own rounding among them, once more as part of the result and, of doubles,
/// as often as lanes are halved: at most 4 + log2(terms) times. Of few terms all may meet in one lane.
template <class T>
struct Runs {
  explicit Runs(std::int64_t terms) {
    if (terms < LongLanes<T>::many_terms) count = terms < 256 ? 2 : 4;
    if (terms < 256) lanes = 4;
    plain_ends = terms >= 2048;
  }

  std::int64_t lanes = 8;
  std::int64_t count = 8;
  bool plain_ends;
};

/// The lanes of a block's totals. Apart from what fills them, or the compiler takes those to pieces.
template <class T, std::size_t Size>
class KeptTotals {
 public:
  using Totals = T[Size][Lane<T>::width];

  [[gnu::noinline]] void add(const Totals& totals) {
    if (std::exchange(empty_, false)) {
      for (std::size_t i = 0; i < Size; ++i) kept_[i].set(totals[i]);
    } else {
      for (std::size_t i = 0; i < Size; ++i) kept_[i].add(totals[i]);
    }
  }
  /// Adds all that was kept, and the last totals, to the elements of c. Most blocks have no others.
  [[gnu::noinline]] void move_into(const Totals& last, LongSum<T>* c, std::int64_t stride,
                                   std::size_t columns, bool plainly) {
    if (!empty_) add(last);
    for (std::size_t i = 0; i < Size; ++i) {
      if (i > 0 && i % columns == 0) c += stride;
      if (empty_) kept_[i].set(last[i]);
      kept_[i].move_into(c[i % columns], plainly);
    }
  }

 private:
  LongLanes<T> kept_[Size];
  bool empty_ = true;
};

template <class T, int Height, int Width, bool Masked>
void add_dots_block(const RowDots<T>& dots, const Runs<T>& runs, std::int64_t i0, std::int64_t p0) {
  constexpr auto size = static_cast<std::size_t>(Height * Width);
  Lane<T> sums[size];
  // In memory: there are no registers left.
  alignas(Buffer::alignment) T totals[size][Lane<T>::width];
  KeptTotals<T, size> kept;
  std::int64_t run = 0;    // sums in `totals`
  std::int64_t terms = 0;  // in a lane of `sums`
#pragma GCC unroll 32
  for (std::size_t i = 0; i < size; ++i) sums[i] = Lane<T>(T(0));
  const auto end_run = [&]() __attribute__((always_inline)) {
    if (run == 0) {
#pragma GCC unroll 32
      for (std::size_t i = 0; i < size; ++i) sums[i].store(totals[i]);
    } else {
#pragma GCC unroll 32
      for (std::size_t i = 0; i < size; ++i) (Lane<T>::load(totals[i]) + sums[i]).store(totals[i]);
    }
#pragma GCC unroll 32
    for (std::size_t i = 0; i < size; ++i) sums[i] = Lane<T>(T(0));
    terms = 0;
    ++run;
  };
  for (std::int64_t q = 0; q < dots.count; ++q) {
    const T* a = dots.a + (q * dots.m + i0) * dots.n;
    const T* rows[Width];
    for (int j = 0; j < Width; ++j) rows[j] = dots.base + q * dots.base_stride + dots.offsets[p0 + j];
    for (std::int64_t x = 0; x < dots.n;) {
      if (terms == runs.lanes) {
        end_run();
        if (run == runs.count) {
          kept.add(totals);
          run = 0;
        }
      }
      const std::int64_t stop = std::min(dots.n, x + (runs.lanes - terms) * width<T>);
      terms += (stop - x) / width<T>;
      for (; x < stop; x += width<T>) {
        Lane<T> b[Width];
#pragma GCC unroll 8
        for (int j = 0; j < Width; ++j) {
          b[j] = Lane<T>::load(rows[j] + x);
          if constexpr (Masked) b[j] = where(Lane<T>::load(dots.mask + x) == 0, 0, b[j]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < Height; ++i) {
          Lane<T> left = Lane<T>::load(a + i * dots.n + x);
          keep_in_register(left);
#pragma GCC unroll 8
          for (int j = 0; j < Width; ++j) sums[i * Width + j] = fma(left, b[j], sums[i * Width + j]);
        }
      }
    }
  }
  end_run();
  kept.move_into(totals, dots.c + i0 * dots.k + p0, dots.k, Width, runs.plain_ends);
}

template <class T, bool Masked>
void add_all_dots(const RowDots<T>& dots) {
  const Runs<T> runs(dots.terms);
  for_each_block<block_height<T>>(0, dots.m, [&](std::int64_t i0, auto height) {
    std::int64_t p0 = 0;
    for (; p0 + block_width <= dots.k; p0 += block_width)
      add_dots_block<T, height, block_width, Masked>(dots, runs, i0, p0);
    for (; p0 < dots.k; ++p0) add_dots_block<T, height, 1, Masked>(dots, runs, i0, p0);
  });
}

template <class T>
void add_row_dots(const RowDots<T>& dots) {
  if (dots.mask == nullptr) {
    add_all_dots<T, false>(dots);
  } else {
    add_all_dots<T, true>(dots);
  }
}

template <class T>
bool all_finite(const T* values, std::int64_t n) {
  Lane<T> sum(T(0));
  for (std::int64_t i = 0; i < n; i += width<T>) sum += Lane<T>::load(values + i) * 0;  // inf * 0 is NaN
  return all(sum == 0);
}

}  // namespace

void add_row_dots_float32(const RowDots<float>& dots) { add_row_dots(dots); }
void add_row_dots_float64(const RowDots<double>& dots) { add_row_dots(dots); }

std::int64_t row_dots_bytes() {
  constexpr std::int64_t left_bytes = 28 << 10;  // of a first-level cache of 32 KiB or more
  return left_bytes / block_height<float>;
}

bool all_finite_float32(const float* values, std::int64_t n) { return all_finite(values, n); }
bool all_finite_float64(const double* values, std::int64_t n) { return all_finite(values, n); }

}  // namespace xtgrad::v1::detail
