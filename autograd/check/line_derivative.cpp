#include "xtgrad/autograd/check/line_derivative.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

// Steps are powers of this. Not of 2: x + tv would then be rounded alike at every step, and an error that all
// steps share is invisible.
constexpr double ratio = 2.1;
constexpr double q = ratio * ratio;
// Where the ladder starts: steps of 0.05 to 0.005 with sixth order have truncation and rounding both near
// 1e-13 for a function that changes on the scale of its argument.
constexpr int first_window = 4;
// Steps below 1e-9 or above 1e7 have never helped anything that can be checked at all.
constexpr int finest_window = 24;
constexpr int coarsest_window = -22;
constexpr int window_stride = 2;
// Steps at which kinks and jumps are looked for: fine enough for t^3 not to matter, coarse enough for
// rounding not to.
constexpr int kink_first = 9;
constexpr int kink_last = 15;

/// True if two derivatives differ by more than their errors explain. The later one is then of steps so small
/// that rounding makes F look constant.
bool contradicts(const BlockDerivative& a, const BlockDerivative& b) {
  constexpr double safety = 10;
  std::vector<double> difference(a.value.size());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = a.value[i] - b.value[i];
  return norm(difference.data(), difference.size()) > safety * (a.error_norm + b.error_norm);
}

/// What Richardson's combination, free of t^2 and t^4, gives to F(s) - F(-s) at each of the steps ratio^2 t,
/// ratio t and t.
std::array<double, 3> extrapolation_weights(double t) {
  const double scale = 1 / ((q - 1) * (q * q - 1) * 2 * t);
  return {scale / q, -scale * (q + q * q) / ratio, scale * q * q * q};
}

/// From even parts at the same steps: what is left without t^2 and t^4.
double residue(double e4, double e2, double e1) { return e4 - (q + q * q) * e2 + q * q * q * e1; }

/// The size of the residue of values with independent noise of size 1: the norm of its weights on F(+-t) and
/// F(0).
double residue_gain() {
  return std::sqrt(2 * (1 + std::pow(q + q * q, 2) + std::pow(q, 6)) +
                   4 * std::pow(1 - q - q * q + q * q * q, 2));
}

/// The size of t times the extrapolated derivative for such values.
double derivative_gain() {
  const double sum = std::pow(q * q * q, 2) + std::pow((q + q * q) / ratio, 2) + std::pow(1 / q, 2);
  return std::sqrt(sum / 2) / ((q - 1) * (q * q - 1));
}

/// The middle of values that agree within 5 %, else 0.
double common_value(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*high - *low > 0.05 * std::max(std::abs(*low), std::abs(*high))) return 0;
  return (*low + *high) / 2;
}

}  // namespace

double ladder_step(int k) { return std::pow(ratio, -k); }

double norm(const double* values, std::size_t count) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  if (largest == 0 || !std::isfinite(largest)) return largest;
  double total = 0;  // scaled: squares of 1e200 would overflow
  for (std::size_t i = 0; i < count; ++i) total += (values[i] / largest) * (values[i] / largest);
  return largest * std::sqrt(total);
}

LineDerivative::LineDerivative(LineFunction f, std::vector<double> center, std::vector<Block> blocks)
    : f_(std::move(f)),
      center_(std::move(center)),
      blocks_(std::move(blocks)),
      best_(blocks_.size()),
      least_error_(blocks_.size(), std::numeric_limits<double>::infinity()),
      improved_(blocks_.size(), false) {}

const LineDerivative::Level& LineDerivative::level(int k) {
  const auto found = levels_.find(k);
  if (found != levels_.end()) return found->second;
  std::vector<double> up = f_(ladder_step(k));
  std::vector<double> down = f_(-ladder_step(k));
  for (std::size_t i = 0; i < up.size(); ++i) {
    const double odd = up[i] - down[i];
    // Two differences rather than a sum minus twice the middle, which would round at the size of F, not of
    // the change.
    down[i] = (up[i] - center_[i]) - (center_[i] - down[i]);
    up[i] = odd;
  }
  const auto all_finite = [](const std::vector<double>& values, const Block& block) {
    return std::all_of(values.begin() + static_cast<std::ptrdiff_t>(block.begin),
                       values.begin() + static_cast<std::ptrdiff_t>(block.end),
                       [](double value) { return std::isfinite(value); });
  };
  std::vector<bool> finite;
  for (const Block& block : blocks_) finite.push_back(all_finite(up, block) && all_finite(down, block));
  return levels_.emplace(k, Level{std::move(up), std::move(down), std::move(finite)}).first->second;
}

