#include "xtgrad/nn/owned_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/type_name.h"

namespace xtgrad::inline v1::nn::detail {

OwnedModule::OwnedModule(const OwnedModule& other)
    : module_(other.module_ ? other.clone_(*other.module_) : nullptr),
      clone_(other.clone_),
      assign_(other.assign_) {}

OwnedModule& OwnedModule::operator=(const OwnedModule& other) {
  if (!takes(other)) return *this = OwnedModule(other);
  assign_(*module_, *other.module_);
  return *this;
}

bool OwnedModule::takes(const OwnedModule& other) const {
  if (!module_ || !other.module_ || assign_ == nullptr) return false;
  const Module& to = *module_;
  const Module& from = *other.module_;
  return typeid(to) == typeid(from);
}

void throw_other_class(const char* function, const std::string& name, const std::type_info& wanted,
                       const Module& layer) {
  throw ValueError(fmt::format("{}: layer \"{}\" is a {}, not a {}", function, name, layer.type_name(),
                               type_name(wanted)));
}

void assign_modules(std::vector<OwnedModule>& to, const std::vector<OwnedModule>& from) {
  const bool alike =
      std::equal(to.begin(), to.end(), from.begin(), from.end(),
                 [](const OwnedModule& mine, const OwnedModule& other) { return mine.takes(other); });
  if (!alike) {
    to = std::vector<OwnedModule>(from);
    return;
  }
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i];
}

}  // namespace xtgrad::v1::nn::detail
