#pragma once

#include <span>
#include <string_view>

#include "xtgrad/nn/parameter.h"

namespace xtgrad::inline v1::nn::detail {

/// The list of parameters that nobody has adopted.
class Orphans {
 public:
  static void add(Adoption& orphan);
  static void remove(Adoption& orphan);

  /// False in a program in which every parameter with a gradient is looked after. Costs next to nothing then.
  static bool any_with_gradient();

  /// For an optimizer that is about to make a step: throws GraphError if a `backward` that reached a
  /// parameter it holds reached an orphan as well, unless some model that has run lists both; the orphan is
  /// adopted then.
  static void check(std::string_view optimizer, std::span<const ParameterRef> held);

 private:
  static void unlink(Adoption& orphan);
};

}  // namespace xtgrad::v1::nn::detail
