#include "tests/support/reference_matrices.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing {
namespace {

std::int64_t batch_of(const Shape& shape) {
  std::int64_t size = 1;
  for (std::size_t d = 0; d + 2 < shape.rank(); ++d) size *= shape[d];
  return size;
}

/// x with the sign that makes the largest component of column j positive; true if it was turned.
bool turn_column(Matrix& x, std::int64_t j) {
  std::int64_t largest = 0;
  for (std::int64_t i = 1; i < x.rows; ++i) {
    if (std::abs(x.at(i, j)) > std::abs(x.at(largest, j))) largest = i;
  }
  if (x.at(largest, j) >= 0) return false;
  for (std::int64_t i = 0; i < x.rows; ++i) x.at(i, j) = -x.at(i, j);
  return true;
}

/// Turns columns p and q of x by the angle whose tangent is t.
void rotate_columns(Matrix& x, std::int64_t p, std::int64_t q, Real t) {
  const Real c = 1 / std::sqrt(1 + t * t);
  const Real s = t * c;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const Real a = x.at(i, p);
    const Real b = x.at(i, q);
    x.at(i, p) = c * a - s * b;
    x.at(i, q) = s * a + c * b;
  }
}

/// The tangent of the angle that makes [app apq; apq aqq] diagonal.
Real jacobi_tangent(Real app, Real apq, Real aqq) {
  const Real theta = (aqq - app) / (2 * apq);
  return (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(1 + theta * theta));
}

std::vector<std::int64_t> order_of(std::int64_t n,
                                   const std::function<bool(std::int64_t, std::int64_t)>& before) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), before);
  return order;
}

}  // namespace

Tensor plus_identity(const Tensor& x, double factor) {
  if (!is_floating(x.dtype()) || x.rank() < 2) return x;
  return x + eye(x.size(-2), x.size(-1), {.dtype = x.dtype()}) * factor;
}

Matrix plus_identity(Matrix x, double factor) {
  for (std::int64_t i = 0; i < std::min(x.rows, x.columns); ++i) x.at(i, i) += static_cast<Real>(factor);
  return x;
}

Tensor symmetric(const Tensor& x, double factor) {
  if (!is_floating(x.dtype())) return x;
  return plus_identity((x + transpose(x)) * 0.5, factor);
}

Matrix symmetric(const Matrix& x, double factor) {
  Matrix a = add(x, transpose(x));
  for (Real& value : a.data) value /= 2;
  return plus_identity(a, factor);
}

Matrix identity(std::int64_t n) {
  Matrix x(n, n);
  for (std::int64_t i = 0; i < n; ++i) x.at(i, i) = 1;
  return x;
}

Matrix transpose(const Matrix& a) {
  Matrix x(a.columns, a.rows);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.columns; ++j) x.at(i, j) = a.at(j, i);
  }
  return x;
}

Matrix multiply(const Matrix& a, const Matrix& b) {
  Matrix x(a.rows, b.columns);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.columns; ++j) {
      for (std::int64_t k = 0; k < a.columns; ++k) x.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return x;
}

Matrix add(const Matrix& a, const Matrix& b, Real factor) {
  Matrix x = a;
  for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] += factor * b.data[i];
  return x;
}

Matrix solve(Matrix a, Matrix b) {
  const std::int64_t n = a.rows;
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t best = k;
    for (std::int64_t i = k + 1; i < n; ++i) {
      if (std::abs(a.at(i, k)) > std::abs(a.at(best, k))) best = i;
    }
    for (std::int64_t j = 0; j < n; ++j) std::swap(a.at(k, j), a.at(best, j));
    for (std::int64_t j = 0; j < b.columns; ++j) std::swap(b.at(k, j), b.at(best, j));
    for (std::int64_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const Real factor = a.at(i, k) / a.at(k, k);
      for (std::int64_t j = 0; j < n; ++j) a.at(i, j) -= factor * a.at(k, j);
      for (std::int64_t j = 0; j < b.columns; ++j) b.at(i, j) -= factor * b.at(k, j);
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < b.columns; ++j) b.at(i, j) /= a.at(i, i);
  }
  return b;
}

Matrix inverse(const Matrix& a) { return solve(a, identity(a.rows)); }

