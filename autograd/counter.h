#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A count that belongs to the state of a layer or an optimizer, such as the number of steps taken. It is
/// used like an integer; whoever records what a thread computes sees it as an int64 [] that `++` makes anew.
class Counter {
 public:
  Counter(std::int64_t value = 0) : value_(value) {}  // NOLINT(google-explicit-constructor): is a number
  operator std::int64_t() const { return value_; }    // NOLINT(google-explicit-constructor): is a number

  /// Returns the count after.
  std::int64_t operator++();
  /// As int64 []; the same handle until the count changes.
  [[nodiscard]] Tensor state() const;

  friend bool operator==(const Counter& a, const Counter& b) { return a.value_ == b.value_; }
  friend bool operator==(const Counter& a, std::int64_t b) { return a.value_ == b; }

 private:
  std::int64_t value_;
  mutable Tensor state_;  // of this value, or of an earlier one; made when it is asked for
};

}}  // namespace xtgrad::v1