bool LineDerivative::finite(int k, std::size_t block) const { return levels_.at(k).finite[block]; }

std::vector<double> LineDerivative::largest_residues(int k, const Block& block) const {
  // A few samples of noise can all be small by luck, so the neighbours' count as well: those of smaller
  // steps, which have less truncation, in full; those of larger steps, which have more, by what even a kink
  // would leave of them.
  constexpr double larger_steps_share = 0.125;
  std::vector<double> largest(block.size(), 0.0);
  for (int i = k - window_stride; i <= k + 1 + window_stride; ++i) {
    const auto e4 = levels_.find(i);
    const auto e2 = levels_.find(i + 1);
    const auto e1 = levels_.find(i + 2);
    if (e4 == levels_.end() || e2 == levels_.end() || e1 == levels_.end()) continue;
    const double share = i < k ? larger_steps_share : 1;
    for (std::size_t j = 0; j < largest.size(); ++j) {
      const std::size_t r = block.begin + j;
      const double value =
          share * std::abs(residue(e4->second.even[r], e2->second.even[r], e1->second.even[r]));
      largest[j] = std::isfinite(value) ? std::max(largest[j], value) : largest[j];
    }
  }
  return largest;
}

std::optional<BlockDerivative> LineDerivative::estimate(int k, std::size_t block_index) const {
  for (int i = 0; i < 4; ++i) {
    if (!finite(k + i, block_index)) return std::nullopt;
  }
  const Block& block = blocks_[block_index];
  const double t = ladder_step(k + 3);
  const auto [w1, w2, w3] = extrapolation_weights(t);
  const auto [v0, v1, v2] = extrapolation_weights(ladder_step(k + 2));
  const double noise_share = derivative_gain() / residue_gain() / t;
  // A value is rounded at least to its own precision, even if the residue happens to vanish.
  const double rounding_share = derivative_gain() * std::numeric_limits<double>::epsilon() / 2 / t;
  const auto odd_at = [&](int i) { return levels_.at(k + i).odd.data() + block.begin; };
  const double* const odd0 = odd_at(0);
  const double* const odd1 = odd_at(1);
  const double* const odd2 = odd_at(2);
  const double* const odd3 = odd_at(3);
  const double* const center = center_.data() + block.begin;
  const std::vector<double> residues = largest_residues(k, block);
  BlockDerivative result;
  result.step = t;
  result.value.resize(block.size());
  result.error.resize(block.size());
  for (std::size_t i = 0; i < block.size(); ++i) {
    const double value = w1 * odd1[i] + w2 * odd2[i] + w3 * odd3[i];
    const double truncation = std::abs(value - (v0 * odd0[i] + v1 * odd1[i] + v2 * odd2[i]));
    result.value[i] = value;
    result.error[i] = truncation + std::max(noise_share * residues[i], rounding_share * std::abs(center[i]));
  }
  result.error_norm = norm(result.error.data(), result.error.size());
  result.value_norm = norm(result.value.data(), result.value.size());
  return result;
}

double LineDerivative::relative_error(std::size_t block, double size) const {
  const std::optional<BlockDerivative>& best = best_[block];
  if (!best) return std::numeric_limits<double>::infinity();
  return best->error_norm > 0 ? best->error_norm / std::max(best->value_norm, size) : 0;
}

bool LineDerivative::smooth(const BlockDerivative& derivative, std::size_t block) const {
  // Either the derivative stands clear of its error, or it is nothing beside the values, and so is the error.
  constexpr double clear = 0.01;
  constexpr double nothing = 1e-6;
  return derivative.error_norm <=
         std::max(clear * derivative.value_norm, nothing * values_sizes_[block] / derivative.step);
}

bool LineDerivative::only_rounding(int k, std::size_t block_index) const {
  // Rounding does not shrink with the step, as truncation and kinks do. Jumps do not, either, but are larger.
  constexpr double largest = 1e-13;
  const Block& block = blocks_[block_index];
  if (!finite(k, block_index) || !finite(k - window_stride, block_index)) return false;
  const auto residue_norm = [&](int first) {
    std::vector<double> residues(block.size());
    for (std::size_t i = 0; i < residues.size(); ++i) {
      const std::size_t r = block.begin + i;
      residues[i] =
          residue(levels_.at(first).even[r], levels_.at(first + 1).even[r], levels_.at(first + 2).even[r]);
    }
    return norm(residues.data(), residues.size()) / residue_gain();
  };
  const double now = residue_norm(k);
  const double before = residue_norm(k - window_stride);
  return now > 0.4 * before && now <= largest * norm(center_.data() + block.begin, block.size());
}

