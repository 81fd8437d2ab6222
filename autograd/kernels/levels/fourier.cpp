#include "xtgrad/autograd/kernels/levels/fourier.h"

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/fourier_rows.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

template <LaneFloat T>
Lane<T> reversed(Lane<T> x) {
  struct Place {
    static constexpr int of(int i) { return static_cast<int>(Lane<T>::width) - 1 - i; }
  };
  return shuffle<Place>(x, x);
}

template <LaneFloat T>
Complex<T> reversed(const Complex<T>& z) {
  return {reversed(z.re), reversed(z.im)};
}

/// Transforms of all kinds: rows of real numbers as rows of half as many pairs, where they are an even
/// number, and of pairs with imaginary parts 0 elsewhere.
template <LaneFloat T>
class JobTransform {
 public:
  JobTransform(const FourierPlan<T>& plan, const FourierJob& job)
      : plan_(plan),
        job_(job),
        transform_(plan),
        is_even_(job.n % 2 == 0),
        points_(is_real() ? 2 * transform_.abreast() * plan.n : 0),
        spectrum_(is_real() && !is_even_ ? 2 * transform_.abreast() * plan.n : 0) {}

  [[nodiscard]] std::int64_t abreast() const { return transform_.abreast(); }

  /// Of up to `abreast` rows.
  [[gnu::noinline]] void operator()(const T* in, std::int64_t rows, T* out) const {
    if (job_.kind == FourierKind::of_real) return of_real(in, rows, out);
    if (job_.kind == FourierKind::to_real) return to_real(in, rows, out);
    transform_(in, rows, out, {job_.kind == FourierKind::pairs_back, scale()});
  }

 private:
  [[nodiscard]] bool is_real() const {
    return job_.kind == FourierKind::of_real || job_.kind == FourierKind::to_real;
  }

  void of_real(const T* in, std::int64_t rows, T* out) const {
    const std::int64_t n = job_.n, bins = n / 2 + 1;
    T* const z = points_.data();
    if (is_even_) {
      transform_(in, rows, z, {});
      for (std::int64_t r = 0; r < rows; ++r) untangle(z + r * n, out + 2 * r * bins);
      return;
    }
    T* const y = spectrum_.data();
    for (std::int64_t j = 0; j < rows * n; ++j) {
      z[2 * j] = in[j];
      z[2 * j + 1] = 0;
    }
    transform_(z, rows, y, {});
    for (std::int64_t r = 0; r < rows; ++r) {
      out[2 * r * bins] = y[2 * r * n] * scale();
      out[2 * r * bins + 1] = 0;
      for (std::int64_t k = 2; k < 2 * bins; ++k) out[2 * r * bins + k] = y[2 * r * n + k] * middle();
    }
  }

  void to_real(const T* in, std::int64_t rows, T* out) const {
    const std::int64_t n = job_.n, bins = n / 2 + 1;
    T* const z = points_.data();
    if (is_even_) {
      for (std::int64_t r = 0; r < rows; ++r) tangle(in + 2 * r * bins, z + r * n);
      return transform_(z, rows, out, {.back = true});
    }
    T* const y = spectrum_.data();
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* const from = in + 2 * r * bins;
      T* const row = z + 2 * r * n;
      row[0] = from[0] * scale();
      row[1] = 0;
      for (std::int64_t k = 1; k < bins; ++k) {
        row[2 * k] = row[2 * (n - k)] = from[2 * k] * middle();
        row[2 * k + 1] = from[2 * k + 1] * middle();
        row[2 * (n - k) + 1] = -row[2 * k + 1];
      }
    }
    transform_(z, rows, y, {.back = true});
    for (std::int64_t j = 0; j < rows * n; ++j) out[j] = y[2 * j];
  }

  [[nodiscard]] T scale() const { return static_cast<T>(job_.scale); }
  [[nodiscard]] T middle() const { return static_cast<T>(job_.scale * job_.middle); }

  /// Calls f(z_k, z_(h - k), w^k) for all k from 1 to h - 1, and stores what it makes of both; w is
  /// e^(-2 pi i / n). `z` and `out` differ. The halves may meet in the middle: what is stored twice is equal,
  /// or of equal right.
  template <class F>
  void for_each_two(const T* z, T* out, F f) const {
    const std::int64_t h = job_.n / 2, last = h / 2;
    constexpr std::int64_t width = static_cast<std::int64_t>(Lane<T>::width);
    const T *const cosines = plan_.halves, *const sines = cosines + last + 1;
    std::int64_t k = 1;
    for (; k + width - 1 <= last; k += width) {
      const std::int64_t other = h - k - width + 1;
      Complex<T> a = Complex<T>::load_pairs(z + 2 * k);
      Complex<T> b = reversed(Complex<T>::load_pairs(z + 2 * other));
      f(a, b, Complex<T>{Lane<T>::load(cosines + k), Lane<T>::load(sines + k)});
      a.store_pairs(out + 2 * k);
      reversed(b).store_pairs(out + 2 * other);
    }
    for (; k <= last; ++k) {
      Complex<T> a = load_pairs(z + 2 * k, 1), b = load_pairs(z + 2 * (h - k), 1);
      f(a, b, Complex<T>{Lane<T>(cosines[k]), Lane<T>(sines[k])});
      store_pairs(a, out + 2 * k, 1);
      store_pairs(b, out + 2 * (h - k), 1);
    }
  }

  /// The bins of n numbers from the transform z of the pairs that they make: with those of even places, e,
  /// and of odd ones, o, z_k = e_k + i o_k and bin k is e_k + w^k o_k.
  void untangle(const T* z, T* bins) const {
    const std::int64_t h = job_.n / 2;
    bins[0] = (z[0] + z[1]) * scale();
    bins[2 * h] = (z[0] - z[1]) * scale();
    bins[1] = bins[2 * h + 1] = 0;
    const Lane<T> half(static_cast<T>(job_.scale * job_.middle / 2));
    for_each_two(z, bins, [half](Complex<T>& a, Complex<T>& b, const Complex<T>& w) {
      const Complex<T> e = (a + b.conj()) * half, o = (a - b.conj()) * half * w;
      a = plus_turned(e, o);
      b = minus_turned(e, o).conj();
    });
  }

  void tangle(const T* bins, T* z) const {
    const std::int64_t h = job_.n / 2;
    z[0] = (bins[0] + bins[2 * h]) * scale();
    z[1] = (bins[0] - bins[2 * h]) * scale();
    const Lane<T> all(middle());
    for_each_two(bins, z, [all](Complex<T>& a, Complex<T>& b, const Complex<T>& w) {
      const Complex<T> e = (a + b.conj()) * all, o = (a - b.conj()) * all * w.conj();
      a = minus_turned(e, o);
      b = plus_turned(e, o).conj();
    });
  }

  const FourierPlan<T>& plan_;
  const FourierJob& job_;
  RowTransform<T> transform_;
  bool is_even_;
  Scratch<T> points_;
  Scratch<T> spectrum_;
};

