// The functions that docs/accuracy.md has lines for, and where they are looked at.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::testing {

/// How an operand is drawn: `around` and a distance from `low` to `high`, of either sign if `both`. All
/// distances are as likely, or all their logarithms.
struct Draw {
  double low = 0, high = 1;
  bool logarithmic = false;
  bool both = false;
  int sign = 1;  ///< of the distance, unless it is `both`
  double around = 0;

  [[nodiscard]] double next(Random& random) const;
};

/// A part of a function's domain.
struct Region {
  std::string name;
  std::vector<Draw> operands;         ///< one for each, or one for all
  std::vector<Draw> in_float32 = {};  ///< where the dtype's range ends earlier; the same if empty
};

/// A function of numbers: of one or two tensors, element by element, or of rows of four, of which the first
/// element of the result is taken.
struct MeasuredFunction {
  detail::OpId id;
  std::string label;  ///< as tests/docs/accuracy.py knows it: the operation's name, and attributes
  std::size_t operands = 1;
  bool of_rows = false;
  std::function<Tensor(std::span<const Tensor>)> apply = {};
  std::vector<Region> regions = {};
};

/// All of them, in the order of the page.
std::vector<MeasuredFunction> measured_functions();

/// Whether docs/accuracy.md must have a line for each operation of the family that is differentiated.
bool is_measured_family(std::string_view family);

/// What a function gives in a region at drawn points, as text: a head "# label | region | dtype | operands |
/// rows", and for each point its numbers, its value, its first derivatives and its second ones, in
/// hexadecimal and with " : " between. The second ones are f'' of one operand, f_aa, f_ab and f_bb of two,
/// and of rows the first row of the Hessian.
std::string measured_values(const MeasuredFunction& function, const Region& region, Dtype dtype, int points);

}  // namespace xtgrad::v1::testing
