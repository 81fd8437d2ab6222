#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

class Sequential;

namespace detail {

template <class T>
concept Layer = std::derived_from<T, Module>;
/// A Sequential in the place of the only layer is meant to be copied, as for every value.
template <class T>
concept OnlyLayer = Layer<T> && !std::derived_from<T, Sequential>;

}  // namespace detail

/// Modules one after the other, each taken by value and listed as "0", "1", ...; copies are deep. Without
/// any, the identity.
///
///   nn::Sequential model{nn::Linear{4, 16}, nn::Tanh{}, nn::Linear{16, 3}};
///   model.add(nn::Dropout{{.p = 0.1}});
///
/// One Sequential alone in braces is a copy, as for every value; put one into another with `add`.
class Sequential : public Module {
 public:
  Sequential() = default;
  /// Templates, because a copy of the model needs each layer's own type, which only the caller knows.
  template <detail::OnlyLayer L>
  explicit Sequential(L layer) {
    add(std::move(layer));
  }
  template <detail::Layer First, detail::Layer Second, detail::Layer... Rest>
  Sequential(First first, Second second, Rest... rest) {
    add(std::move(first));
    add(std::move(second));
    (add(std::move(rest)), ...);
  }
  Sequential(const Sequential& other);
  Sequential(Sequential&& other) noexcept = default;
  /// Assigns layer by layer where both have the same assignable types, so parameters keep their identity;
  /// else copies.
  Sequential& operator=(const Sequential& other);
  Sequential& operator=(Sequential&& other) noexcept = default;
  ~Sequential() override = default;

  /// Appends a layer.
  template <detail::Layer L>
  Sequential& add(L layer) {
    layers_.push_back({std::make_unique<L>(std::move(layer)),
                       [](const Module& module) -> std::unique_ptr<Module> {
                         return std::make_unique<L>(static_cast<const L&>(module));
                       },
                       assigner<L>()});
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return layers_.size(); }
  /// Throws ValueError past the end.
  [[nodiscard]] Module& operator[](std::size_t i);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

 private:
  using Assign = void (*)(Module& to, const Module& from);

  struct Entry {
    std::unique_ptr<Module> module;
    std::unique_ptr<Module> (*clone)(const Module&);
    Assign assign;  // null for a layer that cannot be assigned to, such as one with a reference
  };

  template <detail::Layer L>
  static Assign assigner() {
    if constexpr (std::is_copy_assignable_v<L>) {
      return [](Module& to, const Module& from) { static_cast<L&>(to) = static_cast<const L&>(from); };
    } else {
      return nullptr;
    }
  }

  std::vector<Entry> layers_;
};

}}}  // namespace xtgrad::v1::nn
