#include "xtgrad/autograd/ops/einsum_equation.h"

#include <fmt/format.h>

#include <cctype>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view dots = "...";
constexpr std::string_view arrow = "->";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t letters_in(std::string_view term) {
  return static_cast<std::size_t>(std::count_if(term.begin(), term.end(), is_letter));
}

}  // namespace

EinsumEquation::EinsumEquation(std::string_view text, std::span<const Shape> shapes) : text_(text) {
  sizes_.fill(-1);
  const std::size_t end = text.find(arrow);
  std::string_view left = text.substr(0, end);
  std::vector<std::string_view> terms;
  for (;;) {
    const std::size_t comma = left.find(',');
    terms.push_back(left.substr(0, comma));
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  if (terms.size() != shapes.size()) {
    throw ValueError(
        fmt::format("einsum: \"{}\" is of {} operands, got {}", text, terms.size(), shapes.size()));
  }
  for (std::size_t i = 0; i < terms.size(); ++i) operands_.push_back(read_operand(terms[i], i, shapes[i]));
  output_ =
      end == std::string_view::npos ? implicit_output() : explicit_output(text.substr(end + arrow.size()));
}

void EinsumEquation::fail(std::string_view rule) const {
  throw ValueError(fmt::format("einsum: {}: \"{}\"", rule, text_));
}

/// The labels of a term whose ellipsis, if it has one, stands for that many axes.
Labels EinsumEquation::read(std::string_view term, std::size_t ellipsis) const {
  Labels labels;
  bool has_dots = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (term[i] == ' ') continue;
    if (is_letter(term[i])) {
      labels.push_back(term[i]);
    } else if (term.substr(i, dots.size()) == dots && !has_dots) {
      has_dots = true;
      i += dots.size() - 1;
      for (std::size_t k = ellipsis; k > 0; --k) labels.push_back(-static_cast<Label>(k));
    } else {
      fail("a term has letters, spaces, and one \"...\"");
    }
  }
  return labels;
}

Labels EinsumEquation::read_operand(std::string_view term, std::size_t number, const Shape& shape) {
  const std::size_t letters = letters_in(term);
  const bool has_dots = term.find(dots) != std::string_view::npos;
  Labels labels = read(term, has_dots && shape.rank() > letters ? shape.rank() - letters : 0);
  if (labels.size() != shape.rank()) {
    throw ShapeError(fmt::format("einsum: \"{}\" has {} axes{} for operand {}, which is {}", text_, letters,
                                 has_dots ? " or more" : "", number, to_string(shape)));
  }
  if (has_dots) ellipsis_ = std::max(ellipsis_, shape.rank() - letters);
  for (std::size_t d = 0; d < labels.size(); ++d) set_size(labels[d], shape[d], number);
  return labels;
}

void EinsumEquation::set_size(Label label, std::int64_t size, std::size_t number) {
  std::int64_t& known = sizes_[place(label)];
  if (known == -1 || (is_ellipsis(label) && known == 1)) {
    known = size;
  } else if (known != size && !(is_ellipsis(label) && size == 1)) {
    const std::string what =
        is_ellipsis(label) ? "an axis of \"...\"" : fmt::format("axis {}", static_cast<char>(label));
    throw ShapeError(fmt::format("einsum: \"{}\": {} has size {}, in operand {} it has size {}", text_, what,
                                 known, number, size));
  }
}

Labels EinsumEquation::implicit_output() const {
  Labels output;
  for (std::size_t k = ellipsis_; k > 0; --k) output.push_back(-static_cast<Label>(k));
  for (Label label = 'A'; label <= 'z'; ++label) {
    std::ptrdiff_t count = 0;
    for (const Labels& one : operands_) count += std::count(one.begin(), one.end(), label);
    if (count == 1) output.push_back(label);
  }
  return output;
}

Labels EinsumEquation::explicit_output(std::string_view term) const {
  Labels output = read(term, ellipsis_);
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (sizes_[place(output[i])] == -1) fail("the output has a letter that no operand has");
    if (std::count(output.begin(), output.end(), output[i]) > 1) fail("the output has a letter twice");
  }
  return output;
}

}  // namespace xtgrad::v1::detail
