// What programs are made of: every operation of the registry, or a reason.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/random_programs/generate.h"
#include "tests/support/op_samples.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::random_programs { namespace {

/// Names of the primitives that a step runs.
std::set<std::string> primitives_of(const Step& step, const std::vector<Tensor>& values) {
  detail::Tracer tracer;
  static_cast<void>(run_step(step, values, float64));
  std::set<std::string> names;
  for (const detail::TracedStep& traced : tracer.trace().steps) names.emplace(traced.primitive->name());
  return names;
}

TEST_CASE("every operation of the registry is in steps.def, or has a reason not to be") {
  std::set<std::string> here, without;
  for (const Row& row : all_rows()) here.insert(row.op);
  for (const NoStep& none : without_rows()) {
    CAPTURE(none.op);
    CHECK_FALSE(none.reason.empty());
    CHECK(without.insert(none.op).second);
  }
  std::set<std::string> all;
  for (std::size_t i = 0; i < static_cast<std::size_t>(detail::OpId::count_); ++i) {
    const std::string name(detail::to_string(static_cast<detail::OpId>(i)));
    all.insert(name);
    CAPTURE(name);
    CHECK(here.contains(name) != without.contains(name));
  }
  for (const std::string& name : here) CHECK_MESSAGE(all.contains(name), name);
  for (const std::string& name : without) CHECK_MESSAGE(all.contains(name), name);
}

TEST_CASE("five hundred programs use every line of steps.def, and each runs the operation that it names") {
  std::map<const Row*, std::size_t> used;
  std::set<std::string> primitives;
  for (std::size_t i = 0; i < static_cast<std::size_t>(detail::OpId::count_); ++i) {
    const auto id = static_cast<detail::OpId>(i);
    if (testing::kind_of(id) == testing::Kind::primitive) primitives.emplace(detail::to_string(id));
  }
  std::set<const Row*> run_by;  // rows that were seen to run the primitive of their name
  std::size_t steps = 0;
  const NoGrad no_grad;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Program program = generate(seed);
    std::vector<Tensor> values = leaves_of(program, float64, false);
    for (const Step& step : program.steps) {
      ++steps;
      ++used[step.row];
      // Not in each step: a sum to the shape that is there already is none.
      if (!run_by.contains(step.row) && primitives_of(step, values).contains(step.row->op))
        run_by.insert(step.row);
      values.push_back(run_step(step, values, float64));
    }
  }
  for (const Row& row : all_rows()) {
    CAPTURE(row.cpp);
    CHECK(used[&row] > 0);
    if (primitives.contains(row.op)) CHECK(run_by.contains(&row));
  }
  CHECK(run_by.size() > 180);
  CHECK(steps > 5000);
}

TEST_CASE("a seed gives one program") {
  CHECK(to_cpp(generate(7)) == to_cpp(generate(7)));
  CHECK(to_cpp(generate(7)) != to_cpp(generate(8)));
}

TEST_CASE("operands are refused that say nothing") {
  CHECK_THROWS_AS(static_cast<void>(parse_operands("* in 1")), std::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(parse_operands("mask")), std::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(parse_operands("* sometimes")), std::invalid_argument);
  const std::vector<Operand> two = parse_operands("ij in -1 2; index M <3");
  REQUIRE(two.size() == 2);
  CHECK(two[0].range->first == -1);
  CHECK(two[1].role == Role::index);
  CHECK(two[1].below == 3);
}

}}  // namespace xtgrad::random_programs
