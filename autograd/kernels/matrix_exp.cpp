#include "xtgrad/autograd/kernels/matrix_exp.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/kernels/lu.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {

// Scaling and squaring: e^a = (e^(a / 2^s))^(2^s), where the inner one is a Padé approximant, the quotient of
// two polynomials q(-x)^-1 q(x) (Higham, The scaling and squaring method for the matrix exponential
// revisited, 2005).

namespace {

/// Up to a norm of `largest`, q of that degree is right to a rounding of T.
struct Approximant {
  double largest;
  std::span<const double> coefficients;
};
constexpr std::array<double, 4> q3 = {120, 60, 12, 1};
constexpr std::array<double, 6> q5 = {30240, 15120, 3360, 420, 30, 1};
constexpr std::array<double, 8> q7 = {17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1};
constexpr std::array<double, 10> q9 = {17643225600, 8821612800, 2075673600, 302702400, 30270240,
                                       2162160,     110880,     3960,       90,        1};
constexpr std::array<double, 14> q13 = {64764752532480000,
                                        32382376266240000,
                                        7771770303897600,
                                        1187353796428800,
                                        129060195264000,
                                        10559470521600,
                                        670442572800,
                                        33522128640,
                                        1323241920,
                                        40840800,
                                        960960,
                                        16380,
                                        182,
                                        1};
constexpr std::array<Approximant, 3> of_float = {
    {{4.258730016922831e-1, q3}, {1.880152677804762, q5}, {3.925724783138660, q7}}};
constexpr std::array<Approximant, 5> of_double = {{{1.495585217958292e-2, q3},
                                                   {2.539398330063230e-1, q5},
                                                   {9.504178996162932e-1, q7},
                                                   {2.097847961257068, q9},
                                                   {5.371920351148152, q13}}};

template <class T>
std::span<const Approximant> approximants() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return of_float;
  } else {
    return of_double;
  }
}

/// The largest sum of sizes of a column.
template <class T>
double one_norm(const T* x, std::int64_t n) {
  Scratch<double> sums(static_cast<std::size_t>(n), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j)
      sums[static_cast<std::size_t>(j)] += std::abs(static_cast<double>(x[i * n + j]));
  }
  return *std::max_element(sums.begin(), sums.end());
}

/// The exponential of one matrix, and the memory that it takes.
template <class T>
class Exponential {
 public:
  explicit Exponential(std::int64_t n)
      : n_(n),
        square_(matrix()),
        power_(matrix()),
        next_(matrix()),
        even_(matrix()),
        odd_(matrix()),
        lu_(matrix()),
        pivots_(Array::uninitialized(Shape{n}, Dtype::int32)) {}

  /// Over a, with its result.
  void compute(Array& a) {
    const double norm = one_norm(a.data<T>(), n_);
    const std::span<const Approximant> choices = approximants<T>();
    const auto fitting = std::find_if(choices.begin(), choices.end() - 1,
                                      [&](const Approximant& one) { return norm <= one.largest; });
    const int squarings = std::max(0, std::ilogb(std::max(norm / fitting->largest, 0.5)) + 1);
    scale(a.mutable_data<T>(), std::ldexp(1.0, -squarings));
    approximate(fitting->coefficients, a);
    for (int i = 0; i < squarings; ++i) {
      multiply(a, a, next_);
      std::swap(a.buffer, next_.buffer);
    }
  }

 private:
  [[nodiscard]] Array matrix() const { return Array::uninitialized(Shape{n_, n_}, dtype_of<T>); }
  void multiply(const Array& a, const Array& b, Array& c) const {
    gemm<T>({.m = n_, .n = n_, .k = n_}, a.data<T>(), b.data<T>(), c.mutable_data<T>());
  }
  void scale(T* x, double factor) const {
    for (std::int64_t i = 0; i < n_ * n_; ++i) x[i] *= static_cast<T>(factor);
  }
  /// sum += factor x
  void add(double factor, const Array& x, Array& sum) const {
    const T* from = x.data<T>();
    T* to = sum.mutable_data<T>();
    for (std::int64_t i = 0; i < n_ * n_; ++i) to[i] += static_cast<T>(factor) * from[i];
  }
  /// factor times the identity
  void set_identity(double factor, Array& x) const {
    T* to = x.mutable_data<T>();
    std::fill(to, to + n_ * n_, T{0});
    for (std::int64_t i = 0; i < n_; ++i) to[i * n_ + i] = static_cast<T>(factor);
  }

  /// q(-x)^-1 q(x) over x: with q's even powers v and odd ones u, (v - u)^-1 (v + u).
  void approximate(std::span<const double> q, Array& x) {
    multiply(x, x, square_);
    set_identity(q[0], even_);
    set_identity(q[1], odd_);
    for (std::size_t i = 2; i < q.size(); i += 2) {
      if (i == 2) {
        std::copy_n(square_.data<T>(), n_ * n_, power_.mutable_data<T>());
      } else {
        multiply(power_, square_, next_);
        std::swap(power_.buffer, next_.buffer);
      }
      add(q[i], power_, even_);
      add(q[i + 1], power_, odd_);
    }
    multiply(x, odd_, next_);
    std::copy_n(even_.data<T>(), n_ * n_, x.mutable_data<T>());
    add(1, next_, x);
    add(-1, next_, even_);
    lu_factor("matrix_exp", even_, lu_, pivots_);
    lu_solve_factored(lu_, pivots_, false, x);
  }

  std::int64_t n_;
  Array square_, power_, next_, even_, odd_, lu_, pivots_;
};

}  // namespace

void matrix_exp(const Array& a, Array& y) {
  const std::int64_t n = a.shape.back();
  if (a.numel() == 0) return;
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Exponential<T> exponential(n);
    Array one = Array::uninitialized(Shape{n, n}, a.dtype);
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      const T* from = a.data<T>() + i * n * n;
      T* to = y.mutable_data<T>() + i * n * n;
      // Finite elements may have a sum that is not.
      if (!all_finite(from, n * n) || !std::isfinite(one_norm(from, n))) {
        fill_with_nan(to, n * n);
        continue;
      }
      std::copy(from, from + n * n, one.mutable_data<T>());
      exponential.compute(one);
      std::copy_n(one.data<T>(), n * n, to);
    }
  });
}

}  // namespace xtgrad::v1::detail
