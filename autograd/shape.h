#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Sizes of a tensor's dimensions, outermost first. Kept inline, so a shape never allocates; a tensor has at
/// most `max_rank` dimensions. A 0-d tensor has the shape `{}` and one element.
class Shape {
 public:
  static constexpr std::size_t max_rank = 8;

  Shape() = default;
  /// Throws ShapeError for a negative size or more than `max_rank` dimensions.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);

  [[nodiscard]] std::size_t rank() const { return rank_; }
  /// Throws ShapeError for a dimension that is not there.
  [[nodiscard]] std::int64_t operator[](std::size_t dim) const {
    if (dim >= rank_) [[unlikely]]
      throw_no_dimension(dim);
    return sizes_[dim];
  }
  [[nodiscard]] std::int64_t& operator[](std::size_t dim) {
    if (dim >= rank_) [[unlikely]]
      throw_no_dimension(dim);
    return sizes_[dim];
  }
  [[nodiscard]] const std::int64_t* begin() const { return sizes_.data(); }
  [[nodiscard]] const std::int64_t* end() const { return sizes_.data() + rank_; }
  [[nodiscard]] std::int64_t front() const { return (*this)[0]; }
  [[nodiscard]] std::int64_t back() const { return (*this)[rank_ - 1]; }

  /// Number of elements: the product of the sizes, 1 for a 0-d shape.
  [[nodiscard]] std::int64_t numel() const {
    std::int64_t product = 1;
    for (std::size_t i = 0; i < rank_; ++i) product *= sizes_[i];
    return product;
  }

  /// Adds a dimension at the end; throws ShapeError past `max_rank`.
  void push_back(std::int64_t size);

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (std::size_t i = 0; i < a.rank_; ++i) {
      if (a.sizes_[i] != b.sizes_[i]) return false;
    }
    return true;
  }

 private:
  [[noreturn]] void throw_no_dimension(std::size_t dim) const;

  std::array<std::int64_t, max_rank> sizes_{};
  std::size_t rank_ = 0;
};

/// A few dimension numbers, or sizes of which one may be left open as -1; kept inline, so that naming axes
/// does not allocate: `{0, -1}`. Made from a braced list, a Shape, or a vector.
class Dims {
 public:
  Dims() = default;
  /// One: `{.axes = 0}`. A template, so that no fraction becomes one.
  template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
      Dims(Integer dim)  // NOLINT(google-explicit-constructor): a number is a number
      : Dims({static_cast<std::int64_t>(dim)}) {}
  Dims(std::initializer_list<std::int64_t> dims) : Dims(std::span(dims.begin(), dims.size())) {}
  Dims(const Shape& shape) : Dims(std::span(shape.begin(), shape.rank())) {}  // NOLINT: sizes are sizes
  Dims(const std::vector<std::int64_t>& dims) : Dims(std::span(dims)) {}      // NOLINT: a list is a list
  /// Throws ShapeError for more than Shape::max_rank entries.
  explicit Dims(std::span<const std::int64_t> dims);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Throws ShapeError for an entry that is not there.
  [[nodiscard]] std::int64_t operator[](std::size_t i) const {
    if (i >= size_) [[unlikely]]
      throw_no_entry(i);
    return dims_[i];
  }
  [[nodiscard]] std::int64_t& operator[](std::size_t i) {
    if (i >= size_) [[unlikely]]
      throw_no_entry(i);
    return dims_[i];
  }
  [[nodiscard]] const std::int64_t* begin() const { return dims_.data(); }
  [[nodiscard]] const std::int64_t* end() const { return dims_.data() + size_; }

 private:
  [[noreturn]] void throw_no_entry(std::size_t i) const;

  std::array<std::int64_t, Shape::max_rank> dims_{};
  std::uint8_t size_ = 0;
};

/// The axes that a function works along: all of them unless some are named. A list that names none, such as a
/// vector that came out empty, means none: `sum(x, {.axes = Dims{}})` is x, as NumPy's `axis=()` is.
class Axes {
 public:
  /// All of them; so does `{}`.
  Axes() = default;
  template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
      Axes(Integer axis)  // NOLINT(google-explicit-constructor): a number is a number
      : named_(axis), all_(false) {}
  Axes(std::initializer_list<std::int64_t> axes) : named_(axes), all_(false) {}
  Axes(const Dims& axes) : named_(axes), all_(false) {}                       // NOLINT: a list is a list
  Axes(const std::vector<std::int64_t>& axes) : named_(axes), all_(false) {}  // NOLINT: a list is a list

  [[nodiscard]] bool all() const { return all_; }
  /// What was named, as it was named.
  [[nodiscard]] const Dims& named() const { return named_; }

 private:
  Dims named_;
  bool all_ = true;
};

/// "[2, 3]", and "[]" for a 0-d shape.
[[nodiscard]] std::string to_string(const Shape& shape);
[[nodiscard]] std::string to_string(const Dims& dims);
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// NumPy's broadcasting rule: sizes are aligned at the end, and a size of 1 stretches. Throws ShapeError that
/// names `function` and both shapes where they do not fit.
[[nodiscard]] Shape broadcast_shapes(std::string_view function, const Shape& a, const Shape& b);

/// A dimension counted from the end where negative, as in Python. Throws ShapeError that names `function`.
[[nodiscard]] std::size_t normalize_axis(std::string_view function, std::int64_t axis, std::size_t rank);

}}  // namespace xtgrad::v1
