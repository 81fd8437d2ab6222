#include "xtgrad/nn/setting_list.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn::detail {

bool SettingList::list(const std::string& name, double& number) {
  const double before = number;
  m_.setting("options." + name, number, holder_);
  if (number == before) return false;
  changed_ = true;
  return true;
}

void SettingList::operator()(const std::string& name, double& value) { list(name, value); }

void SettingList::operator()(const std::string& name, std::int64_t& value) {
  auto number = static_cast<double>(value);
  if (!list(name, number)) return;
  if (!std::isfinite(number) || number != std::trunc(number))
    throw ValueError(fmt::format("{}: {} must be a whole number: got {}", owner_, name, number));
  // As a double the largest one, "for ever" to some options, has become the power of two behind it.
  constexpr double end = 0x1p63;
  using Limits = std::numeric_limits<std::int64_t>;
  value = number >= end ? Limits::max() : number < -end ? Limits::min() : static_cast<std::int64_t>(number);
}

void SettingList::operator()(const std::string& name, bool& value) {
  double number = value ? 1 : 0;
  if (!list(name, number)) return;
  if (number != 0 && number != 1)
    throw ValueError(fmt::format("{}: {} must be 0 or 1: got {}", owner_, name, number));
  value = number == 1;
}

}  // namespace xtgrad::v1::nn::detail
