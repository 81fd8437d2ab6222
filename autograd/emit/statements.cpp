#include "xtgrad/autograd/emit/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>
#include <limits>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The shortest digits that are read as the same number, with a point or an exponent.
template <class T>
std::string floating_literal(T number, std::string_view infinity, std::string_view nan,
                             std::string_view suffix) {
  if (std::isnan(number)) return std::string(nan);
  if (std::isinf(number)) return number > 0 ? std::string(infinity) : fmt::format("(-{})", infinity);
  std::string digits = fmt::format("{}", number);
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  digits += suffix;
  return std::signbit(number) ? fmt::format("({})", digits) : digits;
}

constexpr std::array<std::string_view, 74> keywords{
    "alignas",    "alignof",  "and",      "asm",     "auto",     "bitand", "bitor",    "bool",
    "break",      "case",     "catch",    "char",    "class",    "compl",  "const",    "constexpr",
    "const_cast", "continue", "decltype", "default", "delete",   "do",     "double",   "dynamic_cast",
    "else",       "enum",     "explicit", "export",  "extern",   "false",  "float",    "for",
    "friend",     "goto",     "if",       "inline",  "int",      "long",   "mutable",  "namespace",
    "new",        "noexcept", "not",      "nullptr", "operator", "or",     "private",  "protected",
    "public",     "register", "return",   "short",   "signed",   "sizeof", "static",   "std",
    "struct",     "switch",   "template", "this",    "throw",    "true",   "try",      "typedef",
    "typename",   "union",    "unsigned", "using",   "virtual",  "void",   "volatile", "while",
    "xor",        "main"};

/// Calls `see` with each name or number in a text.
void for_each_word(std::string_view text, auto&& see) {
  const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_part(text[end])) ++end;
    if (end > i) see(text.substr(i, end - i));
    i = std::max(end, i + 1);
  }
}

}  // namespace

std::string_view cpp_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
      return "bool";
    case Dtype::uint8:
      return "unsigned char";
    case Dtype::int32:
      return "int";
    case Dtype::int64:
      return "long long";
    case Dtype::float32:
      return "float";
    case Dtype::float64:
      return "double";
  }
  throw InternalError("emit_cpp: a dtype without a type");
}

std::string literal(float number) { return floating_literal(number, "INFINITY", "NAN", "f"); }
std::string literal(double number) {
  return floating_literal(number, "static_cast<double>(INFINITY)", "static_cast<double>(NAN)", "");
}
std::string literal(bool number) { return number ? "true" : "false"; }
std::string literal(long long number) {
  // The smallest has no literal: its digits without the sign are out of range.
  if (number == std::numeric_limits<long long>::min()) return fmt::format("({} - 1)", literal(number + 1));
  return number < 0 ? fmt::format("({}LL)", number) : fmt::format("{}LL", number);
}

bool is_identifier(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || is_digit(name.front())) return false;
  if (!std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || is_digit(c); }))
    return false;
  // Those with two underscores, or with one before a capital, belong to the compiler.
  if (name.find("__") != std::string_view::npos || name.front() == '_') return false;
  return std::find(keywords.begin(), keywords.end(), name) == keywords.end();
}

std::string identifier_of(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (fits) {
      result += c;
    } else if (!result.empty() && result.back() != '_') {
      result += '_';
    }
  }
  if (!is_identifier(result)) result = "x_" + result;
  return result;
}

bool Statements::reads(std::string_view name) const {
  bool found = false;
  for (const Line* line : kept_lines()) {
    if (!line->text.starts_with("//"))
      for_each_word(line->text, [&](std::string_view word) { found = found || word == name; });
  }
  return found;
}

void Statements::add(std::string defines, std::string text) {
  lines_.push_back({std::move(defines), std::move(text), depth_});
}

void Statements::open(std::string_view head) {
  line(head.empty() ? "{" : fmt::format("{} {{", head));
  ++depth_;
}

void Statements::close() {
  --depth_;
  line("}");
}

std::string Statements::let(std::string_view type, std::string_view expression) {
  std::string name = fresh("t");
  define(name, fmt::format("const {} {} = {};", type, name, expression));
  return name;
}

std::string Statements::fresh(std::string_view stem) { return fmt::format("{}{}", stem, names_++); }

std::vector<const Statements::Line*> Statements::kept_lines() const {
  std::set<std::string, std::less<>> read;
  std::vector<const Line*> kept;
  for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
    if (!line->defines.empty() && !read.contains(line->defines)) continue;
    kept.push_back(&*line);
    if (line->text.starts_with("//")) continue;
    for_each_word(line->text, [&](std::string_view word) {
      if (word != line->defines) read.emplace(word);
    });
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

std::string Statements::text() const {
  std::string text;
  for (const Line* line : kept_lines()) text.append(2 * line->depth, ' ').append(line->text).push_back('\n');
  return text;
}

}  // namespace xtgrad::v1::detail
