#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace xtgrad::inline v1::detail {

/// A function of one number with many results: t -> F(x + t v). The results form blocks (one for each
/// tensor), whose derivatives may be of very different size.
using LineFunction = std::function<std::vector<double>(double t)>;

/// Half-open range of results.
struct Block {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// Derivative of one block at t = 0, with what is known about its numerical error.
struct BlockDerivative {
  std::vector<double> value;
  std::vector<double> error;  // estimated error of each value: truncation, rounding, and noise of F itself
  double error_norm = 0;      // 2-norm of `error`
  double value_norm = 0;
  double step = 0;  // smallest |t| used
};

/// Why a line has no derivative at 0, as far as one can tell from values.
struct Irregularity {
  enum class Kind { kink, jump, not_finite } kind;
  std::size_t result;  // the one that shows it most
  double left = 0;  // one-sided derivatives for a kink, values beside 0 for a jump, F(-t) and F(t) otherwise
  double right = 0;
  double step = 0;
};

/// Numerical derivatives along a line: central differences on a ladder of steps, Richardson
/// extrapolation to sixth order, and the window of steps that has the smallest error estimate.
///
/// The error estimate has two parts. The change of the extrapolated value from one window to the next bounds
/// the truncation. The even part F(t) + F(-t) - 2 F(0), from which t^2 and t^4 are eliminated, plays no part
/// in the derivative and has nothing left but noise: it measures the rounding error of F, whatever its size.
/// A window counts only where F looks smooth: at steps far too large for F everything looks small once it is
/// divided by the step.
class LineDerivative {
 public:
  LineDerivative(LineFunction f, std::vector<double> center, std::vector<Block> blocks);

  /// Evaluates until the error of every block is at most `wanted` of its `sizes` entry, the size that its
  /// derivative is expected to have, or of what it turns out to have; or until no step does better.
  /// `values_sizes` are those of the values, a millionth of which counts as nothing.
  void run(double wanted, const std::vector<double>& sizes, const std::vector<double>& values_sizes);

  /// The best derivative of a block; empty if F was nowhere finite and smooth on both sides.
  [[nodiscard]] const std::optional<BlockDerivative>& derivative(std::size_t block) const {
    return best_[block];
  }
  /// Estimated error of a block's derivative beside its norm, or `size` if that is larger; infinite if empty.
  [[nodiscard]] double relative_error(std::size_t block, double size) const;
  /// Looks for the reason why a block's error is large.
  [[nodiscard]] std::optional<Irregularity> irregularity(std::size_t block);
  [[nodiscard]] const std::vector<double>& center() const { return center_; }

 private:
  struct Level {
    std::vector<double> odd;   // F(t) - F(-t)
    std::vector<double> even;  // F(t) + F(-t) - 2 F(0)
    std::vector<bool> finite;  // both, in each block
  };

  const Level& level(int k);
  [[nodiscard]] bool finite(int k, std::size_t block) const;
  /// Largest residue (see the .cpp) of each of a block's results in the window at k and its neighbours.
  [[nodiscard]] std::vector<double> largest_residues(int k, const Block& block) const;
  [[nodiscard]] bool smooth(const BlockDerivative& derivative, std::size_t block) const;
  [[nodiscard]] bool only_rounding(int k, std::size_t block) const;
  /// Tries the window of the steps k to k + 3; true if its error is the least so far in a block that was not
  /// good enough.
  bool try_window(int k);
  [[nodiscard]] std::optional<BlockDerivative> estimate(int k, std::size_t block) const;
  [[nodiscard]] bool good(std::size_t block) const { return relative_error(block, sizes_[block]) <= wanted_; }
  [[nodiscard]] bool all_good() const;
  void walk_coarser();
  void walk_finer();

  LineFunction f_;
  std::vector<double> center_;
  std::vector<Block> blocks_;
  std::map<int, Level> levels_;
  std::vector<std::optional<BlockDerivative>> best_;
  std::vector<double> least_error_;  // of any window, smooth or not
  std::vector<bool> improved_;       // by the last window
  double wanted_ = 0;
  std::vector<double> sizes_;
  std::vector<double> values_sizes_;
};

/// Step k of the ladder; larger k, smaller step.
[[nodiscard]] double ladder_step(int k);

/// Square root of the sum of squares.
[[nodiscard]] double norm(const double* values, std::size_t count);

}  // namespace xtgrad::v1::detail
