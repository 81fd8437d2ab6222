// What makes a value fit an operand.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "tests/random_programs/rows.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::random_programs {

/// Sizes of the letters of a row's shapes, and the first operand's shape.
struct Sizes {
  std::map<char, std::int64_t> of_letters = {};
  Shape first = {};
};

/// Whether the pattern of letters can be this shape; if so its letters are bound.
[[nodiscard]] bool bind(const std::string& pattern, const Shape& shape, Sizes& sizes);
/// A shape of the pattern; draws what is not bound yet.
[[nodiscard]] Shape draw_shape(const std::string& pattern, Sizes& sizes, Random& random);
[[nodiscard]] bool broadcasts(const Shape& a, const Shape& b);

[[nodiscard]] bool in_range(const Operand& operand, const Tensor& value);
[[nodiscard]] bool away_from_kinks(const Operand& operand, const Tensor& value);
/// No two elements of all these as near as kinks may be.
[[nodiscard]] bool are_apart(std::span<const Tensor> values);

/// A new leaf; of an index, below `below`.
[[nodiscard]] Tensor draw_leaf(const Operand& operand, const Shape& shape, std::int64_t below,
                               Random& random);

}  // namespace xtgrad::random_programs
