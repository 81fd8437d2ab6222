#include "xtgrad/autograd/kernels/resampling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

/// A place on an axis: an element, and how far on the way to the next.
struct Place {
  std::int64_t element;
  double rest;
};

/// Exactly where integers say, so that a place on an element is on it.
Place quotient(std::int64_t a, std::int64_t b) {
  std::int64_t whole = a / b;
  if (a % b < 0) --whole;
  return {whole, static_cast<double>(a - whole * b) / static_cast<double>(b)};
}

Place place_at(double x) {
  const double whole = std::floor(x);
  return {static_cast<std::int64_t>(whole), x - whole};
}

/// Of linear and cubic, in elements; of nearest, to be rounded down.
Place place_of(const Resampling& r, std::int64_t j) {
  const bool is_smooth = r.mode == Interpolation::linear || r.mode == Interpolation::cubic;
  if (is_smooth && r.align_corners) return r.to == 1 ? Place{0, 0} : quotient(j * (r.from - 1), r.to - 1);
  if (r.scale == 0) {
    if (r.mode == Interpolation::nearest) return quotient(j * r.from, r.to);
    return quotient((2 * j + 1) * r.from - (is_smooth ? r.to : 0), 2 * r.to);
  }
  const auto at = static_cast<double>(j);
  if (r.mode == Interpolation::nearest) return place_at(at / r.scale);
  return place_at((at + 0.5) / r.scale - (is_smooth ? 0.5 : 0));
}

/// Of the elements at -1, 0, 1 and 2, at t from 0 to 1.
std::array<double, 4> cubic_weights(double t) {
  constexpr double a = -0.75;
  const auto near = [](double s) { return ((a + 2) * s - (a + 3)) * s * s + 1; };
  const auto far = [](double s) { return a * s * s * (1 - s); };  // at a distance of 2 - s
  return {far(1 - t), near(t), near(1 - t), far(t)};
}

class Builder {
 public:
  explicit Builder(std::int64_t columns) : last_(columns - 1) {}

  /// Weights of neighbouring elements from `first` on; what lies beyond an end is the element there.
  [[gnu::noinline]] void add(std::int64_t first, std::span<const double> weights) {
    for (std::size_t k = 0; k < weights.size(); ++k) {
      if (weights[k] == 0) continue;
      const auto column =
          static_cast<std::int32_t>(std::clamp<std::int64_t>(first + static_cast<std::int64_t>(k), 0, last_));
      const bool is_same = static_cast<std::int64_t>(matrix_.columns.size()) > matrix_.begin.back() &&
                           matrix_.columns.back() == column;
      if (is_same) {
        matrix_.weights.back() += weights[k];
      } else {
        matrix_.columns.push_back(column);
        matrix_.weights.push_back(weights[k]);
      }
    }
  }
  void end_row() { matrix_.begin.push_back(static_cast<std::int64_t>(matrix_.columns.size())); }
  [[nodiscard]] SparseRows take() { return std::move(matrix_); }

 private:
  std::int64_t last_;
  SparseRows matrix_;
};

}  // namespace

SparseRows weights_of(const Resampling& r) {
  Builder builder(r.from);
  for (std::int64_t j = 0; j < r.to; ++j) {
    if (r.mode == Interpolation::area) {
      const std::int64_t begin = j * r.from / r.to, end = ((j + 1) * r.from + r.to - 1) / r.to;
      const double weight = 1 / static_cast<double>(end - begin);
      for (std::int64_t i = begin; i < end; ++i) builder.add(i, std::array{weight});
    } else {
      const Place place = place_of(r, j);
      // A scale may have led past the end.
      const std::int64_t element = std::min(place.element, r.from);
      if (r.mode == Interpolation::linear) {
        const bool is_inside = element >= 0 && element < r.from - 1;
        const double rest = is_inside ? place.rest : 0;
        builder.add(element, std::array{1 - rest, rest});
      } else if (r.mode == Interpolation::cubic) {
        builder.add(element - 1, cubic_weights(place.rest));
      } else {
        builder.add(element, std::array{1.0});
      }
    }
    builder.end_row();
  }
  return builder.take();
}

SparseRows transposed(const SparseRows& matrix, std::int64_t columns) {
  SparseRows result;
  result.begin.assign(static_cast<std::size_t>(columns) + 1, 0);
  result.columns.resize(matrix.columns.size());
  result.weights.resize(matrix.weights.size());
  for (const std::int32_t column : matrix.columns) ++result.begin[static_cast<std::size_t>(column) + 1];
  for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) result.begin[c + 1] += result.begin[c];
  SparseRows::List<std::int64_t> next = result.begin;
  for (std::int64_t j = 0; j < matrix.rows(); ++j) {
    for (std::int64_t k = matrix.begin[static_cast<std::size_t>(j)];
         k < matrix.begin[static_cast<std::size_t>(j) + 1]; ++k) {
      const auto from = static_cast<std::size_t>(k);
      const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(matrix.columns[from])]++);
      result.columns[to] = static_cast<std::int32_t>(j);
      result.weights[to] = matrix.weights[from];
    }
  }
  return result;
}

}  // namespace xtgrad::v1::detail
