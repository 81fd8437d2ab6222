#include "xtgrad/optim/strong_wolfe.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace xtgrad::inline v1::optim::detail {
namespace {

bool is_finite(const LinePoint& point) { return std::isfinite(point.loss) && std::isfinite(point.slope); }

/// Where the cubic through both points, with their slopes, is least, kept within [least, most]; their middle
/// where there is no such place.
double cubic_minimum(const LinePoint& one, const LinePoint& other, double least, double most) {
  const bool in_order = one.length <= other.length;
  const LinePoint& a = in_order ? one : other;
  const LinePoint& b = in_order ? other : one;
  const double middle = (least + most) / 2;
  if (!is_finite(a) || !is_finite(b)) return middle;
  const double width = b.length - a.length;
  const double bend = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.length - b.length);
  const double discriminant = bend * bend - a.slope * b.slope;
  if (!(discriminant >= 0)) return middle;
  const double root = std::sqrt(discriminant);
  const double place = b.length - width * ((b.slope + root - bend) / (b.slope - a.slope + 2 * root));
  return std::isfinite(place) ? std::clamp(place, least, most) : middle;
}

class Search {
 public:
  Search(const Callable<LinePoint(double)>& evaluate, const LinePoint& start, const WolfeOptions& options)
      : evaluate_(evaluate), start_(start), options_(options) {}

  WolfeResult run() {
    LinePoint best = try_length(options_.first_length);
    if (std::optional<Bracket> bracket = enclose(best)) best = narrow(std::move(*bracket));
    return {std::move(best), evaluations_};
  }

 private:
  /// Lengths between which there is one to accept; `low` has decreased enough, or is the start.
  struct Bracket {
    LinePoint low;
    LinePoint high;

    [[nodiscard]] double least() const { return std::min(low.length, high.length); }
    [[nodiscard]] double most() const { return std::max(low.length, high.length); }
  };

  LinePoint try_length(double length) {
    ++evaluations_;
    return evaluate_(length);
  }
  [[nodiscard]] bool has_trials() const { return evaluations_ <= options_.max_trials; }

  /// The negation, so that a loss which is NaN does not decrease.
  [[nodiscard]] bool decreases(const LinePoint& point) const {
    return point.loss <= start_.loss + options_.decrease * point.length * start_.slope && is_finite(point);
  }
  [[nodiscard]] bool is_flat(const LinePoint& point) const {
    return std::abs(point.slope) <= -options_.curvature * start_.slope;
  }

  /// Makes `at` longer until it is to be accepted, and returns nothing, or until a bracket is found.
  std::optional<Bracket> enclose(LinePoint& at) {
    LinePoint before = start_;
    for (int trial = 0; has_trials(); ++trial) {
      if (!decreases(at) || (trial > 1 && at.loss >= before.loss)) return bracket_of(before, at);
      if (is_flat(at)) return std::nullopt;
      if (at.slope >= 0) return bracket_of(before, at);
      const double length =
          cubic_minimum(before, at, at.length + 0.01 * (at.length - before.length), 10 * at.length);
      before = std::move(at);
      at = try_length(length);
    }
    if (!decreases(at)) at = std::move(before);
    return std::nullopt;
  }

  [[nodiscard]] Bracket bracket_of(const LinePoint& before, const LinePoint& at) const {
    const bool is_lower = decreases(at) && at.loss < before.loss;
    return is_lower ? Bracket{at, before} : Bracket{before, at};
  }

  LinePoint narrow(Bracket bracket) {
    bool was_near_an_end = false;
    while (has_trials()) {
      const double least = bracket.least(), most = bracket.most();
      if ((most - least) * options_.direction_size < options_.least_change) break;
      double length = cubic_minimum(bracket.low, bracket.high, least, most);
      // Twice in a row in the tenth next to an end, and it would get nowhere from there.
      const double margin = 0.1 * (most - least);
      const bool is_near_an_end = std::min(most - length, length - least) < margin;
      const bool is_pushed = is_near_an_end && (was_near_an_end || length >= most || length <= least);
      if (is_pushed) length = most - length < length - least ? most - margin : least + margin;
      was_near_an_end = is_near_an_end && !is_pushed;

      LinePoint at = try_length(length);
      if (!decreases(at) || at.loss >= bracket.low.loss) {
        bracket.high = std::move(at);
        continue;
      }
      if (is_flat(at)) return at;
      if (at.slope * (bracket.high.length - bracket.low.length) >= 0) bracket.high = bracket.low;
      bracket.low = std::move(at);
    }
    return std::move(bracket.low);
  }

  const Callable<LinePoint(double)>& evaluate_;
  const LinePoint& start_;
  const WolfeOptions& options_;
  int evaluations_ = 0;
};

}  // namespace

WolfeResult strong_wolfe(const Callable<LinePoint(double)>& evaluate, const LinePoint& start,
                         const WolfeOptions& options) {
  return Search(evaluate, start, options).run();
}

}  // namespace xtgrad::v1::optim::detail
