#include "xtgrad/autograd/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/element.h"
#include "xtgrad/autograd/core/ieee_arithmetic.h"

namespace xtgrad::inline v1::detail {

namespace {

constexpr std::int64_t elide_above = 1000;  // elements
constexpr std::int64_t edge = 3;            // elements kept at each end of an elided dimension
constexpr std::size_t line_width = 80;
constexpr int significant_digits = 4;

/// Which elements are shown, and how many dimensions there are to bracket.
class Layout {
 public:
  explicit Layout(const Shape& shape) : shape_(shape), elides_(shape.numel() > elide_above) {}

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] bool is_elided(std::size_t dim) const { return elides_ && shape_[dim] > 2 * edge; }

  /// Calls `visit(index)` for each shown index of a dimension, and `gap()` where some are left out.
  template <class Visit, class Gap>
  void walk(std::size_t dim, Visit visit, Gap gap) const {
    for (std::int64_t i = 0; i < shape_[dim]; ++i) {
      if (is_elided(dim) && i == edge) {
        gap();
        i = shape_[dim] - edge;
      }
      visit(i);
    }
  }

 private:
  Shape shape_;
  bool elides_;
};

/// Values of the shown elements, in row-major order.
template <class T>
void collect(std::vector<T>& out, const Layout& layout, const T* data, std::size_t dim = 0) {
  if (dim == layout.shape().rank()) {
    out.push_back(*data);
    return;
  }
  std::int64_t stride = 1;
  for (std::size_t inner = dim + 1; inner < layout.shape().rank(); ++inner) stride *= layout.shape()[inner];
  layout.walk(
      dim, [&](std::int64_t i) { collect(out, layout, data + i * stride, dim + 1); }, [] {});
}

/// How all numbers of a tensor are written: one notation and one count of decimals for the whole picture.
struct NumberFormat {
  bool scientific = false;
  int decimals = 0;
};

std::string format_number(double value, const NumberFormat& format) {
  if (std::isnan(value)) return "nan";  // fmt would show the sign that a NaN happens to have
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  // With no decimals, '#' keeps the point that tells 1. from the integer 1.
  return format.scientific ? fmt::format("{:#.{}e}", value, format.decimals)
                           : fmt::format("{:#.{}f}", value, format.decimals);
}

/// Decimals that a formatted number needs: those up to the last that is not 0.
int decimals_needed(const std::string& text) {
  const std::size_t point = text.find('.');
  const std::size_t end = std::min(text.find('e'), text.size());
  const std::size_t last = text.find_last_not_of('0', end - 1);
  return static_cast<int>(last - point);
}

NumberFormat choose_format(const std::vector<double>& values) {
  double least = 0;  // magnitudes of the finite numbers other than 0
  double largest = 0;
  bool all_integers = true;
  for (const double value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    const double magnitude = std::abs(value);
    least = least == 0 ? magnitude : std::min(least, magnitude);
    largest = std::max(largest, magnitude);
    all_integers = all_integers && std::trunc(value) == value;
  }
  if (largest == 0) return {};
  if (all_integers && largest < 1e8) return {};
  // NumPy's and PyTorch's rule for when one scale no longer serves all numbers.
  const bool scientific = largest >= 1e8 || least < 1e-4 || largest / least > 1e3;
  const int leading = static_cast<int>(std::floor(std::log10(least)));
  NumberFormat format{
      .scientific = scientific,
      .decimals = scientific ? significant_digits - 1 : std::max(significant_digits - 1 - leading, 1)};
  int needed = scientific ? 0 : 1;  // without one, 1234.5 would look like an integer
  for (const double value : values) {
    if (std::isfinite(value)) needed = std::max(needed, decimals_needed(format_number(value, format)));
  }
  format.decimals = needed;
  return format;
}

template <class T>
std::vector<std::string> format_elements(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  if constexpr (ElementTraits<T>::kind == DtypeKind::floating) {
    const NumberFormat format = choose_format(std::vector<double>(values.begin(), values.end()));
    for (const T value : values) texts.push_back(format_number(static_cast<double>(value), format));
  } else {
    for (const T value : values) texts.push_back(fmt::format("{}", Arithmetic<T>{value}));
  }
  return texts;
}

/// Writes the nested brackets around the shown elements' texts.
class Printer {
 public:
  Printer(const Layout& layout, const std::vector<std::string>& texts)
      : layout_(layout), next_(texts.begin()) {
    for (const std::string& text : texts) column_width_ = std::max(column_width_, text.size());
  }

  std::string print() {
    if (layout_.shape().rank() == 0) return *next_;
    print_dimension(0);
    return std::move(out_);
  }

 private:
  void print_dimension(std::size_t dim) {
    out_ += '[';
    if (dim + 1 == layout_.shape().rank()) {
      print_row();
    } else {
      bool first = true;
      const auto separate = [&] {
        // A blank line more for each dimension further out, so that matrices stand apart.
        if (!first) {
          out_ += ',';
          out_.append(layout_.shape().rank() - 1 - dim, '\n').append(dim + 1, ' ');
        }
        first = false;
      };
      layout_.walk(
          dim,
          [&](std::int64_t) {
            separate();
            print_dimension(dim + 1);
          },
          [&] {
            separate();
            out_ += "...";
          });
    }
    out_ += ']';
  }

  void print_row() {
    const std::size_t rank = layout_.shape().rank();
    std::size_t column = rank;
    bool first = true;
    const auto add = [&](const std::string& text, std::size_t width) {
      if (!first && column + 2 + width + rank > line_width) {  // ", " before, brackets behind
        out_.append(",\n").append(rank, ' ');
        column = rank;
      } else if (!first) {
        out_ += ", ";
        column += 2;
      }
      out_.append(width - text.size(), ' ').append(text);
      column += width;
      first = false;
    };
    layout_.walk(
        rank - 1, [&](std::int64_t) { add(*next_++, column_width_); }, [&] { add("...", 3); });
  }

  const Layout& layout_;
  std::vector<std::string>::const_iterator next_;
  std::size_t column_width_ = 0;
  std::string out_;
};

}  // namespace

std::string print_elements(const Array& array) {
  if (array.numel() == 0) return "[]";
  const Layout layout(array.shape);
  const IeeeArithmetic arithmetic;
  return visit(array.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> values;
    collect(values, layout, array.data<T>());
    const std::vector<std::string> texts = format_elements(values);
    return Printer(layout, texts).print();
  });
}

}  // namespace xtgrad::v1::detail
