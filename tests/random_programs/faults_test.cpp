// The checks can fail: operations with one fault each are found in programs, and shrunk to a few steps.
#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <string>

#include "tests/autograd/testing/faulty_operations.h"
#include "tests/random_programs/generate.h"
#include "tests/random_programs/series.h"
#include "tests/support/op_samples.h"
#include "tests/support/rule_mutation.h"
#include "tests/support/share.h"
#include "xtgrad/autograd/core/trace.h"

namespace xtgrad::random_programs { namespace {

using testing::RuleMutation;
using testing::faulty::Cube;
using testing::faulty::Faults;

constexpr std::uint64_t tries = 30;

/// The seed of the first program, with that row in it, that the check finds wrong.
std::optional<std::uint64_t> found_at(const GenerateOptions& options, Check which) {
  for (std::uint64_t seed = 0; seed < tries; ++seed) {
    if (!check(generate(seed, options), which, seed).failure.empty()) return seed;
  }
  return std::nullopt;
}

bool has_row(const Program& program, const Row& row) {
  for (const Step& step : program.steps) {
    if (step.row == &row) return true;
  }
  return false;
}

/// Found by the check, and small when shrunk.
void finds(const Row& row, Check which) {
  const std::string name = row.cpp;
  CAPTURE(name);
  const GenerateOptions options{.most_steps = 20, .with = &row};
  const std::optional<std::uint64_t> seed = found_at(options, which);
  REQUIRE(seed);
  const Program small = smallest_that_fails(generate(*seed, options), which, *seed);
  const std::string text = to_text(small);
  CAPTURE(text);
  CHECK(has_row(small, row));
  CHECK(small.steps.size() <= 3);
  CHECK_FALSE(check(small, which, *seed).failure.empty());
}

Row cube_row(const Faults& faults) {
  return {.op = "cube",
          .operands = parse_operands("* in -2 2"),
          .python = "a ** 3",
          .cpp = "cube(a)",
          .apply = [faults](const Call& call) { return xtgrad::run(Cube(faults), std::span(&call.a, 1)); }};
}

TEST_CASE("random programs find nothing in an honest operation of somebody else's") {
  const Row row = cube_row({});
  for (const Check which : all_checks) {
    CAPTURE(to_string(which));
    CHECK_FALSE(found_at({.most_steps = 20, .with = &row}, which));
  }
}

TEST_CASE("random programs find a value that is wrong in one dtype") {
  finds(cube_row(
            {.value =
                 [](const testing::faulty::Element& e) { return e.dtype == float32 ? e.y * 1.001 : e.y; }}),
        Check::precision);
}

TEST_CASE("random programs find an operation that overwrites what it still reads") {
  finds(cube_row({.overwrites = true}), Check::replay);
}

TEST_CASE("random programs find a gradient that is wrong, and one that is right and has a wrong gradient") {
  finds(
      cube_row({.gradient = [](const Tensor&, const Tensor&, const Tensor& right) { return right * 1.001; }}),
      Check::gradient);
  finds(cube_row({.gradient = [](const Tensor& g, const Tensor& x,
                                 const Tensor&) { return g * square(x.detach()) * 3; }}),
        Check::second);
}

TEST_CASE("random programs find a value that is not the same when it is computed again") {
  int calls = 0;
  const auto drifting = [&calls](const testing::faulty::Element& e) {
    return e.y * (1 + 0x1p-50 * (++calls % 7));
  };
  finds(cube_row({.value = drifting}), Check::again);
  finds(cube_row({.value = drifting}), Check::replay);
}

/// Whether the program's forward runs the primitive, be it in a composite.
bool runs(const Program& program, std::string_view primitive) {
  detail::Tracer tracer;
  static_cast<void>(run(program, leaves_of(program, float64, false), float64));
  for (const detail::TracedStep& step : tracer.trace().steps) {
    if (step.primitive->name() == primitive) return true;
  }
  return false;
}

/// Rows by the primitive that they are named for, the first of each.
std::vector<const Row*> rows_of_primitives() {
  std::vector<const Row*> rows;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < static_cast<std::size_t>(detail::OpId::count_); ++i) {
    const auto id = static_cast<detail::OpId>(i);
    if (testing::kind_of(id) != testing::Kind::primitive) continue;
    for (const Row& row : all_rows()) {
      if (row.op == detail::to_string(id) && seen.insert(row.op).second) rows.push_back(&row);
    }
  }
  return rows;
}

TEST_CASE("random programs find a factor of 1.001 in the rule of every primitive, and name it") {
  // What has no gradient to spoil: steps, and conversions of what is none of the floating numbers.
  const std::set<std::string> without{"sign", "floor", "ceil", "round", "trunc", "floor_divide", "cast"};
  const testing::Share part = testing::share();
  std::size_t number = 0, found = 0;
  for (const Row* row : rows_of_primitives()) {
    if (!part.has(number++) || without.contains(row->op)) continue;
    CAPTURE(row->op);
    // An input of the row's that is differentiable: the first, or the one behind a mask.
    const std::size_t input = row->operands[0].role == Role::floating ? 0 : 1;
    const RuleMutation fault({.op = row->op, .kind = RuleMutation::Kind::factor, .input = input});
    const GenerateOptions options{.most_steps = 20, .with = row};
    const std::optional<std::uint64_t> seed = found_at(options, Check::gradient);
    CHECK(seed);
    found += seed ? 1 : 0;
    // Shrinking takes longer than finding.
    if (!seed || number % 8 != 0) continue;
    const Program small = smallest_that_fails(generate(*seed, options), Check::gradient, *seed);
    const std::string text = to_text(small);
    CAPTURE(text);
    CHECK(small.steps.size() <= 3);
    CHECK(runs(small, row->op));
  }
  CHECK(found + without.size() >= part.least_of(rows_of_primitives().size()));
}

}}  // namespace xtgrad::random_programs