Real determinant(const Matrix& a) {
  if (a.rows == 0) return 1;
  Real sum = 0;
  for (std::int64_t j = 0; j < a.columns; ++j) {
    Matrix rest(a.rows - 1, a.columns - 1);
    for (std::int64_t i = 0; i < rest.rows; ++i) {
      for (std::int64_t k = 0; k < rest.columns; ++k) rest.at(i, k) = a.at(i + 1, k < j ? k : k + 1);
    }
    sum += (j % 2 == 0 ? 1 : -1) * a.at(0, j) * determinant(rest);
  }
  return sum;
}

Matrix cholesky(const Matrix& a) {
  Matrix l(a.rows, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      Real rest = (a.at(i, j) + a.at(j, i)) / 2;
      for (std::int64_t k = 0; k < j; ++k) rest -= l.at(i, k) * l.at(j, k);
      l.at(i, j) = i == j ? std::sqrt(rest) : rest / l.at(j, j);
    }
  }
  return l;
}

std::pair<Matrix, Matrix> qr(const Matrix& a) {
  const std::int64_t k = std::min(a.rows, a.columns);
  Matrix q(a.rows, k);
  for (std::int64_t j = 0; j < k; ++j) {
    for (std::int64_t i = 0; i < a.rows; ++i) q.at(i, j) = a.at(i, j);
    for (int twice = 0; twice < 2; ++twice) {
      for (std::int64_t p = 0; p < j; ++p) {
        Real dot = 0;
        for (std::int64_t i = 0; i < a.rows; ++i) dot += q.at(i, p) * q.at(i, j);
        for (std::int64_t i = 0; i < a.rows; ++i) q.at(i, j) -= dot * q.at(i, p);
      }
    }
    Real squares = 0;
    for (std::int64_t i = 0; i < a.rows; ++i) squares += q.at(i, j) * q.at(i, j);
    for (std::int64_t i = 0; i < a.rows; ++i) q.at(i, j) /= std::sqrt(squares);
  }
  Matrix r = multiply(transpose(q), a);
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = 0; j < i; ++j) r.at(i, j) = 0;
  }
  return {q, r};
}

std::pair<Matrix, Matrix> eigh(Matrix a) {
  const std::int64_t n = a.rows;
  a = symmetric(a);
  Matrix v = identity(n);
  for (int sweep = 0; sweep < 40; ++sweep) {
    for (std::int64_t p = 0; p < n; ++p) {
      for (std::int64_t q = p + 1; q < n; ++q) {
        if (a.at(p, q) == 0) continue;
        const Real t = jacobi_tangent(a.at(p, p), a.at(p, q), a.at(q, q));
        rotate_columns(a, p, q, t);
        a = transpose(a);
        rotate_columns(a, p, q, t);
        rotate_columns(v, p, q, t);
      }
    }
  }
  const auto order = order_of(n, [&](std::int64_t i, std::int64_t j) { return a.at(i, i) < a.at(j, j); });
  Matrix values(n, 1);
  Matrix vectors(n, n);
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t from = order[static_cast<std::size_t>(j)];
    values.at(j, 0) = a.at(from, from);
    for (std::int64_t i = 0; i < n; ++i) vectors.at(i, j) = v.at(i, from);
    turn_column(vectors, j);
  }
  return {values, vectors};
}

SingularParts svd(const Matrix& a) {
  if (a.rows < a.columns) {
    SingularParts other = svd(transpose(a));
    SingularParts parts{transpose(other.vh), other.s, transpose(other.u)};
    for (std::int64_t j = 0; j < parts.u.columns; ++j) {
      if (!turn_column(parts.u, j)) continue;
      for (std::int64_t i = 0; i < parts.vh.columns; ++i) parts.vh.at(j, i) = -parts.vh.at(j, i);
    }
    return parts;
  }
  const std::int64_t k = a.columns;
  Matrix x = a;
  Matrix v = identity(k);
  const auto dot = [&](std::int64_t p, std::int64_t q) {
    Real sum = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) sum += x.at(i, p) * x.at(i, q);
    return sum;
  };
  for (int sweep = 0; sweep < 40; ++sweep) {
    for (std::int64_t p = 0; p < k; ++p) {
      for (std::int64_t q = p + 1; q < k; ++q) {
        if (dot(p, q) == 0) continue;
        const Real t = jacobi_tangent(dot(p, p), dot(p, q), dot(q, q));
        rotate_columns(x, p, q, t);
        rotate_columns(v, p, q, t);
      }
    }
  }
  const auto order = order_of(k, [&](std::int64_t i, std::int64_t j) { return dot(i, i) > dot(j, j); });
  SingularParts parts{Matrix(a.rows, k), Matrix(k, 1), Matrix(k, k)};
  for (std::int64_t j = 0; j < k; ++j) {
    const std::int64_t from = order[static_cast<std::size_t>(j)];
    const Real s = std::sqrt(dot(from, from));
    parts.s.at(j, 0) = s;
    for (std::int64_t i = 0; i < a.rows; ++i) parts.u.at(i, j) = x.at(i, from) / s;
    const Real sign = turn_column(parts.u, j) ? -1 : 1;
    for (std::int64_t i = 0; i < k; ++i) parts.vh.at(j, i) = sign * v.at(i, from);
  }
  return parts;
}

