#pragma once

#include <cstdint>

/// Elements of the added dtype. Like those of a real one they are no numbers to C++, so that whoever takes
/// them for such does not compile.
struct Brain16 {
  std::uint16_t bits;
};
