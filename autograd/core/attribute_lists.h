#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/attributes.h"
#include "xtgrad/autograd/primitive.h"

namespace xtgrad::inline v1::detail {

struct NamedAttribute {
  std::string name;
  AttributeValue value;
  bool is_usual = false;

  /// Of name and value. Doubles are compared by their bits, as the elements are that they go into: 0 and -0
  /// are two values, and NaN is its own equal.
  friend bool operator==(const NamedAttribute& a, const NamedAttribute& b);
};

/// All attributes of a primitive, in the order of `describe`.
[[nodiscard]] std::vector<NamedAttribute> attributes_of(const Primitive& primitive);

/// "axis=1, keepdim": what a person wants to see in a picture of the graph. Attributes with their usual value
/// are left out; a bool is named if it is true.
[[nodiscard]] std::string attribute_text(const Primitive& primitive);

/// A word for a value that no other value has: doubles by their bits, as `==` compares them.
[[nodiscard]] std::string exact_text(const AttributeValue& value);

/// True if both compute the same: one name, and equal attributes.
[[nodiscard]] bool same_primitive(const Primitive& a, const Primitive& b);

}  // namespace xtgrad::v1::detail
