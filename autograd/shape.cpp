#include "xtgrad/autograd/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

namespace {

std::string brackets(std::span<const std::int64_t> sizes) {
  std::string text = "[";
  for (const std::int64_t size : sizes) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(size);
  }
  return text += ']';
}

void check_sizes(std::span<const std::int64_t> sizes) {
  if (sizes.size() > Shape::max_rank) {
    throw ShapeError(fmt::format("Shape: at most {} dimensions: got {} in {}", Shape::max_rank, sizes.size(),
                                 brackets(sizes)));
  }
  // Zeros are left out of the product: it would hide an overflow that numel() runs into, or that appears once
  // the empty dimension is sliced away.
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) {
    if (size < 0) throw ShapeError(fmt::format("Shape: sizes must not be negative: got {}", brackets(sizes)));
    if (size != 0 && __builtin_mul_overflow(product, size, &product)) {
      throw ShapeError(fmt::format("Shape: more than 2^63 - 1 elements: got {}", brackets(sizes)));
    }
  }
}

}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) {
  check_sizes(sizes);
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  rank_ = sizes.size();
}

void Shape::throw_no_dimension(std::size_t dim) const {
  // As an int64, so that the dimension before the first of a 0-d shape reads -1.
  throw ShapeError(fmt::format("Shape: no dimension {}: {} has {}", static_cast<std::int64_t>(dim),
                               to_string(*this), rank_));
}

void Dims::throw_no_entry(std::size_t i) const {
  throw ShapeError(
      fmt::format("Dims: no entry {}: {} has {}", static_cast<std::int64_t>(i), to_string(*this), size()));
}

void Shape::push_back(std::int64_t size) {
  std::array<std::int64_t, max_rank + 1> longer{};
  std::copy(begin(), end(), longer.begin());
  longer[rank_] = size;
  check_sizes({longer.data(), rank_ + std::size_t{1}});
  sizes_[rank_++] = size;
}

Dims::Dims(std::span<const std::int64_t> dims) {
  if (dims.size() > Shape::max_rank) {
    throw ShapeError(
        fmt::format("Dims: at most {} entries: got {} in {}", Shape::max_rank, dims.size(), brackets(dims)));
  }
  std::copy(dims.begin(), dims.end(), dims_.begin());
  size_ = static_cast<std::uint8_t>(dims.size());
}

std::string to_string(const Dims& dims) { return brackets({dims.begin(), dims.size()}); }

std::string to_string(const Shape& shape) { return brackets({shape.begin(), shape.rank()}); }

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

Shape broadcast_shapes(std::string_view function, const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, Shape::max_rank> sizes{};
  for (std::size_t from_end = 1; from_end <= rank; ++from_end) {
    const std::int64_t size_a = from_end <= a.rank() ? a[a.rank() - from_end] : 1;
    const std::int64_t size_b = from_end <= b.rank() ? b[b.rank() - from_end] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1) {
      throw ShapeError(
          fmt::format("{}: shapes do not broadcast: a is {}, b is {}", function, to_string(a), to_string(b)));
    }
    sizes[rank - from_end] = size_a == 1 ? size_b : size_a;  // not the larger: a 1 stretches to 0, too
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), rank));
}

std::size_t normalize_axis(std::string_view function, std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    if (rank == 0) {
      throw ShapeError(fmt::format("{}: axis {} is out of range: a 0-d tensor has no axes", function, axis));
    }
    throw ShapeError(fmt::format("{}: axis {} is out of range: {} dimensions have the axes {} to {}",
                                 function, axis, rank, -signed_rank, signed_rank - 1));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

}  // namespace xtgrad::v1
