#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/owned_module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

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
  template <detail::LayerOf<Sequential> L>
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
    layers_.emplace_back(std::move(layer));
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return layers_.size(); }
  /// Throws ValueError past the end.
  [[nodiscard]] Module& operator[](std::size_t i);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

 private:
  std::vector<detail::OwnedModule> layers_;
};

}}}  // namespace xtgrad::v1::nn
