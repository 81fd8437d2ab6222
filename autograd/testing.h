#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace testing {

/// What the checks need to know of an operation.
struct Operation {
  std::string name;                 ///< of its primitive
  TensorFunction apply;             ///< its outputs, from its inputs
  std::vector<Tensor> inputs = {};  ///< a float64 point, where it is smooth; other dtypes are passed on
  /// Each output's elements, computed in another way; not compared if absent.
  std::function<std::vector<std::vector<double>>(std::span<const Tensor>)> reference = {};
  double ulps = 4;  ///< values may differ from the reference by so many units in the last place of float64
  int order = 3;    ///< highest order of derivative that it has; 0 for constants
  bool takes_float32 = true;
};

struct Report {
  std::vector<std::string> failures;  ///< each begins with the operation's name and the check's

  [[nodiscard]] bool ok() const { return failures.empty(); }
  explicit operator bool() const { return ok(); }
  /// One failure a line.
  [[nodiscard]] std::string text() const;
};

/// The checks that the library's own operations pass, for anybody's:
///   recorded     it makes a node of its name, and nothing under NoGrad
///   values       agree with the reference
///   derivatives  of orders 1 to `order`, in the inputs and the cotangent, agree with numerical ones
///   evaluators   gradients are the same whether the rule is recorded or not, and one at a time or together
///   again        all steps, the rule's too, infer what they make, and run again to the same bits on memory
///                that was overwritten before; in float32, too
///   errors       int64, mixed dtypes and empty handles are refused by name
///   release      nothing stays alive
/// What an operation throws is a failure, too.
[[nodiscard]] Report check(const Operation& operation);

}}}  // namespace xtgrad::v1::testing
