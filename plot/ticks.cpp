#include "xtgrad/plot/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

constexpr std::array<int, 3> steps{1, 2, 5};

/// digit times ten to the `exponent`. A division for negative exponents: 0.1 has no exact double, but 3/10.0
/// is the double nearest to 0.3, where 3 * 0.1 is not.
double decimal(double digit, int exponent) {
  return exponent < 0 ? digit / std::pow(10.0, -exponent) : digit * std::pow(10.0, exponent);
}

void check(std::string_view function, const Range& range, const TickOptions& options) {
  constexpr double largest = 1e300;
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  // Ticks closer than this could not be told apart in a double; the limits also keep every power finite.
  if (!(size <= largest) || !(range.high / 2 - range.low / 2 >= std::max(size * 1e-12, 1 / largest))) {
    throw ValueError(fmt::format("{}: low must be clearly below high: low is {}, high is {}", function,
                                 range.low, range.high));
  }
  if (options.max_count < 3) {
    throw ValueError(fmt::format("{}: needs room for 3 ticks: max_count is {}", function, options.max_count));
  }
}

/// Sign and exponent in Unicode's superscripts.
std::string superscript(int exponent) {
  constexpr std::array<std::string_view, 10> digits{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "⁻" : "";
  for (const char digit : fmt::format("{}", std::abs(exponent)))
    text += digits[static_cast<unsigned>(digit - '0')];
  return text;
}

/// "2.5×10⁻⁵", and "10⁻⁵" for a power itself.
std::string in_powers(double value) {
  int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  // Three digits, so that what division and logarithm left of 2.0000001 does not show.
  std::string factor = fmt::format("{:.3g}", value / std::pow(10.0, exponent));
  if (factor == "10" || factor == "-10") {
    factor.pop_back();
    ++exponent;
  }
  const std::string power = "10" + superscript(exponent);
  if (factor == "1") return power;
  if (factor == "-1") return "−" + power;
  return factor + "×" + power;
}

/// With a minus sign rather than a hyphen.
std::string with_minus(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

constexpr double slack = 1 + 1e-9;  // of a logarithmic range: its ends are ticks up to rounding

/// 1, 2 and 5 times every power of ten, from the last at or below the low end to the first at or above the
/// high one.
std::vector<double> decade_steps(const Range& range, int first_decade) {
  std::vector<double> ticks;
  for (int decade = first_decade;; ++decade) {
    for (const int step : steps) {
      const double tick = decimal(step, decade);
      if (tick <= range.low * slack) ticks.clear();
      ticks.push_back(tick);
      if (tick >= range.high / slack) return ticks;
    }
  }
}

bool needs_powers(double magnitude) { return magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e5); }

}  // namespace

std::vector<double> linear_ticks(const Range& range, const TickOptions& options) {
  check("linear_ticks", range, options);
  // Halves, for the distance of two doubles need not be a double.
  const double half_span = range.high / 2 - range.low / 2;
  int exponent = static_cast<int>(std::floor(std::log10(half_span / options.max_count)));
  if (options.whole_numbers) exponent = std::max(exponent, 0);
  for (;; ++exponent) {
    for (const int step : steps) {
      const double size = decimal(step, exponent);
      // A range that ends on a tick up to rounding needs none beyond it.
      const double first = std::floor(range.low / size + 1e-9);
      const double last = std::ceil(range.high / size - 1e-9);
      if (last - first + 1 > options.max_count) continue;
      std::vector<double> ticks;
      for (double i = first; i <= last; ++i) ticks.push_back(decimal(i * step, exponent));
      return ticks;
    }
  }
}

std::vector<double> log_ticks(const Range& range, const TickOptions& options) {
  check("log_ticks", range, options);
  if (range.low <= 0) {
    throw ValueError(fmt::format("log_ticks: a logarithmic axis begins above zero: low is {}", range.low));
  }
  const int first_decade = static_cast<int>(std::floor(std::log10(range.low * slack)));
  const int last_decade = static_cast<int>(std::ceil(std::log10(range.high / slack)));
  std::vector<double> ticks = decade_steps(range, first_decade);
  if (static_cast<int>(ticks.size()) <= options.max_count) {
    const auto inside = std::ranges::count_if(
        ticks, [&](double tick) { return tick >= range.low / slack && tick <= range.high * slack; });
    if (inside >= 2) return ticks;
    std::vector<double> linear = linear_ticks(range, options);
    return linear.front() > 0 ? linear : ticks;
  }

  const int decades = last_decade - first_decade;
  const int stride = std::max(1, (decades + options.max_count - 2) / (options.max_count - 1));
  ticks.clear();
  for (int decade = first_decade;; decade += stride) {
    ticks.push_back(decimal(1, decade));
    if (decade >= last_decade) return ticks;
  }
}

std::string short_number(double value) {
  if (!std::isfinite(value)) return with_minus(fmt::format("{}", value));
  if (needs_powers(std::abs(value))) return with_minus(in_powers(value));
  // Not "1.23e+04" for 12345.
  return with_minus(std::abs(value) < 999.5 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value));
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  double largest = 0;
  double distance = 0;
  for (const double tick : ticks) largest = std::max(largest, std::abs(tick));
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    const double step = ticks[i] - ticks[i - 1];
    if (step > 0 && (distance == 0 || step < distance)) distance = step;
  }
  std::vector<std::string> labels;
  // Powers of ten show three digits, which must be enough to tell neighbours apart.
  const bool powers = needs_powers(largest) && distance > largest / 1000;
  for (const double tick : ticks) {
    if (powers) {
      labels.push_back(tick == 0 ? "0" : with_minus(in_powers(tick)));
      continue;
    }
    const int decimals =
        distance > 0 ? std::max(0, static_cast<int>(-std::floor(std::log10(distance) + 1e-9))) : 0;
    labels.push_back(with_minus(fmt::format("{:.{}f}", tick + 0.0, decimals)));
  }
  return labels;
}

std::vector<std::string> short_labels(const std::vector<double>& values) {
  std::vector<std::string> labels;
  for (const double value : values) labels.push_back(short_number(value));
  // Three digits do not tell 100.1 from 100.3.
  const bool equal = std::ranges::adjacent_find(labels) != labels.end();
  return equal ? tick_labels(values) : labels;
}

}  // namespace xtgrad::v1::plot::detail
