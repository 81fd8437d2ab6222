#include "xtgrad/autograd/core/known_primitives.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <typeinfo>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

/// Puts given values in the place of a primitive's own.
class Setter final : public Attributes {
 public:
  explicit Setter(const std::vector<NamedAttribute>& values) : values_(values) {}

  /// The attribute that was set last, in quotes, for who finds that it did not fit.
  [[nodiscard]] std::string last() const { return fmt::format("attribute \"{}\"", last_); }
  [[nodiscard]] const std::string& missing() const { return missing_; }

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool) override {
    last_ = name;
    const auto found = std::ranges::find(values_, name, &NamedAttribute::name);
    if (found == values_.end()) {
      if (missing_.empty()) missing_ = name;
      return false;
    }
    value = found->value;
    return true;
  }

 private:
  const std::vector<NamedAttribute>& values_;
  std::string last_, missing_;
};

bool same_class(const Primitive& a, const Primitive& b) { return typeid(a) == typeid(b); }

std::string first_difference(const Primitive& made, const std::vector<NamedAttribute>& wanted) {
  const std::vector<NamedAttribute> has = attributes_of(made);
  for (const NamedAttribute& want : wanted) {
    const auto found = std::ranges::find(has, want.name, &NamedAttribute::name);
    if (found == has.end()) return fmt::format("there is no attribute \"{}\"", want.name);
    if (!(*found == want)) {
      return fmt::format("attribute \"{}\" cannot be {}, it becomes {}", want.name, exact_text(want.value),
                         exact_text(found->value));
    }
  }
  if (has.size() != wanted.size())
    return fmt::format("there are {} attributes, got {}", has.size(), wanted.size());
  return {};
}

/// Why a primitive of the class cannot have the attributes; none if it has them now.
std::string describe_over(PrimitiveCopy& made, const std::vector<NamedAttribute>& attributes) {
  Setter setter(attributes);
  try {
    const_cast<Primitive&>(*made).describe(setter);
  } catch (const std::bad_variant_access&) {
    return setter.last() + " is of another kind";
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return fmt::format("{}: {}", setter.last(), error.what());
  }
  if (!setter.missing().empty()) return fmt::format("attribute \"{}\" is missing", setter.missing());
  return first_difference(*made, attributes);
}

}  // namespace

KnownPrimitives::KnownPrimitives() {
  const auto add = [](void* self, const KnownPrimitive& known) {
    auto& names = static_cast<KnownPrimitives*>(self)->by_name_;
    names[std::string(PrimitiveCopy(known)->name())].push_back(&known);
  };
  KnownPrimitive::for_each(add, this);
}

KnownPrimitives::Made KnownPrimitives::make(std::string_view name,
                                            const std::vector<NamedAttribute>& attributes) const {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end()) return {std::nullopt, "no operation of that name is known here"};
  Made result{std::nullopt, {}};
  for (const KnownPrimitive* known : found->second) {
    PrimitiveCopy made(*known);
    std::string refusal = describe_over(made, attributes);
    if (!refusal.empty()) {
      if (!result.primitive) result.refusal = std::move(refusal);
      continue;
    }
    // Two libraries may have a copy each of one class.
    if (result.primitive && !same_class(**result.primitive, *made))
      return {std::nullopt, "two operations have that name and these attributes"};
    result = {std::move(made), {}};
  }
  return result;
}

std::string KnownPrimitives::refusal_of(const Primitive& primitive) const {
  const Made made = make(primitive.name(), attributes_of(primitive));
  if (!made.primitive) return made.refusal;
  if (!same_class(**made.primitive, primitive))
    return "an operation of another class has that name and these attributes";
  return {};
}

}  // namespace xtgrad::v1::detail
