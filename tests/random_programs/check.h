// What has to hold for every program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/random_programs/program.h"

namespace xtgrad::random_programs {

enum class Check {
  gradient,    ///< along a direction, against differences of values
  second,      ///< a Hessian times a direction, against differences of gradients
  third,       ///< its derivative along another direction, against differences of it
  precision,   ///< values and gradients in float32 against those in float64
  checkpoint,  ///< the value and gradients of a checkpoint of it all have the same bits
  again,       ///< so have all steps, rules included, run again on other memory
  replay,      ///< and captured, for other inputs
};
inline constexpr Check all_checks[] = {Check::gradient,   Check::second, Check::third, Check::precision,
                                       Check::checkpoint, Check::again,  Check::replay};
[[nodiscard]] std::string_view to_string(Check check);

/// What a check said.
struct Verdict {
  bool is_comparable = true;  ///< false where the numerical derivative is too poor to say anything
  std::string failure = {};   ///< empty where all is well; an exception is one, too
};

/// Makes one check; directions follow from the seed.
[[nodiscard]] Verdict check(const Program& program, Check which, std::uint64_t seed);

/// The derivatives of a program's loss in its floating leaves, each as one row of numbers.
class Derivatives {
 public:
  Derivatives(const Program& program, std::uint64_t seed);

  /// At the leaves plus `t` times the direction of the order: the loss, its gradient, the Hessian times the
  /// first direction, and its derivative along the second one.
  [[nodiscard]] std::vector<double> at(int order, double t = 0) const;
  /// What differences of order - 1 are compared with: the gradient's product with the direction, or
  /// at(order).
  [[nodiscard]] std::vector<double> along(int order) const;
  [[nodiscard]] const std::vector<Tensor>& direction(int order) const {
    return directions_[order == 3 ? 1 : 0];
  }

 private:
  const Program& program_;
  std::array<std::vector<Tensor>, 2> directions_;
};

}  // namespace xtgrad::random_programs
