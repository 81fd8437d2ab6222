#include "xtgrad/training/records.h"

#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::training {

double EpochRecord::at(std::string_view name, std::string_view user) const {
  std::string names;
  for (const NamedValue& one : values) {
    if (one.name == name) return one.value;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name);
  }
  throw ValueError(
      fmt::format("{}: no value \"{}\"; there are: {}", user, name, names.empty() ? "none" : names));
}

}  // namespace xtgrad::v1::training
