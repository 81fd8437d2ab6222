#include "xtgrad/optim/checks.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::optim::detail {
namespace {

void check_given(std::string_view optimizer, std::string_view option, const Hyper& value) {
  if (value.is_set()) return;
  throw ValueError(fmt::format("{}: {} is required, and was not given", optimizer, option));
}

}  // namespace

void check_not_negative(std::string_view optimizer, std::string_view option, const Hyper& value) {
  check_given(optimizer, option, value);
  const double number = value.value();
  if (number >= 0 && std::isfinite(number)) return;
  throw ValueError(fmt::format("{}: {} must be finite and at least 0: got {}", optimizer, option, number));
}

void check_decay_rate(std::string_view optimizer, std::string_view option, const Hyper& value) {
  check_given(optimizer, option, value);
  const double number = value.value();
  if (number >= 0 && number < 1) return;
  throw ValueError(
      fmt::format("{}: {} must be at least 0 and less than 1: got {}", optimizer, option, number));
}

void check_finite(std::string_view optimizer, std::string_view option, const Hyper& value) {
  check_given(optimizer, option, value);
  const double number = value.value();
  if (std::isfinite(number)) return;
  throw ValueError(fmt::format("{}: {} must be finite: got {}", optimizer, option, number));
}

}  // namespace xtgrad::v1::optim::detail
