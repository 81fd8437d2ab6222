#include <algorithm>

#include "xtgrad/autograd/kernels/decompositions.h"
#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

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

/// Singular value decompositions of a batch, and det(u) det(v).
struct Rotations {
  explicit Rotations(const Array& a)
      : u(Array::uninitialized(a.shape, a.dtype)), vh(Array::uninitialized(a.shape, a.dtype)) {
    Shape values;
    for (std::size_t d = 0; d + 1 < a.shape.rank(); ++d) values.push_back(a.shape[d]);
    s = Array::uninitialized(values, a.dtype);
    Shape batch(std::span(values.begin(), values.rank() - 1));
    det_u = Array::uninitialized(batch, a.dtype);
    det_v = Array::uninitialized(batch, a.dtype);
    svd("det", a, &u, s, &vh);
    determinant(u, det_u);
    determinant(vh, det_v);
  }

  template <class T>
  [[nodiscard]] Scratch<double> values(std::int64_t i) const {
    const T* from = s.data<T>() + i * s.shape.back();
    return Scratch<double>(from, from + s.shape.back());
  }
  template <class T>
  [[nodiscard]] double sign(std::int64_t i) const {
    return (det_u.data<T>()[i] < 0) == (det_v.data<T>()[i] < 0) ? 1 : -1;
  }

  Array u, s, vh, det_u, det_v;
};

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
  const Rotations by(a);
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> scaled = scratch_of<T>(n * n);
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      const T* u = by.u.data<T>() + i * n * n;
      const Scratch<double> products = products_but_one(by.values<T>(i));
      const double sign = by.sign<T>(i);
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t k = 0; k < n; ++k) {
          const auto at = static_cast<std::size_t>(row * n + k);
          scaled[at] =
              static_cast<T>(static_cast<double>(u[at]) * (sign * products[static_cast<std::size_t>(k)]));
        }
      }
      gemm<T>({.m = n, .n = n, .k = n}, scaled.data(), by.vh.data<T>() + i * n * n,
              c.mutable_data<T>() + i * n * n);
    }
  });
}

void cofactors_along(const Array& a, const Array& h, Array& c) {
  const std::int64_t n = a.shape.back();
  const Rotations by(a);
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> product = scratch_of<T>(n * n);
    Scratch<T> turned = scratch_of<T>(n * n);
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      const T* u = by.u.data<T>() + i * n * n;
      const T* vh = by.vh.data<T>() + i * n * n;
      const GemmOptions sizes{.m = n, .n = n, .k = n};
      gemm<T>({.m = n, .n = n, .k = n, .transpose_a = true}, u, h.data<T>() + i * n * n, product.data());
      gemm<T>({.m = n, .n = n, .k = n, .transpose_b = true}, product.data(), vh, turned.data());
      diagonal_cofactors_along(by.values<T>(i), by.sign<T>(i), turned.data(), product.data());
      gemm<T>(sizes, u, product.data(), turned.data());
      gemm<T>(sizes, turned.data(), vh, c.mutable_data<T>() + i * n * n);
    }
  });
}

}  // namespace xtgrad::v1::detail
