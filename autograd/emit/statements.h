#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::detail {

/// What a file calls the type of a dtype's elements. <cmath> alone is included, so no std::int64_t.
[[nodiscard]] std::string_view cpp_type(Dtype dtype);

/// A number as a literal, which a compiler reads as the same bits.
[[nodiscard]] std::string literal(float number);
[[nodiscard]] std::string literal(double number);
[[nodiscard]] std::string literal(bool number);
[[nodiscard]] std::string literal(long long number);

/// True for what a name in a file may be: letters, digits and underscores, no keyword.
[[nodiscard]] bool is_identifier(std::string_view name);
/// The nearest identifier to a name.
[[nodiscard]] std::string identifier_of(std::string_view name);

/// Statements of a function that is being written, one a line, and what they ask of the file.
class Statements {
 public:
  /// A line at the present depth.
  void line(std::string_view text) { add({}, std::string(text)); }
  /// A line that opens a block.
  void open(std::string_view head);
  void close();
  /// `const type name = expression;` under a name that no other has, which is returned.
  std::string let(std::string_view type, std::string_view expression);
  /// A line that defines a name, and is left out if nothing reads it.
  void define(std::string_view name, std::string_view text) { add(std::string(name), std::string(text)); }
  /// A name that no other has.
  std::string fresh(std::string_view stem);

  /// Asks for a function that does not come with <cmath>, of float or double (emit/helpers.h).
  void need(std::string_view helper, Dtype dtype) { needed_.emplace(helper, dtype); }
  [[nodiscard]] const std::set<std::pair<std::string, Dtype>>& needed() const { return needed_; }

  /// The lines whose names are read, or that define none.
  [[nodiscard]] std::string text() const;
  /// Whether one of them has the name as a word, but for comments.
  [[nodiscard]] bool reads(std::string_view name) const;

 private:
  struct Line {
    std::string defines;
    std::string text;
    std::size_t depth;
  };
  void add(std::string defines, std::string text);
  [[nodiscard]] std::vector<const Line*> kept_lines() const;

  std::vector<Line> lines_;
  std::size_t depth_ = 1;
  std::size_t names_ = 0;
  std::set<std::pair<std::string, Dtype>> needed_;
};

}  // namespace xtgrad::v1::detail
