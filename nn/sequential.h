#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/owned_module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Modules one after the other, each taken by value and listed as "0", "1", ..., or by the name that it was
/// added with; copies are deep. Without any, the identity.
///
///   nn::Sequential model{nn::Linear{4, 16}, nn::Tanh{}, nn::Linear{16, 3}};
///   model.add(nn::Dropout{{.p = 0.1}});
///   Tensor first = model.at<nn::Linear>(0).weight;
///   model.replace(2, nn::Linear{16, 5});
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

  /// Appends a layer, which is called what its number is.
  template <detail::Layer L>
  Sequential& add(L layer) & {
    return add(std::to_string(size()), std::move(layer));
  }
  template <detail::Layer L>
  Sequential add(L layer) && {
    add(std::move(layer));
    return std::move(*this);
  }
  /// Appends a layer by a name of its own: "head" is listed as "head.weight" and "head.bias". Throws
  /// ValueError for an empty name, one with a dot, or one that is there already.
  template <detail::Layer L>
  Sequential& add(const std::string& name, L layer) & {
    check_name(name);
    names_.reserve(names_.size() + 1);
    std::string kept = name;
    layers_.emplace_back(std::move(layer));
    names_.push_back(std::move(kept));  // nothing fails between the two
    return *this;
  }
  template <detail::Layer L>
  Sequential add(const std::string& name, L layer) && {
    add(name, std::move(layer));
    return std::move(*this);
  }
  /// Puts a layer, of any class, in the place of another, whose name it takes. Optimizers go on with the
  /// parameters that they were given: make them anew. Throws ValueError past the end, or for a name that is
  /// not there.
  template <detail::Layer L>
  void replace(std::size_t i, L layer) {
    static_cast<void>((*this)[i]);
    layers_[i] = detail::OwnedModule(std::move(layer));
  }
  template <detail::Layer L>
  void replace(std::string_view name, L layer) {
    replace(index_of(name), std::move(layer));
  }

  [[nodiscard]] std::size_t size() const { return layers_.size(); }
  [[nodiscard]] bool empty() const { return layers_.empty(); }
  /// Throws ValueError past the end.
  [[nodiscard]] Module& operator[](std::size_t i) &;
  /// Throws ValueError that lists the names there are.
  [[nodiscard]] Module& operator[](std::string_view name) & { return (*this)[index_of(name)]; }
  /// A layer as what it is: `model.at<nn::Linear>(0).weight`. Throws ValueError if it is none, besides.
  template <detail::Layer L>
  [[nodiscard]] L& at(std::size_t i) & {
    Module& layer = (*this)[i];
    return detail::layer_as<L>("Sequential", names_[i], layer);
  }
  template <detail::Layer L>
  [[nodiscard]] L& at(std::string_view name) & {
    return at<L>(index_of(name));
  }
  /// In the order in which they run.
  [[nodiscard]] const std::vector<std::string>& names() const& { return names_; }
  [[nodiscard]] std::vector<std::string> names() const&& { return names_; }
  /// `for (nn::Module& layer : model)`
  [[nodiscard]] detail::ModuleIterator begin() & { return detail::ModuleIterator(layers_.data()); }
  [[nodiscard]] detail::ModuleIterator end() & {
    return detail::ModuleIterator(layers_.data() + layers_.size());
  }

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

 private:
  void check_name(const std::string& name) const;
  [[nodiscard]] std::size_t index_of(std::string_view name) const;

  std::vector<detail::OwnedModule> layers_;
  std::vector<std::string> names_;
};

}}}  // namespace xtgrad::v1::nn
