#pragma once

#include <memory>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct NanGuardOptions {
  bool infinities =
      true;  ///< infinite results count, too; false where a model means them, as masks of -inf do
};

/// Finds where NaN or infinity comes from: while in scope, the first operation of this thread whose result is
/// not finite though all its inputs are throws NonFiniteError, which names the operation, in a sweep the rule
/// that ran it, the element and the ranges of the inputs; and the module whose forward runs or, in a rule,
/// whose forward the guard saw make the node. What is made of numbers alone, such as full(..., inf), may be
/// what it likes. Looking at every element costs about as much as an elementwise operation does.
///
///   NanGuard guard;
///   Tensor loss = nn::cross_entropy(model(x), y);  // throws where the first NaN is made
///   loss.backward();                               // here as well
///
/// While one is in scope, every Error of a rule begins with the module's path, as those of a forward do.
class NanGuard {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] explicit NanGuard(
      const NanGuardOptions& options = {});
  ~NanGuard();
  NanGuard(const NanGuard&) = delete;
  NanGuard& operator=(const NanGuard&) = delete;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}}  // namespace xtgrad::v1
