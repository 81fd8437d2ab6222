#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/owned_module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Modules of any class in a list, each taken by value and listed as "0", "1", ...; copies are deep. Unlike a
/// Sequential it does not say in what order they run: a model holds it, lists it in its members, and calls
/// them as it likes.
///
///   nn::ModuleList layers;
///   for (int i = 0; i < 3; ++i) layers.append(nn::Linear{8, 8});
///   Tensor y = randn({4, 8});
///   for (nn::Module& layer : layers) y = y + tanh(layer(y));
///
/// One ModuleList alone in braces is a copy, as for every value; put one into another with `append`.
class ModuleList : public Module {
 public:
  ModuleList() = default;
  ModuleList(const ModuleList& other);
  ModuleList(ModuleList&& other) noexcept = default;
  /// As Sequential's.
  ModuleList& operator=(const ModuleList& other);
  ModuleList& operator=(ModuleList&& other) noexcept = default;
  ~ModuleList() override = default;
  /// Templates, because a copy of the model needs each layer's own type, which only the caller knows.
  template <detail::LayerOf<ModuleList> L>
  explicit ModuleList(L layer) {
    append(std::move(layer));
  }
  template <detail::Layer First, detail::Layer Second, detail::Layer... Rest>
  ModuleList(First first, Second second, Rest... rest) {
    append(std::move(first));
    append(std::move(second));
    (append(std::move(rest)), ...);
  }

  template <detail::Layer L>
  ModuleList& append(L layer) & {
    modules_.emplace_back(std::move(layer));
    return *this;
  }
  template <detail::Layer L>
  ModuleList append(L layer) && {
    modules_.emplace_back(std::move(layer));
    return std::move(*this);
  }

  [[nodiscard]] std::size_t size() const { return modules_.size(); }
  [[nodiscard]] bool empty() const { return modules_.empty(); }
  /// Throws ValueError past the end.
  [[nodiscard]] Module& operator[](std::size_t i) &;

  /// A module as what it is: `layers.at<nn::Linear>(0).weight`. Throws ValueError past the end, or if it is
  /// none.
  template <detail::Layer L>
  [[nodiscard]] L& at(std::size_t i) & {
    return detail::layer_as<L>("ModuleList", std::to_string(i), (*this)[i]);
  }
  /// Puts a module, of any class, in the place of another. Optimizers go on with the parameters they were
  /// given. Throws ValueError past the end.
  template <detail::Layer L>
  void replace(std::size_t i, L layer) {
    static_cast<void>((*this)[i]);
    modules_[i] = detail::OwnedModule(std::move(layer));
  }

  using Iterator = detail::ModuleIterator;
  [[nodiscard]] Iterator begin() & { return Iterator(modules_.data()); }
  [[nodiscard]] Iterator end() & { return Iterator(modules_.data() + modules_.size()); }

  /// Throws GraphError: a list has no forward.
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

 private:
  std::vector<detail::OwnedModule> modules_;
};

}}}  // namespace xtgrad::v1::nn
