// Faults put into the rules one at a time: the derivative check of the operation must notice every one.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/autograd/ops/mutations.h"

namespace xtgrad::inline v1::testing { namespace {

void check_mutations(OpId id) {
  const MutationReport report = mutate(id);
  for (const std::string& survivor : report.survivors) FAIL_CHECK(survivor);
  std::size_t faults = 0;
  for (const MutationCounts& counts : report.counts) faults += counts.seen + counts.equivalent;
  // Only functions without any gradient have no fault to try.
  static const std::set<OpId> without = {OpId::sign,  OpId::floor, OpId::ceil,
                                         OpId::round, OpId::trunc, OpId::floor_divide};
  CHECK_MESSAGE((faults + report.survivors.size() > 0) == !without.contains(id), detail::to_string(id), ": ",
                faults, " faults were tried");
}

#define XTGRAD_PRIMITIVE(name, family) \
  TEST_CASE("op mutations of " #name) { check_mutations(OpId::name); }
#define XTGRAD_COMPOSITE(name, family)
#define XTGRAD_CONSTANT(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT

}}  // namespace xtgrad::testing
