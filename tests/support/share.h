// A part of a long test, for builds where all of it would take too long.
#pragma once

#include <cstddef>
#include <string>

namespace xtgrad::inline v1::testing {

/// One of `of` parts, from 0: all there is unless told otherwise.
struct Share {
  std::size_t part = 0;
  std::size_t of = 1;

  /// Whether the item of this number belongs to it. Of the parts, each item belongs to one.
  [[nodiscard]] bool has(std::size_t item) const { return item % of == part; }
  /// How much of `all` it has to have at least.
  [[nodiscard]] std::size_t least_of(std::size_t all) const { return all / of; }
};

/// "2/3" is the last of three. Throws ValueError for what says no part.
[[nodiscard]] Share parse_share(const std::string& text);

/// What XTGRAD_SHARE says; all where it says nothing.
[[nodiscard]] Share share();

}  // namespace xtgrad::v1::testing
