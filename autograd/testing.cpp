#include "xtgrad/autograd/testing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::testing {
namespace {

std::size_t offset_of(const Shape& shape, const Index& index) {
  if (index.size() != shape.rank()) throw std::logic_error("Values: an index of another rank");
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (index[d] < 0 || index[d] >= shape[d]) throw std::logic_error("Values: an index out of range");
    offset = offset * shape[d] + index[d];
  }
  return static_cast<std::size_t>(offset);
}

template <class T>
std::vector<double> nasty_numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<double> values = {0,
                                1,
                                0.5,
                                2,
                                3,
                                T(1e-3),
                                40,
                                1000,
                                Limits::denorm_min(),
                                Limits::min(),
                                Limits::max(),
                                std::numeric_limits<double>::infinity()};
  const std::size_t n = values.size();
  for (std::size_t i = 0; i < n; ++i) values.push_back(-values[i]);
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  return values;
}

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

/// What points are given in.
constexpr Dtype widest = float64;

/// What no check can do without.
void validate(const Operation& operation) {
  const auto refuse = [](const std::string& what) { throw ValueError("check_operation: " + what); };
  if (operation.name.empty()) refuse("an operation needs a name");
  if (!operation.apply) refuse(operation.name + " needs a function `apply`");
  const auto is_needed = [](Dtype dtype) { return is_floating(dtype); };
  if (std::none_of(operation.dtypes.begin(), operation.dtypes.end(), is_needed)) {
    refuse(operation.name + " needs float32 or float64 among its dtypes");
  }
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    const Tensor& input = operation.inputs[i];
    if (!input.defined()) refuse(fmt::format("{}: input {} is an empty handle", operation.name, i));
    if (is_floating(input.dtype()) && input.dtype() != widest) {
      refuse(fmt::format("{}: input {} must be {} to be converted to each dtype, got {}", operation.name, i,
                         to_string(widest), to_string(input.dtype())));
    }
  }
}

}  // namespace

Real Values::at(const Index& index) const { return data[offset_of(shape, index)]; }
Real& Values::at(const Index& index) { return data[offset_of(shape, index)]; }

std::vector<double> nasty_values(Dtype dtype) {
  return detail::visit(dtype, [](auto zero) -> std::vector<double> {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) {
      return nasty_numbers<T>();
    } else if constexpr (std::is_same_v<T, bool>) {
      return {0, 1};
    } else if constexpr (std::is_unsigned_v<T>) {
      return {0, 1, 2, 127, 128, 255};
    } else if constexpr (sizeof(T) < sizeof(std::int64_t)) {
      return {0, 1, -1, 2, -3, 1 << 20, 0x1p31 - 1, -0x1p31};
    } else {
      return {0, 1, -1, 2, -3, 1 << 20, -(1 << 20), 0x1p31, -0x1p31};
    }
  });
}

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

Report check_operation(const Operation& operation, Check which) {
  validate(operation);
  detail::checks::Subject subject(operation, which);
  try {
    make(which, subject);
  } catch (const std::exception& error) {
    subject.fail(fmt::format("threw \"{}\"", error.what()));
  }
  return {subject.take_failures()};
}

Report check_operation(const Operation& operation) {
  Report report;
  for (const Check which : all_checks) {
    for (std::string& failure : check_operation(operation, which).failures)
      report.failures.push_back(std::move(failure));
  }
  return report;
}

}  // namespace xtgrad::v1::testing
