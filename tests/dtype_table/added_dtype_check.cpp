// The table with a line more than the library's: what is made from it knows the added dtype, and what lists
// the dtypes that it serves throws for it. A program of its own, for to the rest of the library Dtype is
// another type.
#include <doctest/doctest.h>

#include <type_traits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

// Its place is node.cpp, which needs all of the library.
thread_local constinit ThreadState thread_state;

namespace {

static_assert(static_cast<int>(brain16) == static_cast<int>(float64) + 1);
static_assert(item_size(brain16) == 2);
static_assert(is_floating(brain16) && !is_integer(brain16) && kind_of(brain16) == DtypeKind::floating);
static_assert(kind_of(static_cast<Dtype>(99)) == DtypeKind::none);
static_assert(dtype_of<Brain16> == brain16);
static_assert(std::is_same_v<Arithmetic<Brain16>, float>);
// No type but those of the table has a dtype.
static_assert(ElementType<Brain16> && !ElementType<short> && !ElementType<long double> &&
              !ElementType<const float>);
// No list has grown.
static_assert(!FloatingTypes::contains(brain16) && !NumericTypes::contains(brain16));
static_assert(!IntegerTypes::contains(brain16) && !IndexTypes::contains(brain16));
static_assert(ElementTypes<Brain16, float>::contains(brain16));

const auto size = [](auto zero) { return sizeof(zero); };

TEST_CASE("an added dtype has a name, and the name gives it back") {
  CHECK(to_string(brain16) == "brain16");
  CHECK(parse_dtype("brain16") == brain16);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(parse_dtype("brain")),
      "parse_dtype: unknown dtype \"brain\": known are bool, uint8, int32, int64, float32, float64, brain16",
      DtypeError);
}

TEST_CASE("an added dtype is visited as itself, never as another") {
  CHECK(visit(brain16, [](auto zero) { return std::is_same_v<decltype(zero), Brain16>; }));
  CHECK(visit(float32, [](auto zero) { return std::is_same_v<decltype(zero), float>; }));
  CHECK(visit_listed<ElementTypes<Brain16>>(brain16, size) == 2);
}

TEST_CASE("a function that does not list an added dtype throws") {
  CHECK_THROWS_WITH_AS(static_cast<void>(visit_floating(brain16, size)),
                       "visit: brain16 is not served here, only float32, float64", InternalError);
  CHECK_THROWS_WITH_AS(static_cast<void>(visit_numeric(brain16, size)),
                       "visit: brain16 is not served here, only int64, float32, float64", InternalError);
  CHECK_THROWS_AS(static_cast<void>(visit_listed<IntegerTypes>(brain16, size)), InternalError);
}

}  // namespace
}  // namespace xtgrad::v1::detail
