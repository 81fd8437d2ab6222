#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/optimizer.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// An optimizer each of whose groups has one struct of options, with a `Hyper lr` among them: what SGD, Adam
/// and AdamW have in common. A template, so that `options()` gives back the struct that was given.
template <class Options>
class OptimizerWith : public Optimizer {
 public:
  /// More parameters, with options of their own. Throws ValueError, and changes nothing, for an option that
  /// is out of range or missing, an empty list, an empty ref, or a parameter that is there already.
  void add_group(std::vector<nn::ParameterRef> parameters, const Options& options);
  /// With the learning rate as it is now.
  [[nodiscard]] Options options(std::size_t group = 0) const;
  /// Replaces a group's options, the learning rate included; throws as `add_group`, and changes nothing.
  void set_options(const Options& options, std::size_t group = 0);

 protected:
  /// A subclass's constructor calls `add_group`; here, its `validate` would not be there yet.
  explicit OptimizerWith(std::string_view name) : Optimizer(name) {}

  /// Throws ValueError for an option that is out of range or missing.
  virtual void validate(const Options& options) const = 0;
  /// As they were given: the learning rate in force is `lr(group)`.
  [[nodiscard]] const Options& options_of(std::size_t group) const;
  /// What holds them, a const Options. Never changed once made: copies of an optimizer share it.
  [[nodiscard]] std::shared_ptr<const void>& held_options(std::size_t group) { return options_[group]; }

 private:
  // A vector of Options for each optimizer would cost every program that includes all of them 2 % of its
  // compile time.
  std::vector<std::shared_ptr<const void>> options_;
};

template <class Options>
void OptimizerWith<Options>::add_group(std::vector<nn::ParameterRef> parameters, const Options& options) {
  validate(options);
  std::shared_ptr<const void> kept = std::make_shared<const Options>(options);
  options_.reserve(options_.size() + 1);  // so that nothing can fail once the base has the group
  add_parameters(std::move(parameters), options.lr.value());
  options_.push_back(std::move(kept));
}

template <class Options>
Options OptimizerWith<Options>::options(std::size_t group) const {
  Options current = options_of(group);
  current.lr = lr(group);
  return current;
}

template <class Options>
void OptimizerWith<Options>::set_options(const Options& options, std::size_t group) {
  check_group(group);
  validate(options);
  std::shared_ptr<const void> kept = std::make_shared<const Options>(options);
  set_lr(options.lr.value(), group);
  options_[group] = std::move(kept);
}

template <class Options>
const Options& OptimizerWith<Options>::options_of(std::size_t group) const {
  check_group(group);
  return *static_cast<const Options*>(options_[group].get());
}

}}}  // namespace xtgrad::v1::optim
