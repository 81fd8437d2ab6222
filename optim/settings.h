#pragma once

#include <memory>
#include <string>

#include "xtgrad/nn/members.h"

namespace xtgrad::inline v1::optim::detail {

/// Lists the options that `kept` holds, but for the learning rate, as settings called `prefix` and the
/// option's name. `each(options, list)` calls `list(name, value)` for each with a double& that it may change;
/// where one has changed, `kept` gets the new options, with the rate `lr`, once `validate` has seen them.
template <class Options, class Each, class Validate>
void list_settings(std::shared_ptr<const void>& kept, double lr, const std::string& prefix, nn::Members& m,
                   const Each& each, const Validate& validate) {
  Options options = *static_cast<const Options*>(kept.get());
  bool changed = false;
  each(options, [&](const char* name, double& value) {
    const double before = value;
    m.setting(prefix + name, value, kept);
    changed = changed || value != before;
  });
  if (!changed) return;
  options.lr = lr;
  validate(options);
  kept = std::make_shared<const Options>(options);
}

}  // namespace xtgrad::v1::optim::detail
