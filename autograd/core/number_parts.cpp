#include "xtgrad/autograd/core/number_parts.h"

#include <algorithm>

namespace xtgrad::inline v1::detail {

NumberParts parts_of(double number) {
  constexpr int least = -298;
  int exponent = 0;
  const double digits = std::frexp(number, &exponent);
  exponent = std::max(exponent, least);
  return {digits, std::ldexp(1, exponent / 2), std::ldexp(1, exponent - exponent / 2)};
}

}  // namespace xtgrad::v1::detail
