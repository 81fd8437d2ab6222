// The table of steps.def: what a step of a random program may be.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::random_programs {

using testing::Role;

/// What an operand has to be; see the head of steps.def.
struct Operand {
  std::string shape;
  Role role = Role::floating;
  std::optional<std::pair<double, double>> range = std::nullopt;
  std::vector<double> avoid = {};
  bool apart = false;
  bool not_whole = false;
  bool not_half = false;
  std::int64_t below = 0;  ///< of an index; the size of the first operand's axis where it is 0
};

/// Throws std::invalid_argument for what says no operands.
[[nodiscard]] std::vector<Operand> parse_operands(std::string_view text);

/// What an expression is computed of.
struct Call {
  Tensor a, b, c, d;
  std::int64_t axis = 0;
  std::int64_t n = 1;
  std::int64_t k = 0;
  double p = 1;
  Shape shape = {};
  Dtype dtype = float64;
};

struct Row {
  std::string op;
  std::vector<Operand> operands;
  std::string python;
  std::string cpp;
  std::function<Tensor(const Call&)> apply;

  [[nodiscard]] bool uses(std::string_view word) const;
};

struct NoStep {
  std::string op;
  std::string reason;
};

[[nodiscard]] const std::vector<Row>& all_rows();
[[nodiscard]] const std::vector<NoStep>& without_rows();
/// The first row of this expression; throws std::invalid_argument if there is none.
[[nodiscard]] const Row& row_of(std::string_view cpp);
/// What brings any operand to any shape: none of the table, for only the generator puts it in.
[[nodiscard]] const Row& fit_row();

/// `text` with its words replaced where `replacement` gives something; members (.axis) are no words.
[[nodiscard]] std::string replace_words(
    std::string_view text, const std::function<std::optional<std::string>(std::string_view)>& replacement);

}  // namespace xtgrad::random_programs
