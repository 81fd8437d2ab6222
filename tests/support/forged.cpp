#include "tests/support/forged.h"

#include <doctest/doctest.h>

#include <cstddef>

namespace xtgrad::inline v1::testing {

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  REQUIRE(from.size() == to.size());
  std::size_t count = 0;
  for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1)) {
    bytes.replace(at, from.size(), to);
    ++count;
  }
  REQUIRE(count > 0);
  return bytes;
}

}  // namespace xtgrad::testing
