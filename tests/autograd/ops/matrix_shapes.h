#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tests/autograd/ops/op_walk.h"

namespace xtgrad::inline v1::testing {

/// What shapes a derivative is taken at: the columns of docs/derivatives.md.
enum class Shapes { plain, broadcast, size_one, empty, zero_d, batch_of_one };
inline constexpr std::array all_shapes{Shapes::plain, Shapes::broadcast, Shapes::size_one,
                                       Shapes::empty, Shapes::zero_d,    Shapes::batch_of_one};
std::string_view to_string(Shapes shapes);

/// Which of them a sample is.
Shapes shapes_of(const Op& op, const Sample& sample);

/// The same call at other shapes, where the operation takes such: axes of one size made 1, or 0, or left out
/// in every input that has them. What it says to the last of those that it refuses is left in `refusal`.
std::optional<Sample> variant_of(const Op& op, const Sample& sample, Shapes wanted, std::string& refusal);

}  // namespace xtgrad::v1::testing
