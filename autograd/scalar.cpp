#include "xtgrad/autograd/scalar.h"

#include <fmt/format.h>

#include <ostream>

#include "xtgrad/autograd/core/number_fit.h"

namespace xtgrad::inline v1 {

static_assert(sizeof(Scalar) == 16 && std::is_trivially_copyable_v<Scalar>);

std::int64_t Scalar::checked_int64() const { return detail::checked_cast<std::int64_t>("to_int64", real_); }

std::string to_string(Scalar number) {
  return number.is_integer() ? fmt::format("{}", number.to_int64()) : fmt::format("{}", number.to_double());
}

std::ostream& operator<<(std::ostream& out, Scalar number) { return out << to_string(number); }

}  // namespace xtgrad::v1
