// Texts of what chooses, compares, converts and counts.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "xtgrad/autograd/emit/float_types.h"
#include "xtgrad/autograd/emit/text_table.h"

namespace xtgrad::inline v1::detail {
namespace {

template <char first, char second = ' '>
void write_comparison(const StepView&, ElementText& text) {
  const std::string left = text.in(0), right = text.in(1);
  if constexpr (second == ' ') {
    text.set(0, fmt::format("{} {} {}", left, first, right));
  } else {
    text.set(0, fmt::format("{} {}{} {}", left, first, second, right));
  }
}

/// A number as a literal of the operand's dtype.
std::string number_literal(const StepView& step) {
  const double number = step.number("number");
  const Dtype dtype = step.in(0).dtype;
  return is_floating(dtype) ? literal_of(dtype, number) : literal(static_cast<long long>(number));
}

template <char first, char second = ' '>
void write_number_comparison(const StepView& step, ElementText& text) {
  const std::string left = text.in(0), right = number_literal(step);
  if constexpr (second == ' ') {
    text.set(0, fmt::format("{} {} {}", left, first, right));
  } else {
    text.set(0, fmt::format("{} {}{} {}", left, first, second, right));
  }
}

/// Integers meet the number itself, for which there is no literal of theirs.
std::string refuse_fractions(const StepView& step) {
  if (is_floating(step.in(0).dtype)) return {};
  const double number = step.number("number");
  const bool fits = std::floor(number) == number && std::abs(number) < 0x1p53;
  return fits ? "" : fmt::format("of integers with {}", number);
}

void write_where(const StepView&, ElementText& text) {
  text.set(0, fmt::format("{} ? {} : {}", text.in(0), text.in(1), text.in(2)));
}

void write_where_rule(const StepView& step, ElementText& text) {
  const std::string mask = text.in(0), g = text.in(1);
  const std::string zero = literal_of(step.in(1).dtype, 0);
  if (step.has_out(0)) text.set(0, fmt::format("{} ? {} : {}", mask, g, zero));
  if (step.has_out(1)) text.set(1, fmt::format("{} ? {} : {}", mask, zero, g));
}

void write_cast(const StepView& step, ElementText& text) {
  if (step.out().dtype == Dtype::boolean) {
    text.set(0, fmt::format("{} != 0", text.in(0)));
  } else {
    text.set(0, fmt::format("static_cast<{}>({})", cpp_type(step.out().dtype), text.in(0)));
  }
}

/// Of numbers that the integers may not hold.
std::string refuse_narrow_cast(const StepView& step) {
  const Dtype from = step.in(0).dtype, to = step.out().dtype;
  const bool widens = from == Dtype::boolean || is_floating(to) || to == Dtype::boolean ||
                      (to == Dtype::int64 && !is_floating(from));
  return widens ? "" : fmt::format("from {} to {}", to_string(from), to_string(to));
}

void write_advance(const StepView&, ElementText& text) { text.set(0, fmt::format("{} + 1", text.in(0))); }

constexpr std::int64_t kind_range = 0, kind_signs = 1;

void write_check(const StepView& step, ElementText& text) {
  const std::string v = text.in(0);
  std::string right;
  if (step.integer("kind") == kind_range) {
    const auto bound = [&](std::string_view name) { return literal_of(step.in(0).dtype, step.number(name)); };
    right = fmt::format("!({0} < {1}) && !({0} > {2})", v, bound("low"), bound("high"));
  } else if (step.integer("kind") == kind_signs) {
    right = fmt::format("{0} == 1 || {0} == -1", v);
  } else {
    right = fmt::format("{0} >= 0 && {0} < {1}", v, step.integer("classes"));
    const bool may_ignore = step.has("may_ignore") && step.flag("may_ignore");
    const std::string ignored = fmt::format("{} == {}", v, step.integer("ignored"));
    right =
        may_ignore ? fmt::format("({}) || {}", right, ignored) : fmt::format("({}) && !({})", right, ignored);
  }
  text.code().line(fmt::format("if (!({})) return false;", right));
  text.set(0, v);
}

}  // namespace

std::vector<TextOf> choice_texts() {
  return {
      {.name = "equal", .element = write_comparison<'=', '='>},
      {.name = "not_equal", .element = write_comparison<'!', '='>},
      {.name = "less", .element = write_comparison<'<'>},
      {.name = "less_equal", .element = write_comparison<'<', '='>},
      {.name = "greater", .element = write_comparison<'>'>},
      {.name = "greater_equal", .element = write_comparison<'>', '='>},
      {.name = "equal_number", .element = write_number_comparison<'=', '='>, .refusal = refuse_fractions},
      {.name = "not_equal_number", .element = write_number_comparison<'!', '='>, .refusal = refuse_fractions},
      {.name = "less_number", .element = write_number_comparison<'<'>, .refusal = refuse_fractions},
      {.name = "less_equal_number",
       .element = write_number_comparison<'<', '='>,
       .refusal = refuse_fractions},
      {.name = "greater_number", .element = write_number_comparison<'>'>, .refusal = refuse_fractions},
      {.name = "greater_equal_number",
       .element = write_number_comparison<'>', '='>,
       .refusal = refuse_fractions},
      {.name = "where", .element = write_where},
      {.name = "where.rule0", .element = write_where_rule},
      {.name = "cast", .element = write_cast, .refusal = refuse_narrow_cast},
      {.name = "advance_counter", .element = write_advance},
      {.name = "check_elements", .element = write_check, .refuses = true},
  };
}

}  // namespace xtgrad::v1::detail