Matrix exponential(const Matrix& a) {
  constexpr int squarings = 10;
  Matrix x = a;
  for (Real& value : x.data) value = std::ldexp(value, -squarings);
  Matrix sum = identity(a.rows);
  Matrix term = sum;
  for (int k = 1; k < 30; ++k) {
    term = multiply(term, x);
    for (Real& value : term.data) value /= k;
    sum = add(sum, term);
  }
  for (int i = 0; i < squarings; ++i) sum = multiply(sum, sum);
  return sum;
}

Matrix matrix_of(const Values& x, std::int64_t index) {
  const std::size_t rank = x.shape.rank();
  Matrix a(x.shape[rank - 2], x.shape[rank - 1]);
  const auto first = static_cast<std::ptrdiff_t>(index * a.rows * a.columns);
  std::copy_n(x.data.begin() + first, a.data.size(), a.data.begin());
  return a;
}

namespace {

void append(Values& to, const Matrix& matrix) {
  to.data.insert(to.data.end(), matrix.data.begin(), matrix.data.end());
}

Shape result_shape(const Shape& batch, const Matrix& one, std::size_t dropped) {
  Shape shape = batch;
  if (dropped < 2) shape.push_back(one.rows);
  if (dropped < 1) shape.push_back(one.columns);
  return shape;
}

Shape batch_shape(const Shape& shape) { return Shape(std::span(shape.begin(), shape.rank() - 2)); }

}  // namespace

Values of_each(const Values& x, const std::function<Matrix(const Matrix&)>& f, std::size_t dropped) {
  const std::size_t rank = x.shape.rank();
  // Of an empty batch the sizes are those of any matrix.
  Matrix any(x.shape[rank - 2], x.shape[rank - 1]);
  for (std::int64_t i = 0; i < std::min(any.rows, any.columns); ++i) any.at(i, i) = static_cast<Real>(i + 1);
  Values result;
  const std::int64_t batch = batch_of(x.shape);
  result.shape = result_shape(batch_shape(x.shape), f(batch == 0 ? any : matrix_of(x, 0)), dropped);
  for (std::int64_t i = 0; i < batch; ++i) append(result, f(matrix_of(x, i)));
  return result;
}

Values of_pairs(const Values& a, const Values& b,
                const std::function<Matrix(const Matrix&, const Matrix&)>& f) {
  const std::vector<Values> batches = {{batch_shape(a.shape), {}}, {batch_shape(b.shape), {}}};
  const Shape batch = broadcast_shape(batches);
  const auto number = [](const Index& index, const Shape& shape) {
    const Index own = broadcast_index(index, shape);
    std::int64_t place = 0;
    for (std::size_t d = 0; d < own.size(); ++d) place = place * shape[d] + own[d];
    return place;
  };
  Values result;
  const auto rows = [](const Values& x) { return x.shape[x.shape.rank() - 2]; };
  result.shape =
      result_shape(batch, Matrix(a.shape.back() == rows(b) ? rows(a) : a.shape.back(), b.shape.back()), 0);
  for_each_index(batch, [&](const Index& index) {
    append(result,
           f(matrix_of(a, number(index, batches[0].shape)), matrix_of(b, number(index, batches[1].shape))));
  });
  return result;
}

}  // namespace xtgrad::v1::testing