/// Rows that are moved at once: as many as the widest lane has numbers.
constexpr std::int64_t rows_of_block = 16;

/// Where rows are, in numbers: an element has `parts`.
struct Rows {
  std::int64_t size;  // elements
  std::int64_t parts;
};

/// Rows `first` to `first + count`, which are `inner` abreast, one behind the other; or back.
template <bool Back, LaneFloat T>
void move_rows(const Rows& rows, std::int64_t inner, std::int64_t first, std::int64_t count, T* abreast,
               T* apart) {
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t row = first + i, run = std::min(count - i, inner - row % inner);
    T* const from = abreast + (row / inner * rows.size * inner + row % inner) * rows.parts;
    T* const to = apart + i * rows.size * rows.parts;
    for (std::int64_t j = 0; j < rows.size; ++j) {
      for (std::int64_t r = 0; r < run; ++r) {
        for (std::int64_t part = 0; part < rows.parts; ++part) {
          T& a = from[(j * inner + r) * rows.parts + part];
          T& b = to[(r * rows.size + j) * rows.parts + part];
          if constexpr (Back) {
            a = b;
          } else {
            b = a;
          }
        }
      }
    }
    i += run;
  }
}

/// Rows `first` to `last`, in runs of which each lies one behind the other.
template <LaneFloat T>
void transform_rows(const FourierPlan<T>& plan, const FourierJob& job, std::int64_t first, std::int64_t last,
                    const T* in, T* out) {
  const bool to_real = job.kind == FourierKind::to_real, of_real = job.kind == FourierKind::of_real;
  const std::int64_t bins = job.n / 2 + 1;
  const Rows from{to_real ? bins : job.n, of_real ? 1 : 2}, to{of_real ? bins : job.n, to_real ? 1 : 2};
  const std::int64_t size = from.size * from.parts, size_to = to.size * to.parts;
  const JobTransform<T> transform(plan, job);
  const std::int64_t abreast = transform.abreast();
  if (job.inner == 1) {
    for (std::int64_t row = first; row < last; row += abreast)
      transform(in + row * size, std::min(abreast, last - row), out + row * size_to);
    return;
  }
  // Neighbours in memory are of different rows: several rows at a time share what is read.
  const std::int64_t block = std::min(std::max(rows_of_block, abreast), last - first);
  const Scratch<T> before(block * size), after(block * size_to);
  for (std::int64_t row = first; row < last; row += block) {
    const std::int64_t count = std::min(block, last - row);
    move_rows<false>(from, job.inner, row, count, const_cast<T*>(in), before.data());
    for (std::int64_t r = 0; r < count; r += abreast)
      transform(before.data() + r * size, std::min(abreast, count - r), after.data() + r * size_to);
    move_rows<true>(to, job.inner, row, count, out, after.data());
  }
}

template <LaneFloat T>
void transform_all(const FourierPlan<T>& plan, const FourierJob& job, const T* in, T* out) {
  constexpr std::int64_t points_of_tile = 1 << 15;
  const FourierPlan<T>& smooth = plan.m != nullptr ? *plan.m : plan;
  // Whole lanes of rows, or whole blocks of neighbours, where there are such.
  const std::int64_t whole = smooth.way == FourierWay::rows || job.inner > 1 ? rows_of_block : 1;
  const std::int64_t rows = (std::max<std::int64_t>(1, points_of_tile / job.n) + whole - 1) / whole * whole;
  for_each_tile((job.rows + rows - 1) / rows, [&](std::int64_t tile) {
    transform_rows(plan, job, tile * rows, std::min(job.rows, (tile + 1) * rows), in, out);
  });
}

}  // namespace

std::int64_t fourier_lanes(bool is_float) {
  return static_cast<std::int64_t>(is_float ? Lane<float>::width : Lane<double>::width);
}

void fourier_float(const FourierPlan<float>& plan, const FourierJob& job, const float* in, float* out) {
  transform_all(plan, job, in, out);
}

void fourier_double(const FourierPlan<double>& plan, const FourierJob& job, const double* in, double* out) {
  transform_all(plan, job, in, out);
}

}  // namespace xtgrad::v1::detail
