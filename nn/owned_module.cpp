#include "xtgrad/nn/owned_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/stack_room.h"
#include "xtgrad/nn/type_name.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

thread_local constinit std::vector<Module*>* waiting = nullptr;  // of the deletion that runs, if one does

/// Copies by recursion, so it must end before the stack does.
std::unique_ptr<Module> copy_of(const Module& module, std::unique_ptr<Module> (*clone)(const Module&)) {
  check_stack_room("copying a module");
  return clone(module);
}

}  // namespace

void DeleteModule::operator()(Module* module) const noexcept {
  if (waiting != nullptr) {
    try {
      waiting->push_back(module);
    } catch (...) {
      delete module;
    }
    return;
  }
  std::vector<Module*> list;
  waiting = &list;
  delete module;
  while (!list.empty()) {
    Module* const next = list.back();
    list.pop_back();
    delete next;
  }
  waiting = nullptr;
}

OwnedModule::OwnedModule(const OwnedModule& other)
    : module_(other.module_ ? copy_of(*other.module_, other.clone_).release() : nullptr),
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
