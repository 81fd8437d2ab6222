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

  /// For an optimizer that is about to make a step: throws GraphError, in the name of `function`, if a
  /// `backward` since the gradients were cleared reached a parameter it holds and an orphan, unless some
  /// model that has run lists both; the orphan is adopted then.
  static void check(std::string_view function, std::span<const ParameterRef> held);
  /// For an optimizer that is about to compute gradients of what is computed from parameters, `loss`, without
  /// a `backward`: the same of an orphan that a sweep from there would reach with a parameter it holds. Walks
  /// the graph where there are orphans at all.
  static void check_reached(std::string_view function, const Tensor& loss,
                            std::span<const ParameterRef> held);
  /// For a model that is about to clear the gradients of those it lists. The same, but an orphan that is seen
  /// for the first time may be another layer's that comes next, so it is noticed alone.
  static void check_cleared(std::string_view function, std::span<const ParameterRef> listed);

 private:
  static bool any();
  static void unlink(Adoption& orphan);
  static void find(std::string_view function, std::span<const ParameterRef> held, bool at_first_sight);
};

}  // namespace xtgrad::v1::nn::detail
