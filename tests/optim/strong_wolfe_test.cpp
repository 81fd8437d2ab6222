// The line search alone, on functions of one number.

#include "xtgrad/optim/strong_wolfe.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/values.h"

namespace xtgrad { namespace {

using optim::detail::LinePoint;
using optim::detail::strong_wolfe;
using optim::detail::WolfeResult;
using testing::infinity;
using testing::not_a_number;

/// f(t) is a pair of value and slope.
template <class F>
WolfeResult search(const F& f, double first, double least_change = 1e-9) {
  std::vector<double> tried;
  const auto at = [&](double t) {
    tried.push_back(t);
    const auto [value, slope] = f(t);
    return LinePoint{t, value, slope, {}};
  };
  const LinePoint start = at(0);
  tried.clear();
  const WolfeResult result =
      strong_wolfe(at, start, {.first_length = first, .least_change = least_change, .direction_size = 1});
  CHECK(result.evaluations == static_cast<int>(tried.size()));
  CHECK(result.evaluations <= 26);
  CHECK(tried[0] == first);
  for (const double t : tried) CHECK(t > 0);
  return result;
}

TEST_CASE("a line search meets the strong Wolfe conditions, whatever the first length") {
  const auto check = [](const std::string& name, const auto& f, double shortest, double longest) {
    CAPTURE(name);
    for (double first = shortest; first <= longest; first *= 10) {
      CAPTURE(first);
      const LinePoint end = search(f, first).point;
      const auto [loss, slope] = f(0);
      CHECK(end.length > 0);
      CHECK(end.loss <= loss + 1e-4 * end.length * slope);
      CHECK(std::abs(end.slope) <= 0.9 * std::abs(slope));
      CHECK(end.loss == f(end.length).first);
      CHECK(end.slope == f(end.length).second);
    }
  };
  check(
      "parabola", [](double t) { return std::pair((t - 1) * (t - 1), 2 * (t - 1)); }, 1e-8, 1e8);
  // Of Moré and Thuente, "Line search algorithms with guaranteed sufficient decrease", 1994, with a long flat
  // part.
  check(
      "first function",
      [](double t) {
        const double b = t * t + 2;
        return std::pair(-t / b, (t * t - 2) / (b * b));
      },
      1e-3, 1e3);
  check(
      "waves", [](double t) { return std::pair(t / 8 - std::sin(t), 0.125 - std::cos(t)); }, 1e-3, 1e3);
  check(
      "barrier",
      [](double t) {
        if (t < 3) return std::pair(-t - std::log(3 - t) / 10, -1 + 0.1 / (3 - t));
        return std::pair(t > 5 ? -infinity : not_a_number, not_a_number);
      },
      1e-3, 1e3);
}

TEST_CASE("a parabola's minimum is the second trial at the latest, where the first does not do") {
  const auto parabola = [](double t) { return std::pair((t - 4) * (t - 4), 2 * (t - 4)); };
  WolfeResult result = search(parabola, 1);
  CHECK(result.evaluations == 1);  // a slope of -6 after -8 is flat enough
  CHECK(result.point.length == 1);
  result = search(parabola, 0.1);
  CHECK(result.evaluations == 2);
  CHECK(result.point.length == 1);  // ten times as long is the most
  result = search(parabola, 20);
  CHECK(result.evaluations == 2);
  CHECK(result.point.length == doctest::Approx(4).epsilon(1e-12));
}

TEST_CASE("a line search that can find nothing ends at its start or at the lowest end") {
  // No lower point than the start, though its slope says otherwise.
  WolfeResult result = search([](double t) { return std::pair(t, t == 0 ? -1.0 : 1.0); }, 1);
  CHECK(result.point.length == 0);
  // The bracket shrinks until it changes nothing; with 0, until the trials are used up.
  CHECK(result.evaluations < 26);
  result = search([](double t) { return std::pair(t, t == 0 ? -1.0 : 1.0); }, 1, 0);
  CHECK(result.evaluations == 26);
  CHECK(result.point.length == 0);
  for (const double nothing : {not_a_number, infinity, -infinity}) {
    result = search([&](double t) { return std::pair(t == 0 ? 1 : nothing, -1.0); }, 1);
    CHECK(result.point.length == 0);
    result = search([&](double t) { return std::pair(1 - t, t == 0 ? -1.0 : nothing); }, 1);
    CHECK(result.point.length == 0);
  }
  // No lower bound: ever longer, until the trials are used up.
  result = search([](double t) { return std::pair(-t, -1.0); }, 1);
  CHECK(result.evaluations == 26);
  CHECK(result.point.length > 1e6);
  CHECK(result.point.loss == -result.point.length);
}

}}  // namespace xtgrad
