#include "xtgrad/nn/module_list.h"

#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {

ModuleList::ModuleList(const ModuleList& other) = default;

ModuleList& ModuleList::operator=(const ModuleList& other) {
  Module::operator=(other);
  detail::assign_modules(modules_, other.modules_);
  return *this;
}

Module& ModuleList::operator[](std::size_t i) & {
  if (i >= modules_.size())
    throw ValueError(fmt::format("ModuleList: no module {}: there are {}", i, modules_.size()));
  return *modules_[i];
}

Tensor ModuleList::forward(const Tensor&) {
  throw GraphError(fmt::format(
      "{}: a list does not say in what order its {} modules run; call them one by one, or use nn::Sequential",
      label(), modules_.size()));
}

void ModuleList::members(Members& m) {
  for (std::size_t i = 0; i < modules_.size(); ++i) m(std::to_string(i), *modules_[i]);
}

}  // namespace xtgrad::v1::nn
