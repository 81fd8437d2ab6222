#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/shape.h"

namespace xtgrad::inline v1::detail {

/// What an axis is called: a letter, or below 0 a place in an ellipsis, counted from its end, -1.
using Label = int;
using Labels = std::vector<Label>;

inline bool contains(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}
inline bool is_ellipsis(Label label) { return label < 0; }

/// What `einsum` reads of its equation: labels of each operand's axes and of the output's. Throws ValueError
/// for what is no equation, ShapeError where it does not fit the shapes.
class EinsumEquation {
 public:
  EinsumEquation(std::string_view text, std::span<const Shape> shapes);

  [[nodiscard]] const std::vector<Labels>& operands() const { return operands_; }
  [[nodiscard]] const Labels& output() const { return output_; }
  /// What all axes of that label are, but for those of an ellipsis that are 1 and broadcast.
  [[nodiscard]] std::int64_t size(Label label) const { return sizes_[place(label)]; }

 private:
  static std::size_t place(Label label) { return static_cast<std::size_t>(label + max_ellipsis); }
  static constexpr int max_ellipsis = static_cast<int>(Shape::max_rank);

  [[noreturn]] void fail(std::string_view rule) const;
  Labels read(std::string_view term, std::size_t ellipsis) const;
  Labels read_operand(std::string_view term, std::size_t number, const Shape& shape);
  void set_size(Label label, std::int64_t size, std::size_t number);
  Labels implicit_output() const;
  Labels explicit_output(std::string_view term) const;

  std::string_view text_;
  std::vector<Labels> operands_;
  Labels output_;
  std::size_t ellipsis_ = 0;                                 // axes in the longest one
  std::array<std::int64_t, 128 + Shape::max_rank> sizes_{};  // -1 for labels that there are not
};

}  // namespace xtgrad::v1::detail
