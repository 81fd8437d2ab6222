#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn { namespace detail {

template <class T>
concept Layer = std::derived_from<T, Module>;

/// A layer, but not a `Container` itself: one in the place of a container's only layer is meant to be copied,
/// as for every value.
template <class T, class Container>
concept LayerOf = Layer<T> && !std::derived_from<T, Container>;

/// Deletes a module. What it owns is deleted after it, in a loop: by recursion a hundred thousand nested
/// containers would need more stack than there is.
struct DeleteModule {
  void operator()(Module* module) const noexcept;
};

/// A layer of any class, held by value: copies are deep. For the modules that are made of other modules,
/// which copy in their sources: copies and assignments are hidden.
class OwnedModule {
 public:
  /// Without a module.
  OwnedModule() = default;
  /// A template, because a copy needs the layer's own type, which only the caller knows.
  template <Layer L>
  explicit OwnedModule(L layer)
      : module_(new L(std::move(layer))),
        clone_([](const Module& module) -> std::unique_ptr<Module> {
          return std::make_unique<L>(static_cast<const L&>(module));
        }),
        assign_(assigner<L>()) {}
  XTGRAD_LOCAL OwnedModule(const OwnedModule& other);
  OwnedModule(OwnedModule&& other) noexcept = default;
  /// Assigns to the layer where both are of one assignable class, so that its parameters keep their identity;
  /// else copies.
  XTGRAD_LOCAL OwnedModule& operator=(const OwnedModule& other);
  OwnedModule& operator=(OwnedModule&& other) noexcept = default;
  ~OwnedModule() = default;

  /// True if an assignment would keep the parameters' identity.
  [[nodiscard]] XTGRAD_LOCAL bool takes(const OwnedModule& other) const;
  /// Null without a module.
  [[nodiscard]] Module* get() const { return module_.get(); }
  [[nodiscard]] Module& operator*() const { return *module_; }

 private:
  using Assign = void (*)(Module& to, const Module& from);

  template <Layer L>
  static Assign assigner() {
    if constexpr (std::is_copy_assignable_v<L>) {
      return [](Module& to, const Module& from) { static_cast<L&>(to) = static_cast<const L&>(from); };
    } else {
      return nullptr;
    }
  }

  std::unique_ptr<Module, DeleteModule> module_;
  std::unique_ptr<Module> (*clone_)(const Module&) = nullptr;
  Assign assign_ = nullptr;  // also null for a layer that cannot be assigned to, such as one with a reference
};

/// The modules of a list, one after the other.
class ModuleIterator {
 public:
  explicit ModuleIterator(const OwnedModule* at) : at_(at) {}
  Module& operator*() const { return **at_; }
  Module* operator->() const { return at_->get(); }
  ModuleIterator& operator++() {
    ++at_;
    return *this;
  }
  friend bool operator==(const ModuleIterator&, const ModuleIterator&) = default;

 private:
  const OwnedModule* at_;
};

/// Throws ValueError: `function` was asked for a layer as another class than it has.
[[noreturn]] void throw_other_class(const char* function, const std::string& name,
                                    const std::type_info& wanted, const Module& layer);

/// The layer as an L, for `function`; throws ValueError if it is none.
template <Layer L>
L& layer_as(const char* function, const std::string& name, Module& layer) {
  auto* as = dynamic_cast<L*>(&layer);
  if (as == nullptr) throw_other_class(function, name, typeid(L), layer);
  return *as;
}

/// Assigns module by module where both lists have the same assignable classes; else copies the list.
XTGRAD_LOCAL void assign_modules(std::vector<OwnedModule>& to, const std::vector<OwnedModule>& from);

}}}}  // namespace xtgrad::v1::nn::detail
