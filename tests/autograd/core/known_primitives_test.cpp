// Primitives by name and attributes: what is made so is what was named.
#include "xtgrad/autograd/core/known_primitives.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <typeinfo>
#include <vector>

#include "xtgrad/autograd/program_file/families.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using detail::attributes_of;
using detail::KnownPrimitive;
using detail::KnownPrimitives;
using detail::NamedAttribute;
using detail::PrimitiveCopy;

std::string text_of(const std::vector<NamedAttribute>& attributes) {
  std::string text;
  for (const NamedAttribute& each : attributes)
    text += each.name + "=" + detail::exact_text(each.value) + " ";
  return text;
}

TEST_CASE("each known primitive is made from its own name and attributes, and no other is") {
  detail::mention_families();
  const KnownPrimitives known;
  std::size_t count = 0;
  for (const auto& [name, classes] : known.by_name()) {
    CAPTURE(name);
    CHECK_FALSE(name.empty());
    for (const KnownPrimitive* each : classes) {
      ++count;
      const PrimitiveCopy made(*each);
      const std::vector<NamedAttribute> attributes = attributes_of(*made);
      CAPTURE(text_of(attributes));
      // Describing has left it as it was.
      CHECK(attributes_of(*made) == attributes);
      const KnownPrimitives::Made again = known.make(name, attributes);
      CHECK_MESSAGE(again.primitive.has_value(), again.refusal);
      if (again.primitive) CHECK(typeid(**again.primitive) == typeid(*made));
      CHECK(known.refusal_of(*made).empty());
    }
  }
  // Of each operation's primitive, its rules and what they differentiate into.
  CHECK(known.by_name().size() > 150);
  CHECK(count >= known.by_name().size());
}

TEST_CASE("two classes of one name are told apart by attributes that no object changes") {
  detail::mention_families();
  const KnownPrimitives known;
  std::size_t pairs = 0;
  for (const auto& [name, classes] : known.by_name()) {
    for (std::size_t a = 0; a < classes.size(); ++a) {
      for (std::size_t b = 0; b < classes.size(); ++b) {
        const PrimitiveCopy one(*classes[a]), other(*classes[b]);
        if (a == b || typeid(*one) == typeid(*other)) continue;
        ++pairs;
        CAPTURE(name);
        CHECK_FALSE(detail::same_primitive(*one, *other));
        // Each of one's attributes is put into the other: some do not take.
        std::vector<NamedAttribute> both = attributes_of(*one);
        class Setter final : public Attributes {
         public:
          explicit Setter(const std::vector<NamedAttribute>& values) : values_(values) {}

         protected:
          bool visit(std::string_view attribute, AttributeValue& value, bool) override {
            for (const NamedAttribute& each : values_) {
              if (each.name == attribute) value = each.value;
            }
            return true;
          }

         private:
          const std::vector<NamedAttribute>& values_;
        } setter(both);
        const_cast<Primitive&>(*other).describe(setter);
        CHECK_FALSE(attributes_of(*other) == both);
      }
    }
  }
  CHECK(pairs > 0);
}

TEST_CASE("attributes that a primitive cannot have are refused by name") {
  detail::mention_families();
  const KnownPrimitives known;
  const auto refusal = [&](std::string_view name, const std::vector<NamedAttribute>& attributes) {
    const KnownPrimitives::Made made = known.make(name, attributes);
    CHECK_FALSE(made.primitive.has_value());
    return made.refusal;
  };
  const NamedAttribute keeps{"keepdim", false};
  CHECK(refusal("no_such", {}) == "no operation of that name is known here");
  CHECK(refusal("sum", {keeps}) == "attribute \"axes\" is missing");
  CHECK(refusal("sum", {{"axes", std::string("all")}, keeps}) == "attribute \"axes\" is of another kind");
  CHECK(refusal("sum", {{"axes", std::vector<std::int64_t>{0, 0}}, keeps}) ==
        "attribute \"axes\" cannot be [0,0], it becomes [0]");
  CHECK(refusal("sum", {{"axes", std::vector<std::int64_t>{40}}, keeps}) ==
        "attribute \"axes\": axis 40 is no dimension, of which there are at most 8");
  CHECK(refusal("sum", {{"axes", std::vector<std::int64_t>{0}}, keeps, {"more", true}}) ==
        "there is no attribute \"more\"");
  CHECK(refusal("cast", {{"dtype", std::string("float8")}}).starts_with("attribute \"dtype\": "));
  CHECK(refusal("reshape", {{"shape", std::vector<std::int64_t>{2}}}) ==
        "no operation of that name is known here");  // which makes nothing
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {0.0, -0.0, 0.1, nan, -nan, std::numeric_limits<double>::denorm_min()}) {
    const KnownPrimitives::Made made = known.make("leaky_relu", {{"slope", value}});
    REQUIRE(made.primitive.has_value());
    CHECK(attributes_of(**made.primitive)[0] == NamedAttribute{"slope", value});
  }
}

}}  // namespace xtgrad
