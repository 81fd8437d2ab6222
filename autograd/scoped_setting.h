#pragma once

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

/// One scope's change of a setting of its thread. However scopes end, inside out or not, the setting is that
/// of the innermost one alive, and in the end what it was before the first.
template <class T>
class ScopedSetting {
 public:
  /// `innermost` is the thread's, null outside of all scopes; `before` the setting now.
  ScopedSetting(ScopedSetting*& innermost, T before) : outer_(innermost), before_(before) {
    innermost = this;
  }
  ScopedSetting(const ScopedSetting&) = delete;
  ScopedSetting& operator=(const ScopedSetting&) = delete;
  ~ScopedSetting() = default;

  /// Ends the scope. What the setting is to be, which is `now`.
  [[nodiscard]] T leave(ScopedSetting*& innermost, T now) {
    if (innermost == this) {
      innermost = outer_;
      return before_;
    }
    // The next one in will put back what this one would have.
    for (ScopedSetting* inner = innermost; inner != nullptr; inner = inner->outer_) {
      if (inner->outer_ != this) continue;
      inner->outer_ = outer_;
      inner->before_ = before_;
      break;
    }
    return now;
  }

 private:
  ScopedSetting* outer_;
  T before_;
};

}}}  // namespace xtgrad::v1::detail
