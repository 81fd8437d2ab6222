#include "xtgrad/autograd/kernels/cofactors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/kernels/lu.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"
#include "xtgrad/autograd/kernels/svd.h"

namespace xtgrad::inline v1::detail {
namespace {

// The matrix of cofactors of a product is the product of theirs, and that of an orthogonal matrix Q is det(Q)
// Q. So those of a = u diag(s) vh, and their derivative, follow from those of diag(s), which are products of
// singular values but one, or two: nothing is divided by what may be 0.

/// Each product of all elements but one.
Scratch<double> products_but_one(const Scratch<double>& x) {
  Scratch<double> products(x.size(), 1);
  double before = 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    products[i] = before;
    before *= x[i];
  }
  double behind = 1;
  for (std::size_t i = x.size(); i-- > 0;) {
    products[i] *= behind;
    behind *= x[i];
  }
  return products;
}

/// The product of all singular values but i and j, for each j; what stands at i itself means nothing.
Scratch<double> products_but_two(Scratch<double> s, std::size_t i) {
  s[i] = 1;
  return products_but_one(s);
}

/// The singular value decomposition of one matrix, and det(u) det(v).
template <class T>
struct Rotations {
  Rotations(const T* a, std::int64_t n) : u(matrix(n)), vh(matrix(n)), s(static_cast<std::size_t>(n)) {
    Array copy = matrix(n);
    Array values = Array::uninitialized(Shape{n}, dtype_of<T>);
    std::copy_n(a, n * n, copy.template mutable_data<T>());
    svd("det", copy, &u, values, &vh);
    std::copy_n(values.template data<T>(), n, s.begin());
    sign = (sign_of(u) < 0) == (sign_of(vh) < 0) ? 1 : -1;
  }

  static Array matrix(std::int64_t n) { return Array::uninitialized(Shape{n, n}, dtype_of<T>); }
  static T sign_of(const Array& rotation) {
    Array det = Array::uninitialized({}, dtype_of<T>);
    determinant(rotation, det);
    return det.template data<T>()[0];
  }

  Array u, vh;
  Scratch<double> s;
  double sign = 1;
};

/// The largest sum of sizes of a row.
template <class T>
double infinity_norm(const T* x, std::int64_t n) {
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < n; ++j) sum += std::abs(static_cast<double>(x[i * n + j]));
    largest = std::max(largest, sum);
  }
  return largest;
}

/// det(a) a'^-1, a tenth of the work, where that loses at most three eighths of the digits; else false.
template <class T>
bool cofactors_by_inverse(const T* a, std::int64_t n, T* c) {
  Array copy = Rotations<T>::matrix(n);
  std::copy_n(a, n * n, copy.template mutable_data<T>());
  Array y = Rotations<T>::matrix(n);
  inverse(copy, true, y);
  const T* inverted = y.template data<T>();
  const double condition = infinity_norm(a, n) * infinity_norm(inverted, n);
  if (!(condition <= std::pow(static_cast<double>(std::numeric_limits<T>::epsilon()), -0.375))) return false;
  const T det = Rotations<T>::sign_of(copy);
  if (!std::isnormal(det)) return false;
  transpose_into(n, n, inverted, c);
  for (std::int64_t i = 0; i < n * n; ++i) c[i] *= det;
  return true;
}

/// u diag(products but one) vh.
template <class T>
void cofactors_by_svd(const T* a, std::int64_t n, T* c) {
  const Rotations<T> by(a, n);
  const T* u = by.u.template data<T>();
  const Scratch<double> products = products_but_one(by.s);
  Scratch<T> scaled = scratch_of<T>(n * n);
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t k = 0; k < n; ++k) {
      const auto at = static_cast<std::size_t>(row * n + k);
      scaled[at] =
          static_cast<T>(static_cast<double>(u[at]) * (by.sign * products[static_cast<std::size_t>(k)]));
    }
  }
  gemm<T>({.m = n, .n = n, .k = n}, scaled.data(), by.vh.template data<T>(), c);
}

/// The derivative of the cofactors of diag(s) along h [n, n], times a sign.
template <class T>
void diagonal_cofactors_along(const Scratch<double>& s, double sign, const T* h, T* c) {
  const std::size_t n = s.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Scratch<double> products = products_but_two(s, i);
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      sum += static_cast<double>(h[j * n + j]) * products[j];
      c[i * n + j] = static_cast<T>(-sign * static_cast<double>(h[j * n + i]) * products[j]);
    }
    c[i * n + i] = static_cast<T>(sign * sum);
  }
}

}  // namespace

void cofactors(const Array& a, Array& c) {
  const std::int64_t n = a.shape.back();
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      const T* from = a.data<T>() + i * n * n;
      T* to = c.mutable_data<T>() + i * n * n;
      if (!cofactors_by_inverse(from, n, to)) cofactors_by_svd(from, n, to);
    }
  });
}

void cofactors_along(const Array& a, const Array& h, Array& c) {
  const std::int64_t n = a.shape.back();
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> product = scratch_of<T>(n * n);
    Scratch<T> turned = scratch_of<T>(n * n);
    const GemmOptions sizes{.m = n, .n = n, .k = n};
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      const Rotations<T> by(a.data<T>() + i * n * n, n);
      const T* u = by.u.template data<T>();
      const T* vh = by.vh.template data<T>();
      gemm<T>({.m = n, .n = n, .k = n, .transpose_a = true}, u, h.data<T>() + i * n * n, product.data());
      gemm<T>({.m = n, .n = n, .k = n, .transpose_b = true}, product.data(), vh, turned.data());
      diagonal_cofactors_along(by.s, by.sign, turned.data(), product.data());
      gemm<T>(sizes, u, product.data(), turned.data());
      gemm<T>(sizes, turned.data(), vh, c.mutable_data<T>() + i * n * n);
    }
  });
}

}  // namespace xtgrad::v1::detail
