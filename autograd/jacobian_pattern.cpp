#include "xtgrad/autograd/jacobian_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {
namespace {

/// A matrix of zeros with the terms added at their places, counted in row-major order.
Tensor added_up(const std::vector<std::int64_t>& places, const Tensor& terms, const Shape& shape) {
  const Tensor sums = index_add(zeros({shape.numel()}, {.dtype = float64}), 0,
                                from_span(std::span<const std::int64_t>(places), {terms.numel()}),
                                reshape(terms, {terms.numel()}));
  return reshape(sums, shape);
}

}  // namespace

JacobianPattern::JacobianPattern(std::string_view function, const Tensor& columns, std::int64_t m,
                                 std::int64_t n)
    : m_(m), n_(n), colors_of_(static_cast<std::size_t>(n), -1) {
  if (columns.dtype() != int64) {
    throw DtypeError(fmt::format("{}: pattern must be int64: got {}", function, to_string(columns.dtype())));
  }
  if (columns.rank() != 2 || columns.size(0) != m) {
    throw ShapeError(fmt::format("{}: pattern must have a row for each of {} residuals, [{}, k]: got {}",
                                 function, m, m, to_string(columns.shape())));
  }
  for (const std::int64_t column : columns.data<std::int64_t>()) {
    if (column >= -1 && column < n) continue;
    throw ValueError(fmt::format("{}: pattern must be of {} parameters, or -1: got {}", function, n, column));
  }
  color(columns);
  std::vector<std::int64_t> column_of, color_of;
  for (const std::int64_t column : columns.data<std::int64_t>()) {
    column_of.push_back(column < 0 ? 0 : column);
    color_of.push_back(column < 0 ? 0 : colors_of_[static_cast<std::size_t>(column)]);
  }
  is_there_ = columns >= 0;
  columns_ = from_span(std::span<const std::int64_t>(column_of), columns.shape());
  color_of_ = from_span(std::span<const std::int64_t>(color_of), columns.shape());
}

void JacobianPattern::color(const Tensor& columns) {
  const std::span<const std::int64_t> all = columns.data<std::int64_t>();
  const auto k = static_cast<std::size_t>(columns.size(1));
  // Residuals of each parameter: those of parameter c begin at first[c].
  std::vector<std::size_t> first(static_cast<std::size_t>(n_) + 1, 0);
  for (const std::int64_t column : all) {
    if (column >= 0) ++first[static_cast<std::size_t>(column) + 1];
  }
  for (std::size_t c = 1; c < first.size(); ++c) first[c] += first[c - 1];
  std::vector<std::size_t> rows(first.back()), next(first.begin(), first.end() - 1);
  for (std::size_t place = 0; place < all.size(); ++place) {
    if (all[place] >= 0) rows[next[static_cast<std::size_t>(all[place])]++] = place / k;
  }
  std::vector<std::size_t> taken_for;  // a colour that a neighbour of parameter c has: c
  for (std::size_t c = 0; c + 1 < first.size(); ++c) {
    if (first[c] == first[c + 1]) continue;
    for (std::size_t at = first[c]; at < first[c + 1]; ++at) {
      for (const std::int64_t other : all.subspan(rows[at] * k, k)) {
        if (other < 0 || colors_of_[static_cast<std::size_t>(other)] < 0) continue;
        taken_for[static_cast<std::size_t>(colors_of_[static_cast<std::size_t>(other)])] = c;
      }
    }
    const auto free =
        std::find_if(taken_for.begin(), taken_for.end(), [c](std::size_t of) { return of != c; });
    colors_of_[c] = free - taken_for.begin();
    if (free == taken_for.end()) taken_for.push_back(c);
  }
  colors_ = static_cast<std::int64_t>(taken_for.size());
}

Tensor JacobianPattern::directions(Dtype dtype) const {
  const Tensor colors = from_span(std::span<const std::int64_t>(colors_of_), {1, n_});
  return (reshape(arange(colors_), {colors_, 1}) == colors).to(dtype);
}

Tensor JacobianPattern::elements(const Tensor& products) const {
  if (colors_ == 0) return zeros(columns_.shape(), {.dtype = products.dtype()});
  return where(is_there_, gather(transpose(products), 1, color_of_), 0);
}

Tensor JacobianPattern::values(const Callable<Tensor(const Tensor&)>& push) const {
  if (colors_ == 0) return zeros(columns_.shape(), {.dtype = float64});
  const Tensor seeds = directions(float64);
  std::vector<Tensor> products;
  for (std::int64_t c = 0; c < colors_; ++c) products.push_back(push(seeds[c]));
  return elements(stack(products));
}

Tensor JacobianPattern::push(const Tensor& values, const Tensor& v) const {
  return sum(values * take(v, columns_), {.axes = {1}});
}

Tensor JacobianPattern::pull(const Tensor& values, const Tensor& u) const {
  const Tensor terms = values * reshape(u, {m_, 1});
  return index_add(zeros({n_}, {.dtype = float64}), 0, reshape(columns_, {columns_.numel()}),
                   reshape(terms, {terms.numel()}));
}

Tensor JacobianPattern::normal_matrix(const Tensor& values) const {
  const std::span<const std::int64_t> all = columns_.data<std::int64_t>();
  const std::int64_t k = columns_.size(1);
  std::vector<std::int64_t> places;  // of the products of each two elements of a row
  for (std::size_t row = 0; row < all.size(); row += static_cast<std::size_t>(k)) {
    const auto in_row = all.subspan(row, static_cast<std::size_t>(k));
    for (const std::int64_t i : in_row) {
      for (const std::int64_t j : in_row) places.push_back(i * n_ + j);
    }
  }
  const Tensor products = unsqueeze(values, 2) * unsqueeze(values, 1);
  return added_up(places, products, {n_, n_});
}

Tensor JacobianPattern::dense(const Tensor& values) const {
  const std::span<const std::int64_t> all = columns_.data<std::int64_t>();
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < all.size(); ++i) {
    places.push_back(static_cast<std::int64_t>(i) / columns_.size(1) * n_ + all[i]);
  }
  return added_up(places, values, {m_, n_});
}

}  // namespace xtgrad::v1::detail
