#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/known_primitive.h"

namespace xtgrad::inline v1::detail {

/// The classes of primitives that can be loaded, by name.
class KnownPrimitives {
 public:
  /// Lists those that are there now.
  KnownPrimitives();

  struct Made {
    std::optional<PrimitiveCopy> primitive;
    std::string refusal = {};  // why there is none
  };
  /// A primitive of that name whose attributes are exactly these, in whatever order.
  [[nodiscard]] Made make(std::string_view name, const std::vector<NamedAttribute>& attributes) const;
  /// Why this one could not be made from its name and attributes; empty if it can.
  [[nodiscard]] std::string refusal_of(const Primitive& primitive) const;

  [[nodiscard]] const std::unordered_map<std::string, std::vector<const KnownPrimitive*>>& by_name() const {
    return by_name_;
  }

 private:
  std::unordered_map<std::string, std::vector<const KnownPrimitive*>> by_name_;
};

}  // namespace xtgrad::v1::detail
