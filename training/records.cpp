#include "xtgrad/training/records.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "xtgrad/training/value_names.h"

namespace xtgrad::inline v1::training {

double EpochRecord::at(std::string_view name, std::string_view user) const {
  std::vector<std::string> names;
  for (const NamedValue& one : values) {
    if (one.name == name) return one.value;
    names.push_back(one.name);
  }
  detail::check_value_name(user, name, names);
  return 0;  // not reached: it is none of them
}

}  // namespace xtgrad::v1::training
