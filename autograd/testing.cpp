#include "xtgrad/autograd/testing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::testing {
namespace {

void make(Check check, detail::checks::Subject& subject) {
  using namespace detail::checks;
  switch (check) {
    case Check::recorded:
      return check_recorded(subject);
    case Check::values:
      return check_values(subject);
    case Check::nasty:
      return check_nasty(subject);
    case Check::exact:
      return check_exact(subject);
    case Check::derivatives:
      return check_derivatives(subject);
    case Check::evaluators:
      return check_evaluators(subject);
    case Check::adjoint:
      return check_adjoint(subject);
    case Check::sizes:
      return check_sizes(subject);
    case Check::errors:
      return check_errors(subject);
    case Check::release:
      return check_release(subject);
    case Check::again:
      return check_again(subject);
  }
}

/// What no check can do without.
void validate(const Operation& operation) {
  const auto refuse = [](const std::string& what) { throw ValueError("testing::check: " + what); };
  if (operation.name.empty()) refuse("an operation needs a name");
  if (!operation.apply) refuse(operation.name + " needs a function `apply`");
  const auto is_needed = [](Dtype dtype) { return is_floating(dtype); };
  if (std::none_of(operation.dtypes.begin(), operation.dtypes.end(), is_needed)) {
    refuse(operation.name + " needs float32 or float64 among its dtypes");
  }
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    const Tensor& input = operation.inputs[i];
    if (!input.defined()) refuse(fmt::format("{}: input {} is an empty handle", operation.name, i));
    if (input.dtype() == float32) {
      refuse(fmt::format("{}: input {} must be float64 to be converted to each dtype, got float32",
                         operation.name, i));
    }
  }
}

}  // namespace

std::string_view to_string(Check check) {
  switch (check) {
    case Check::recorded:
      return "recorded";
    case Check::values:
      return "values";
    case Check::nasty:
      return "nasty values";
    case Check::exact:
      return "exact points";
    case Check::derivatives:
      return "derivatives";
    case Check::evaluators:
      return "evaluators";
    case Check::adjoint:
      return "adjoint";
    case Check::sizes:
      return "sizes";
    case Check::errors:
      return "errors";
    case Check::release:
      return "release";
    case Check::again:
      return "again";
  }
  return "?";
}

std::string Report::text() const { return fmt::format("{}", fmt::join(failures, "\n")); }

Report check(const Operation& operation, Check which) {
  validate(operation);
  detail::checks::Subject subject(operation, which);
  try {
    make(which, subject);
  } catch (const std::exception& error) {
    subject.fail(fmt::format("threw \"{}\"", error.what()));
  }
  return {subject.take_failures()};
}

Report check(const Operation& operation) {
  Report report;
  for (const Check which : all_checks) {
    for (std::string& failure : check(operation, which).failures)
      report.failures.push_back(std::move(failure));
  }
  return report;
}

}  // namespace xtgrad::v1::testing
