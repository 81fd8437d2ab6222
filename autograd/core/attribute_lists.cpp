#include "xtgrad/autograd/core/attribute_lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::detail {
namespace {

class Collector final : public Attributes {
 public:
  std::vector<NamedAttribute> list;

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool is_usual) override {
    list.push_back({std::string(name), value, is_usual});
    return false;
  }
};

bool same_bits(double x, double y) {
  return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
}

std::string text_of(const NamedAttribute& attribute) {
  const auto& [name, value, is_usual] = attribute;
  struct Text {
    std::string_view name;
    std::string operator()(bool v) const { return v ? std::string(name) : fmt::format("{}=false", name); }
    std::string operator()(std::int64_t v) const { return number(fmt::format("{}", v)); }
    std::string operator()(double v) const { return number(fmt::format("{:.6g}", v)); }
    // The operand of `x * 3` needs no name.
    std::string number(const std::string& v) const {
      return name == "number" ? v : fmt::format("{}={}", name, v);
    }
    std::string operator()(const std::string& v) const { return fmt::format("{}={}", name, v); }
    std::string operator()(const std::vector<std::int64_t>& v) const {
      return fmt::format("{}=[{}]", name, fmt::join(v, ", "));
    }
    std::string operator()(const std::vector<double>& v) const {
      return fmt::format("{}=[{:.6g}]", name, fmt::join(v, ", "));
    }
  };
  return std::visit(Text{name}, value);
}

}  // namespace

bool operator==(const NamedAttribute& a, const NamedAttribute& b) {
  if (a.name != b.name) return false;
  if (const auto* x = std::get_if<double>(&a.value), *y = std::get_if<double>(&b.value); x && y)
    return same_bits(*x, *y);
  using Doubles = std::vector<double>;
  if (const auto* x = std::get_if<Doubles>(&a.value), *y = std::get_if<Doubles>(&b.value); x && y)
    return std::ranges::equal(*x, *y, same_bits);
  return a.value == b.value;
}

std::vector<NamedAttribute> attributes_of(const Primitive& primitive) {
  Collector collector;
  // Describing takes fields by reference, for those who load them; a collector changes none.
  const_cast<Primitive&>(primitive).describe(collector);
  return std::move(collector.list);
}

std::string attribute_text(const Primitive& primitive) {
  std::string text;
  for (const NamedAttribute& attribute : attributes_of(primitive)) {
    if (attribute.is_usual) continue;
    if (!text.empty()) text += ", ";
    text += text_of(attribute);
  }
  return text;
}

std::string exact_text(const AttributeValue& value) {
  struct Text {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("0x{:x}", std::bit_cast<std::uint64_t>(v)); }
    std::string operator()(const std::string& v) const { return fmt::format("{}:{}", v.size(), v); }
    std::string operator()(const std::vector<std::int64_t>& v) const {
      return fmt::format("[{}]", fmt::join(v, ","));
    }
    std::string operator()(const std::vector<double>& v) const {
      std::string list;
      for (const double each : v) list += (list.empty() ? "" : ",") + (*this)(each);
      return "[" + list + "]";
    }
  };
  return std::visit(Text{}, value);
}

bool same_primitive(const Primitive& a, const Primitive& b) {
  return a.name() == b.name() && attributes_of(a) == attributes_of(b);
}

}  // namespace xtgrad::v1::detail
