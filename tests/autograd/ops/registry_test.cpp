// The walk over ops.def: one test case for each operation, so that a failure names it.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/autograd/ops/op_walk.h"

namespace xtgrad::inline v1::testing { namespace {

/// A check that one operation cannot pass, and why. The page of supported operations prints these.
struct Exemption {
  OpId op;
  Check check;
  const char* reason;
};

// None so far.
const std::vector<Exemption> exemptions = {};

bool is_exempt(OpId op, Check check) {
  return std::any_of(exemptions.begin(), exemptions.end(),
                     [&](const Exemption& e) { return e.op == op && e.check == check; });
}

/// What is wrong with a table of exemptions: too many, without a reason, or no longer needed.
std::vector<std::string> faults_of(const std::vector<Exemption>& table) {
  constexpr std::size_t most = 5;
  std::vector<std::string> faults;
  if (table.size() > most) faults.push_back(fmt::format("{} exemptions, {} are allowed", table.size(), most));
  for (const Exemption& e : table) {
    const std::string row = fmt::format("{}, {}", detail::to_string(e.op), to_string(e.check));
    if (std::string_view(e.reason).empty()) faults.push_back(row + ": no reason is given");
    if (findings_of(describe(e.op), e.check).empty())
      faults.push_back(row + ": the check passes, the exemption can go");
  }
  return faults;
}

/// Another walk over the same samples: XTGRAD_WALK_SALT, a number, draws other inputs.
std::uint64_t salt_from_environment() {
  const char* salt = std::getenv("XTGRAD_WALK_SALT");
  return salt == nullptr ? 0 : std::strtoull(salt, nullptr, 10);
}

void walk(OpId id) {
  Op op = describe(id);
  op.salt = salt_from_environment();
  for (const Check check : all_checks) {
    const std::string name(to_string(check));
    SUBCASE(name.c_str()) {
      if (is_exempt(id, check)) return;
      for (const std::string& finding : findings_of(op, check)) FAIL_CHECK(finding);
    }
  }
}

#define XTGRAD_PRIMITIVE(name, family) \
  TEST_CASE("op " #name) { walk(OpId::name); }
#define XTGRAD_COMPOSITE(name, family) XTGRAD_PRIMITIVE(name, family)
#define XTGRAD_CONSTANT(name, family) XTGRAD_PRIMITIVE(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT

TEST_CASE("op exemptions are few, explained and needed") {
  for (const std::string& fault : faults_of(exemptions)) FAIL_CHECK(fault);
  CHECK(faults_of({{OpId::neg, Check::adjoint, "because"}}) ==
        std::vector<std::string>{"neg, adjoint: the check passes, the exemption can go"});
  CHECK(faults_of({{OpId::neg, Check::adjoint, ""}})[0] == "neg, adjoint: no reason is given");
  CHECK(faults_of(std::vector<Exemption>(6, {OpId::neg, Check::adjoint, "because"}))[0] ==
        "6 exemptions, 5 are allowed");
}

/// They take every dtype and any shape, or two shapes that broadcast, which the walk spoils.
bool takes_all_there_is(OpId id) {
  const std::set<OpId> ones = {OpId::nan_to_num,  OpId::isnan, OpId::isinf,  OpId::isfinite,
                               OpId::logical_not, OpId::alias, OpId::nonzero};
  const std::set<OpId> pairs = {OpId::logical_and, OpId::logical_or, OpId::logical_xor,
                                OpId::equal,       OpId::not_equal,  OpId::less,
                                OpId::less_equal,  OpId::greater,    OpId::greater_equal};
  return ones.contains(id) || pairs.contains(id);
}

TEST_CASE("op samples refuse something: a dtype, which the walk tries, or a call of their own") {
  const auto check = [](OpId id, std::string_view name) {
    const Op op = describe(id);
    const bool refuses = !op.bad_calls.empty() || op.accepts != Accepts::everything;
    CHECK_MESSAGE(refuses != takes_all_there_is(id), name);
  };
#define XTGRAD_PRIMITIVE(name, family) check(OpId::name, #name);
#define XTGRAD_COMPOSITE(name, family) XTGRAD_PRIMITIVE(name, family)
#define XTGRAD_CONSTANT(name, family) XTGRAD_PRIMITIVE(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
}

TEST_CASE("op without samples is found") {
  const std::vector<std::string> found =
      findings_of(Op(OpId::tanh), Check::recorded);  // nothing was described
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("tanh(), recorded: has 0 registrations of samples, needs one") == 0);
}

}}  // namespace xtgrad::testing
