#pragma once

#include <memory>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn { namespace detail {

/// Options that are saved with a state, such as a patience: `list_settings` lists them. Never changed once
/// made, only replaced, so copies share them, and a load that fails puts the ones before back.
template <class Options>
class Settings {
 public:
  explicit Settings(const Options& options) : kept_(std::make_shared<const Options>(options)) {}
  // No moves: a copy costs one count, and leaves nothing behind that has no options.
  Settings(const Settings&) = default;
  Settings& operator=(const Settings&) = default;
  ~Settings() = default;

  [[nodiscard]] const Options& operator*() const { return *static_cast<const Options*>(kept_.get()); }
  [[nodiscard]] const Options* operator->() const { return &**this; }
  /// What `Members::setting` takes.
  [[nodiscard]] std::shared_ptr<const void>& holder() { return kept_; }

 private:
  std::shared_ptr<const void> kept_;
};

}}}}  // namespace xtgrad::v1::nn::detail