bool LineDerivative::all_good() const {
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    if (!good(block)) return false;
  }
  return true;
}

bool LineDerivative::try_window(int k) {
  for (int i = 0; i < 4; ++i) static_cast<void>(level(k + i));
  bool any_improved = false;
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    improved_[block] = false;
    if (good(block)) continue;
    std::optional<BlockDerivative> found = estimate(k, block);
    if (!found) continue;
    improved_[block] = found->error_norm < least_error_[block];
    any_improved = any_improved || improved_[block];
    least_error_[block] = std::min(least_error_[block], found->error_norm);
    if (!smooth(*found, block)) continue;
    const bool better = !best_[block] ||
                        (found->error_norm < best_[block]->error_norm && !contradicts(*found, *best_[block]));
    if (better) best_[block] = std::move(found);
  }
  return any_improved;
}

void LineDerivative::walk_coarser() {
  for (int k = first_window - window_stride; k >= coarsest_window && !all_good(); k -= window_stride) {
    if (!try_window(k)) return;
  }
}

void LineDerivative::walk_finer() {
  // A kink among the steps makes the estimates worse before they get better, so a setback is no reason to
  // stop unless rounding is all that is left.
  const auto worth_going_on = [&](int k) {
    for (std::size_t block = 0; block < blocks_.size(); ++block) {
      if (!good(block) && (improved_[block] || !only_rounding(k, block))) return true;
    }
    return false;
  };
  for (int k = first_window + window_stride; k <= finest_window && !all_good(); k += window_stride) {
    try_window(k);
    if (!worth_going_on(k)) return;
  }
}

void LineDerivative::run(double wanted, const std::vector<double>& sizes,
                         const std::vector<double>& values_sizes) {
  wanted_ = wanted;
  sizes_ = sizes;
  values_sizes_ = values_sizes;
  try_window(first_window);
  walk_coarser();
  walk_finer();
}

std::optional<Irregularity> LineDerivative::irregularity(std::size_t block_index) {
  const Block& block = blocks_[block_index];
  const auto& [finest, last] = *levels_.rbegin();
  if (!finite(finest, block_index)) {
    std::size_t r = block.begin;
    while (std::isfinite(last.odd[r]) && std::isfinite(last.even[r])) ++r;
    return Irregularity{Irregularity::Kind::not_finite, r, 0, 0, ladder_step(finest)};
  }
  for (int k = kink_first; k <= kink_last; ++k) {
    static_cast<void>(level(k));
    if (!finite(k, block_index)) return std::nullopt;
  }
  std::optional<Irregularity> kink;
  std::optional<Irregularity> jump;
  const double t = ladder_step(kink_last);
  for (std::size_t r = block.begin; r < block.end; ++r) {
    // An odd part J + 2ct and an even part |c|t + at^2, freed of their smooth terms: J and c are the same at
    // every step for a jump or a kink, and shrink for a smooth function.
    std::vector<double> jumps;
    std::vector<double> kinks;
    for (int k = kink_first; k < kink_last; ++k) {
      const Level& wide = levels_.at(k);
      const Level& narrow = levels_.at(k + 1);
      jumps.push_back((ratio * narrow.odd[r] - wide.odd[r]) / (ratio - 1));
      kinks.push_back((q * narrow.even[r] - wide.even[r]) / ((ratio - 1) * ladder_step(k)));
    }
    const Level& level = levels_.at(kink_last);
    const double rounding = 1e3 * std::numeric_limits<double>::epsilon() * std::abs(center_[r]);
    const double jump_size = common_value(jumps);
    if (std::abs(jump_size) > rounding &&
        (!jump || std::abs(jump_size) > std::abs(jump->right - jump->left))) {
      const double middle = center_[r] + level.even[r] / 2;
      jump =
          Irregularity{Irregularity::Kind::jump, r, middle - level.odd[r] / 2, middle + level.odd[r] / 2, t};
    }
    const double bend = common_value(kinks);
    if (std::abs(bend) * t > rounding && (!kink || std::abs(bend) > std::abs(kink->right - kink->left))) {
      const double slope = level.odd[r] / (2 * t);
      const double half = level.even[r] / (2 * t);
      kink = Irregularity{Irregularity::Kind::kink, r, slope - half, slope + half, t};
    }
  }
  // A kink just beside 0 leaves a constant in the odd part as well, small beside what it does to the even
  // part.
  const bool is_kink =
      kink && (!jump || std::abs(jump->right - jump->left) < std::abs(kink->right - kink->left) * t);
  return is_kink ? kink : jump;
}

}  // namespace xtgrad::v1::detail
